from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from hnet_core.build import networks, stream_shape
from hnet_core.data import data_root
from hnet_core.errors import UnsupportedTrial
from hnet_core.methods.hat import Hat, compensation
from hnet_core.problem import Problem
from hnet_core.registry import STREAMS
from hnet_core.streams import Stream
from hnet_core.targets.target import cut
from hnet_core.training import run_trial
from tests.hnet_core.tiny import tiny

SGD = {"optimizer": "sgd", "lr": 0.05, "batch_size": 16}


def made(
    training: dict[str, Any] | None = None, hidden: tuple[int, ...] = (12, 9), **options: Any
) -> tuple[Hat, Stream]:
    config = tiny(method={"name": "hat", **options}, target={"hidden": [12, 9]}, training={**SGD, **(training or {})})
    stream: Stream = STREAMS[config.stream.name].open(config.stream, data_root())
    parts = networks(config, stream.shape)
    problem = Problem(stream.shape, parts.target, None, config.training, 0, torch.device("cpu"), torch.float64)
    return Hat(config.method, problem), stream


def learn(method: Hat, stream: Stream, task: int, n_steps: int) -> None:
    method.start_task(task)
    train = method.prepare(task, stream.tasks[task].train)
    for step in range(n_steps):
        method.step(task, *train.batch(slice(16 * step, 16 * step + 16), torch.float64))
    method.end_task(task, train)


def gated_forward(tensors: list[Tensor], inputs: Tensor, gates: list[Tensor]) -> Tensor:
    """The network with gates on the outputs of its hidden units, as the paper has it."""
    hidden = inputs
    for weight, bias, gate in zip(tensors[:-2:2], tensors[1:-2:2], gates, strict=True):
        hidden = torch.relu(F.linear(hidden, weight, bias)) * gate
    return F.linear(hidden, tensors[-2], tensors[-1])


def test_gates_on_units_are_gates_on_the_weights_that_read_them() -> None:
    method, stream = made()
    inputs, _ = stream.tasks[0].train.batch(slice(0, 20), torch.float64)
    gates = method.source.gates(2, 3.0)
    ours = method.problem.forward(2, method.source.gated(gates), inputs)
    tensors = cut(method.source.own.flat, method.problem.target.shapes)
    assert torch.allclose(ours, gated_forward(tensors, inputs, list(gates.split([12, 9]))), rtol=1e-9, atol=1e-12)


def test_three_tasks_are_those_of_the_obvious_algorithm() -> None:
    """An oracle by layers: gates on activations, masks of gradients and their compensation tensor by tensor."""
    s_max, c, clip = 40.0, 0.7, 0.5
    method, stream = made(max_scale=s_max, coefficient=c, max_gradient_norm=clip)
    target = method.problem.target
    tensors = [part.clone().requires_grad_() for part in cut(method.source.own.flat.detach(), target.shapes)]
    embeddings = [[e.clone() for e in one.detach().split([12, 9])] for one in method.source.embeddings]
    used = [torch.zeros(12, dtype=torch.float64), torch.zeros(9, dtype=torch.float64)]
    for task in range(3):
        n, own = len(stream.tasks[task].train), [e.requires_grad_() for e in embeddings[task]]
        for step in range(4):
            x, y = stream.tasks[task].train.batch(slice(16 * step, 16 * step + 16), torch.float64)
            s = (s_max - 1 / s_max) * (16 * step) / n + 1 / s_max
            gates = [torch.sigmoid(s * e) for e in own]
            outputs = gated_forward(tensors, x, gates)[:, 2 * task : 2 * task + 2]
            free = torch.stack([(1 - u).sum() for u in used]).sum()
            taken = torch.stack([(g * (1 - u)).sum() for g, u in zip(gates, used, strict=True)]).sum() / free
            gradients = list(torch.autograd.grad(F.cross_entropy(outputs, y) + c * taken, [*tensors, *own]))
            if task > 0:
                gradients[0] *= 1 - used[0][:, None]
                gradients[1] *= 1 - used[0]
                gradients[2] *= 1 - torch.min(used[1][:, None], used[0][None, :])
                gradients[3] *= 1 - used[1]
            for i, e in enumerate(own):
                gradients[6 + i] *= s_max / s * (torch.cosh(s * e.detach()) + 1) / (torch.cosh(e.detach()) + 1)
            norm = torch.stack([g.square().sum() for g in gradients]).sum().sqrt()
            scale = min(1.0, clip / (float(norm) + 1e-6))
            with torch.no_grad():
                for part, gradient in zip([*tensors, *own], gradients, strict=True):
                    part -= 0.05 * scale * gradient
                for e in own:
                    e.clamp_(-6, 6)
        used = [torch.max(u, torch.sigmoid(s_max * e.detach())) for u, e in zip(used, own, strict=True)]
        learn(method, stream, task, n_steps=4)
    assert torch.allclose(
        method.source.own.flat, torch.cat([part.flatten() for part in tensors]), rtol=1e-9, atol=1e-12
    )
    for ours, theirs in zip(method.source.embeddings, embeddings, strict=True):
        assert torch.allclose(ours, torch.cat(theirs), rtol=1e-9, atol=1e-12)


