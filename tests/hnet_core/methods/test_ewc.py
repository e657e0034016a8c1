from __future__ import annotations

import pytest
import torch

from hnet_core.build import networks
from hnet_core.data import data_root
from hnet_core.methods.ewc import Ewc
from hnet_core.problem import Problem
from hnet_core.registry import STREAMS
from hnet_core.streams import Stream
from hnet_core.training import run_trial
from tests.hnet_core.tiny import tiny


def made(**options: object) -> tuple[Ewc, Stream]:
    config = tiny(method={"name": "ewc", "fisher_examples": 12, **options})
    stream: Stream = STREAMS[config.stream.name].open(config.stream, data_root())
    parts = networks(config, stream.shape)
    problem = Problem(stream.shape, parts.target, None, config.training, 0, torch.device("cpu"), torch.float64)
    return Ewc(config.method, problem), stream


def finish(method: Ewc, stream: Stream, task: int) -> None:
    method.start_task(task)
    method.step(task, *stream.tasks[task].train.batch(slice(0, 8), torch.float64))
    method.end_task(task, stream.tasks[task].train)


def test_the_importance_is_the_mean_squared_gradient_of_single_examples() -> None:
    """An oracle: example by example over all of the task, with plain autograd."""
    method, stream = made(fisher_examples=None)
    train = stream.tasks[0].train
    total = torch.zeros_like(method.source.flat)
    for n in range(len(train)):
        x, y = train.batch(slice(n, n + 1), torch.float64)
        loss = method.problem.task_loss(0, method.source.flat, x, y)
        total += torch.autograd.grad(loss, [method.source.flat])[0].square()
    assert torch.allclose(method._fisher_of(0, train), total.detach() / len(train))


def test_importance_decays_once_per_task() -> None:
    method, stream = made(decay=0.5)
    finish(method, stream, 0)
    first = method._fisher.clone()
    method.start_task(1)
    for step in range(3):
        method.step(1, *stream.tasks[1].train.batch(slice(8 * step, 8 * step + 8), torch.float64))
    assert torch.equal(method._fisher, first)  # the official code of von Oswald et al. decays it in every step
    method.end_task(1, stream.tasks[1].train)
    assert torch.allclose(method._fisher, 0.5 * first + method._fisher_of(1, stream.tasks[1].train))


def test_the_gradient_is_that_of_the_loss_with_half_the_weighted_distance() -> None:
    method, stream = made(penalty=7.0)
    finish(method, stream, 0)
    method.start_task(1)
    x, y = stream.tasks[1].train.batch(slice(0, 8), torch.float64)
    method.step(1, x, y)
    flat = method.source.flat.detach().clone().requires_grad_()
    distance = 7.0 / 2 * (method._fisher * (flat - method._anchor).square()).sum()
    (expected,) = torch.autograd.grad(method.problem.task_loss(1, flat, x, y) + distance, [flat])
    method.step(1, x, y)
    assert method.source.flat.grad is not None
    assert torch.allclose(method.source.flat.grad, expected)


def test_a_strong_penalty_keeps_the_first_task_and_none_is_fine_tuning() -> None:
    training = {"iterations": 150, "lr": 0.005}

    def first_task(penalty: float) -> float:
        result = run_trial(
            tiny(method={"name": "ewc", "penalty": penalty, "fisher_examples": 50}, training=training), seed=0
        )
        return float(result.test[-1][0] or 0.0)

    plain = run_trial(tiny(method={"name": "finetune"}, training={**training, "engine": "plain"}), seed=0)
    assert first_task(0.0) == pytest.approx(plain.test[-1][0], abs=0.05)
    assert first_task(1e4) > 0.8
