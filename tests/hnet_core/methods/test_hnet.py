"""The hypernetwork method against a slow, obvious version of eq. 2 in float64."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from hnet_core.build import networks, stream_shape
from hnet_core.data import data_root
from hnet_core.registry import METHODS, STREAMS
from hnet_core.seeding import generator
from hnet_core.streams.stream import mini_batches
from hnet_core.training import TrialRun
from hnet_core.trial import TrialConfig
from tests.hnet_core.obvious_adam import ObviousAdam
from tests.hnet_core.tiny import tiny

TASKS, STEPS = 3, 5


def obvious_weights(config: TrialConfig, seed: int) -> list[Tensor]:
    """Return theta and embeddings after training, sharing only data, initial values and the networks."""
    stream = STREAMS["split"].open(config.stream, data_root())
    parts = networks(config, stream.shape)
    hypernet, target, options = parts.hypernet, parts.target, config.method
    assert hypernet is not None
    initial = METHODS["hnet"](options, TrialRun(config, seed, dtype=torch.float64)._problem).state()
    theta = [part.clone() for part in initial["theta"]]
    embeddings = [part.clone() for part in initial["embeddings"]]
    for task in range(TASKS):
        before = [h(hypernet, theta, embeddings[j]) for j in range(task)]
        adam_theta, adam_e = ObviousAdam(theta, config.training.lr), ObviousAdam([embeddings[task]], config.training.lr)
        split = stream.tasks[task].train
        for index in mini_batches(len(split), config.training.batch_size, STEPS, generator(seed, "batches", task)):
            x, y = split.batch(index, torch.float64)
            leaves = [part.clone().requires_grad_() for part in [*theta, embeddings[task]]]
            logits = target.forward(x, h(hypernet, leaves[:-1], leaves[-1]))[:, 2 * task : 2 * task + 2]
            loss = -torch.log_softmax(logits, dim=1)[torch.arange(len(y)), y].mean()
            *g_theta, g_e = torch.autograd.grad(loss, leaves)
            if task:
                changes = adam_theta.change(list(g_theta), keep=False)
                ahead = [(part + change).requires_grad_() for part, change in zip(theta, changes, strict=True)]
                drift = sum(((h(hypernet, ahead, embeddings[j]) - before[j]) ** 2).sum() for j in range(task)) / task
                g_reg = torch.autograd.grad(options.beta_output * drift, ahead)
                g_theta = [a + b for a, b in zip(g_theta, g_reg, strict=True)]
            theta = [part + c for part, c in zip(theta, adam_theta.change(list(g_theta), keep=True), strict=True)]
            embeddings[task] = embeddings[task] + adam_e.change([g_e], keep=True)[0]
    return [*theta, *embeddings]


def h(hypernet: Any, theta: Any, embedding: Tensor) -> Tensor:
    weights: Tensor = hypernet.generate(theta, embedding.unsqueeze(0))[0]
    return weights


@pytest.mark.parametrize("engine", ["plain", "fast"])
def test_training_follows_the_equations_step_by_step(engine: str) -> None:
    config = tiny(training={"iterations": STEPS, "engine": engine}, method={"name": "hnet", "beta_output": 0.3})
    run = TrialRun(config, seed=1, dtype=torch.float64)
    for _ in range(TASKS):
        report = run.train_task()
    ours = [*report.checkpoint["method"]["theta"], *report.checkpoint["method"]["embeddings"]]
    for mine, obvious in zip(ours, obvious_weights(config, seed=1), strict=True):
        torch.testing.assert_close(mine, obvious, rtol=1e-9, atol=1e-12)


def test_embeddings_of_previous_and_later_tasks_do_not_move() -> None:
    run = TrialRun(tiny(training={"iterations": 3}), seed=0)
    run.train_task()
    before = run.train_task().checkpoint["method"]["embeddings"]
    after = run.train_task().checkpoint["method"]["embeddings"]
    moved = [not torch.equal(a, b) for a, b in zip(before, after, strict=True)]
    assert moved == [False, False, True, False, False]


@pytest.mark.parametrize(
    "option",
    [
        {"lookahead": "sgd"},
        {"lookahead": "none"},
        {"lookahead_epsilon": "uncorrected"},
        {"regularized_outputs": "own_head"},
        {"regularized_tasks": 1},
        {"beta_output": 0.5},
    ],
    ids=str,
)
def test_every_named_option_changes_the_result(option: dict[str, Any]) -> None:
    assert not same_theta(theta_after(tiny()), theta_after(tiny(method={"name": "hnet", **option})))


def test_recomputed_targets_give_the_same_weights_as_stored_ones() -> None:
    plain = {"engine": "plain"}
    stored = theta_after(tiny(training=plain))
    recomputed = theta_after(tiny(training=plain, method={"name": "hnet", "regularizer_target": "recomputed"}))
    for one, other in zip(stored, recomputed, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


def theta_after(config: TrialConfig) -> list[Tensor]:
    run = TrialRun(config, seed=0, dtype=torch.float64)
    for _ in range(TASKS):
        report = run.train_task()
    theta: list[Tensor] = report.checkpoint["method"]["theta"]
    return theta


def same_theta(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_shape_of_a_stream_is_known_without_its_images() -> None:
    assert stream_shape(tiny(stream={"dataset": "mnist"}), root="/nonexistent").n_inputs == 784
