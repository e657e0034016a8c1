from __future__ import annotations

import pytest
import torch

from hnet_core.build import networks
from hnet_core.data import data_root
from hnet_core.methods.si import Si
from hnet_core.problem import Problem
from hnet_core.registry import STREAMS
from hnet_core.streams import Stream
from hnet_core.training import run_trial
from tests.hnet_core.tiny import tiny


def made(training: dict[str, object] | None = None, **options: object) -> tuple[Si, Stream]:
    config = tiny(method={"name": "si", **options}, training=training or {})
    stream: Stream = STREAMS[config.stream.name].open(config.stream, data_root())
    parts = networks(config, stream.shape)
    problem = Problem(stream.shape, parts.target, None, config.training, 0, torch.device("cpu"), torch.float64)
    return Si(config.method, problem), stream


def finish(method: Si, stream: Stream, task: int, n_steps: int = 5) -> None:
    method.start_task(task)
    for step in range(n_steps):
        method.step(task, *stream.tasks[task].train.batch(slice(8 * step, 8 * step + 8), torch.float64))
    method.end_task(task, stream.tasks[task].train)


@pytest.mark.parametrize("engine", ["plain", "fast"])
def test_importance_and_weights_are_those_of_the_obvious_algorithm(engine: str) -> None:
    """An oracle: the total loss with the penalty by autograd, a torch Adam, and omega of eq. 3 and 5, three tasks."""
    coefficient, xi = 20.0, 0.01
    method, stream = made({"engine": engine}, coefficient=coefficient, damping=xi)
    flat = method.source.flat.detach().clone().requires_grad_()
    importance, anchor = torch.zeros_like(flat), flat.detach().clone()
    for task in range(3):
        adam, omega = torch.optim.Adam([flat], lr=0.01), torch.zeros_like(flat)
        for step in range(5):
            x, y = stream.tasks[task].train.batch(slice(8 * step, 8 * step + 8), torch.float64)
            loss = method.problem.task_loss(task, flat, x, y)
            loss = loss + coefficient * (importance * (flat - anchor).square()).sum()
            (flat.grad,) = torch.autograd.grad(loss, [flat])
            before = flat.detach().clone()
            adam.step()
            omega = omega - flat.grad * (flat.detach() - before)
        importance = importance + omega / ((flat.detach() - anchor).square() + xi)
        anchor = flat.detach().clone()
        finish(method, stream, task)
    assert torch.allclose(method.source.flat, flat, rtol=1e-9, atol=1e-12)
    assert torch.allclose(method._path.penalty.importance, importance.detach(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("clamp", [False, True])
def test_a_weight_along_whose_path_the_loss_rose_may_have_negative_importance(clamp: bool) -> None:
    method, stream = made(clamp=clamp)
    method.start_task(0)
    method._path.omega[0] = -0.3
    method.end_task(0, stream.tasks[0].train)
    assert float(method._path.penalty.importance[0]) == pytest.approx(0.0 if clamp else -3.0)
    assert not method._path.omega.any()


def test_importance_is_of_the_weights_that_a_task_ends_with() -> None:
    """With training.select the state of an earlier step is put back: omega up to there, not to the last step."""
    method, stream = made()
    method.start_task(0)
    for step in range(3):
        method.step(0, *stream.tasks[0].train.batch(slice(8 * step, 8 * step + 8), torch.float64))
    chosen, omega = method.state(), method._path.omega.clone()
    method.step(0, *stream.tasks[0].train.batch(slice(0, 8), torch.float64))
    assert not torch.equal(method._path.omega, omega)
    method.load_state(chosen)
    assert torch.equal(method._path.omega, omega)


def test_a_strong_penalty_keeps_the_first_task_and_none_is_fine_tuning() -> None:
    training = {"iterations": 150, "lr": 0.005}

    def first_task(coefficient: float) -> float:
        result = run_trial(tiny(method={"name": "si", "coefficient": coefficient}, training=training), seed=0)
        return float(result.test[-1][0] or 0.0)

    plain = run_trial(tiny(method={"name": "finetune"}, training=training), seed=0)
    assert first_task(0.0) == plain.test[-1][0]
    assert first_task(100.0) > first_task(0.0) + 0.1
