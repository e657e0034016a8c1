"""The hypernetwork method against a slow, obvious version of eq. 2 in float64."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from hnet_core.build import networks, stream_shape
from hnet_core.data import data_root
from hnet_core.engines import PlainStep
from hnet_core.errors import UnsupportedTrial
from hnet_core.methods.hnet import Hnet
from hnet_core.problem import Problem
from hnet_core.registry import METHODS, STREAMS
from hnet_core.seeding import generator
from hnet_core.streams import Stream
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


def trained_once(**options: Any) -> tuple[Hnet, Problem, Stream]:
    """A method after one task, at the start of the second, in float64."""
    config = tiny(method={"name": "hnet", "beta_output": 0.3, **options}, training={"engine": "plain", "lr": 0.05})
    stream: Stream = STREAMS["split"].open(config.stream, data_root())
    problem = TrialRun(config, 0, dtype=torch.float64)._problem
    method = Hnet(config.method, problem)
    for task in range(2):
        method.start_task(task)
        train = method.prepare(task, stream.tasks[task].train)
        for step in range(6 if task == 0 else 3):
            method.step(task, *train.batch(slice(8 * step, 8 * step + 8), torch.float64))
        method.end_task(task, train)
    method.start_task(2)
    return method, problem, stream


def gradients_of(method: Hnet, step: tuple[Tensor, Tensor]) -> list[Tensor]:
    """The gradients with which a step on task 2 is made: of theta and of the embeddings of tasks 0 to 2."""
    before = [part.detach().clone() for part in [*method.source.theta, *method.source.embeddings[:3]]]
    method.step(2, *step)
    found = [part.grad for part in [*method.source.theta, *method.source.embeddings[:3]]]
    with torch.no_grad():
        for part, old in zip([*method.source.theta, *method.source.embeddings[:3]], before, strict=True):
            part.copy_(old)
    return [torch.zeros_like(old) if part is None else part for part, old in zip(found, before, strict=True)]


@pytest.mark.parametrize("lookahead", ["adam", "sgd"])
@pytest.mark.parametrize(
    "options",
    [
        {"lookahead_gradient": "differentiated"},
        {"previous_embeddings": "trained"},
        {"output_weights": "fisher"},
        {"lookahead_gradient": "differentiated", "previous_embeddings": "trained", "output_weights": "fisher"},
    ],
    ids=str,
)
def test_options_of_the_regulariser_follow_the_loss_written_as_one_function(
    options: dict[str, str], lookahead: str
) -> None:
    """An oracle: L + beta R(theta + dtheta) as one function of everything that is trained, by autograd in one go."""
    method, problem, stream = trained_once(lookahead=lookahead, **options)
    hypernet, source = problem.hypernet, method.source
    assert hypernet is not None
    targets = [h(hypernet, source.theta, e).detach().clone() for e in source.embeddings[:2]]
    train = stream.tasks[2].train
    method.step(2, *train.batch(slice(0, 8), torch.float64))  # Adam now has moments
    if "output_weights" in options:
        weights = torch.stack([of.detach() for of in method._importance])
        assert float(weights.max()) > 0
    else:
        weights = torch.ones(2, hypernet.n_outputs, dtype=torch.float64)
    step = train.batch(slice(8, 16), torch.float64)
    leaves = [part.detach().clone().requires_grad_() for part in [*source.theta, *source.embeddings[:3]]]
    n = len(source.theta)
    loss = problem.task_loss(2, h(hypernet, leaves[:n], leaves[-1]), *step)
    differentiated = options.get("lookahead_gradient") == "differentiated"
    g = torch.autograd.grad(loss, leaves[:n], create_graph=True)
    moments = method._engine._theta_optimizer.state  # type: ignore[attr-defined]
    ahead = []
    for part, gradient, own in zip(leaves[:n], g, source.theta, strict=True):
        change = -0.05 * gradient
        if lookahead == "adam":
            m = 0.9 * moments[own]["exp_avg"] + 0.1 * gradient
            v = 0.999 * moments[own]["exp_avg_sq"] + 0.001 * gradient.square()
            count = float(moments[own]["step"]) + 1
            root = torch.where(v > 0, v, 1.0).sqrt() * (v > 0) / (1 - 0.999**count) ** 0.5
            change = -0.05 / (1 - 0.9**count) * m / (root + 1e-8)
        ahead.append(part + (change if differentiated else change.detach()))
    drifts = [
        (of * (h(hypernet, ahead, e) - target).square()).sum()
        for of, e, target in zip(weights, leaves[n : n + 2], targets, strict=True)
    ]
    expected = list(torch.autograd.grad(loss + 0.3 * torch.stack(drifts).mean(), leaves))
    if "previous_embeddings" not in options:
        expected[n : n + 2] = [torch.zeros_like(part) for part in expected[n : n + 2]]
    for ours, theirs in zip(gradients_of(method, step), expected, strict=True):
        scale = float(theirs.abs().max()) + 1e-12
        torch.testing.assert_close(ours / scale, theirs / scale, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"lookahead_gradient": "differentiated"}, "the look-ahead step as a constant"),
        ({"previous_embeddings": "trained"}, "keeps the embeddings of previous tasks"),
        ({"output_weights": "fisher"}, "regularises all outputs equally"),
    ],
    ids=str,
)
def test_the_fast_engine_refuses_what_it_cannot_and_auto_takes_the_plain_one(
    options: dict[str, str], says: str
) -> None:
    for beta, is_refused in ((0.3, True), (0.0, False)):
        config = tiny(method={"name": "hnet", "beta_output": beta, **options}, training={"engine": "fast"})
        if is_refused:
            with pytest.raises(UnsupportedTrial, match=says):
                networks(config, stream_shape(config))
        else:
            networks(config, stream_shape(config))
    assert isinstance(trained_once(**options)[0]._engine, PlainStep)


def test_a_step_that_does_not_exist_cannot_be_differentiated() -> None:
    config = tiny(method={"name": "hnet", "lookahead": "none", "lookahead_gradient": "differentiated"})
    with pytest.raises(UnsupportedTrial, match="no step to differentiate with lookahead none"):
        networks(config, stream_shape(config))


@pytest.mark.parametrize("engine", ["plain", "fast"])
def test_a_task_may_start_with_the_embedding_of_the_one_before_it(engine: str) -> None:
    config = tiny(method={"name": "hnet", "initial_embedding": "previous"}, training={"engine": engine})
    run = TrialRun(config, 0)
    run.train_task()
    first = run._method.state()["embeddings"]
    next(iter(run.steps()))
    then = run._method.state()["embeddings"]
    assert torch.equal(then[1], first[0]) and not torch.equal(first[1], first[0])