def test_compensated_gradients_of_embeddings_are_those_of_gates_that_are_not_steep() -> None:
    """Eq. 5: the derivative of sigmoid(s e) times the factor is s_max times the derivative of sigmoid(e)."""
    embedding = torch.linspace(-2, 2, 9, dtype=torch.float64, requires_grad=True)
    steep = torch.sigmoid(7.0 * embedding)
    flat = torch.sigmoid(embedding)
    (of_steep,) = torch.autograd.grad(steep.sum(), [embedding])
    (of_flat,) = torch.autograd.grad(flat.sum(), [embedding])
    factor = compensation(embedding.detach(), 7.0, max_scale=400.0)
    assert torch.allclose(of_steep * factor, 400.0 * of_flat, rtol=1e-9)


def test_the_outputs_of_earlier_tasks_stay_where_gates_are_closed_or_open() -> None:
    method, stream = made()
    with torch.no_grad():
        for embedding in method.source.embeddings:
            embedding.copy_(embedding.sign() * 6)  # gates of 0 and 1
    learn(method, stream, 0, n_steps=5)
    inputs, _ = stream.tasks[0].test.batch(slice(0, 50), torch.float64)
    before = method.predictor(0)(inputs).detach().clone()
    weights = method.source.own.flat.detach().clone()
    learn(method, stream, 1, n_steps=5)
    assert torch.equal(method.predictor(0)(inputs), before)
    assert not torch.equal(method.source.own.flat, weights)


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        ({"iterations": 9}, [0.0, 0.4, 0.8, 0.2, 0.6, 0.0]),
        ({"iterations": 9, "drop_last": True}, [0.0, 0.4, 0.0, 0.4, 0.0, 0.4]),
        ({"iterations": None, "epochs": 3}, [0.0, 0.4, 0.8, 0.0, 0.4, 0.8]),
    ],
    ids=str,
)
def test_gates_become_steep_within_every_epoch(training: dict[str, Any], expected: list[float]) -> None:
    method, _ = made(training, max_scale=100.0)
    found = []
    for step in range(6):
        method._iteration, method._n_examples = step, 40  # 16 at a time
        found.append((method._scale() - 0.01) / (100 - 0.01))
    assert found == pytest.approx(expected)


def test_a_task_without_free_units_can_still_be_trained() -> None:
    method, stream = made()
    with torch.no_grad():
        method.source.embeddings[0].fill_(6.0)
    learn(method, stream, 0, n_steps=2)
    learn(method, stream, 1, n_steps=2)
    assert bool(method.source.own.flat.isfinite().all()) and bool(method.source.embeddings[1].isfinite().all())


@pytest.mark.slow
def test_earlier_tasks_are_kept_and_later_ones_are_learnt() -> None:
    block = {
        "method": {"name": "hat"},
        "target": {"hidden": [60, 60], "dropout_input": 0.1, "dropout_hidden": 0.2},
        "training": {**SGD, "lr": 0.1, "iterations": None, "epochs": 12},
    }
    result = run_trial(tiny(**block), seed=0)
    after, at_the_end = [float(result.test[i][i] or 0) for i in range(5)], [float(x or 0) for x in result.test[-1]]
    assert min(after) > 0.8
    assert max(a - b for a, b in zip(after, at_the_end, strict=True)) < 0.02


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"target": {"hidden": []}}, "gates the hidden units of target mlp, got target mlp with 0 blocks"),
        ({"stream": {"name": "polynomials"}}, "every task must have a head of its own"),
        ({"training": {"engine": "fast"}}, "plain engine only, got training.engine fast"),
        ({"training": {"weight_decay": 0.1}}, r"training.weight_decay must be 0, got 0\.1"),
        ({"training": {"reset_optimizer": False}}, "moments of earlier tasks move them"),
    ],
    ids=str,
)
def test_what_would_move_used_weights_is_refused_with_the_reason(changes: dict[str, Any], says: str) -> None:
    config = tiny(method={"name": "hat"}, **changes)
    with pytest.raises(UnsupportedTrial, match=says):
        networks(config, stream_shape(config))
