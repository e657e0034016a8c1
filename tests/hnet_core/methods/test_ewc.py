from __future__ import annotations

import pytest
import torch
from torch import Tensor

from hnet_core.build import networks
from hnet_core.data import data_root
from hnet_core.errors import UnsupportedTrial
from hnet_core.methods.ewc import Ewc
from hnet_core.problem import Problem
from hnet_core.registry import STREAMS
from hnet_core.regularizers.fisher import fisher_diagonal
from hnet_core.streams import Stream, StreamShape
from hnet_core.training import run_trial
from tests.hnet_core.tiny import tiny

PLAIN_SGD = {"engine": "plain", "optimizer": "sgd", "lr": 0.5}


def made(training: dict[str, object] | None = None, **options: object) -> tuple[Ewc, Stream]:
    config = tiny(method={"name": "ewc", "fisher_examples": 12, **options}, training=training or {})
    stream: Stream = STREAMS[config.stream.name].open(config.stream, data_root())
    parts = networks(config, stream.shape)
    problem = Problem(stream.shape, parts.target, None, config.training, 0, torch.device("cpu"), torch.float64)
    return Ewc(config.method, problem), stream


def finish(method: Ewc, stream: Stream, task: int, n_steps: int = 1) -> None:
    method.start_task(task)
    for step in range(n_steps):
        method.step(task, *stream.tasks[task].train.batch(slice(8 * step, 8 * step + 8), torch.float64))
    method.end_task(task, stream.tasks[task].train)


def gradient_of(method: Ewc, task: int, x: Tensor, y: Tensor) -> Tensor:
    """The total gradient of one example, by autograd."""
    loss = method.problem.task_loss(task, method.source.flat, x, y)
    return torch.autograd.grad(loss, [method.source.flat])[0]


@pytest.mark.parametrize("labels", ["true", "predicted", "sampled"])
def test_the_importance_is_the_mean_squared_gradient_of_single_examples(labels: str) -> None:
    """An oracle: example by example over all of the task; for sampled labels the mean over every label by p."""
    method, stream = made()
    train, total = stream.tasks[1].train, torch.zeros_like(method.source.flat)
    n_seeds = 30 if labels == "sampled" else 1
    for n in range(len(train)):
        x, y = train.batch(slice(n, n + 1), torch.float64)
        p = method.problem.outputs(1, method.source.flat.detach(), x).softmax(dim=1)[0]
        if labels == "predicted":
            y = p.argmax().unsqueeze(0)
        weighted = enumerate(p.tolist()) if labels == "sampled" else [(int(y), 1.0)]
        for label, weight in weighted:
            total += weight * gradient_of(method, 1, x, torch.tensor([label])).square()
    estimates = []
    for seed in range(n_seeds):
        problem = Problem(**{**vars_of(method.problem), "seed": seed})
        estimates.append(fisher_diagonal(problem, 1, method.source.flat, train, labels=labels))  # type: ignore[arg-type]
    estimate, expected = torch.stack(estimates).mean(dim=0), total.detach() / len(train)
    if labels == "sampled":
        assert float((estimate - expected).norm() / expected.norm()) < 0.1
        assert not torch.equal(estimates[0], estimates[1])
    else:
        assert torch.allclose(estimate, expected, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("labels", ["true", "predicted"])
def test_in_scenario_class_p_runs_over_the_classes_seen(labels: str) -> None:
    """An oracle over the outputs of three tasks: labels are offset, and the prediction may be of an earlier task."""
    method, stream = made()
    seen = Problem(**{**vars_of(method.problem), "seed": 0, "trained_classes": "seen"})  # type: ignore[arg-type]
    train, flat, total = stream.tasks[2].train, method.source.flat, torch.zeros_like(method.source.flat)
    predicted = set()
    for n in range(len(train)):
        x, y = train.batch(slice(n, n + 1), torch.float64)
        log_p = method.problem.forward(2, flat, x)[:, :6].log_softmax(dim=1)[0]
        label = 4 + int(y) if labels == "true" else int(log_p.argmax())
        predicted.add(label)
        total += torch.autograd.grad(log_p[label], [flat])[0].square()
    assert predicted == {4, 5} if labels == "true" else min(predicted) < 4
    ours = fisher_diagonal(seen, 2, flat, train, labels=labels)  # type: ignore[arg-type]
    assert torch.allclose(ours, total.detach() / len(train), rtol=1e-9, atol=1e-15)


def vars_of(problem: Problem) -> dict[str, object]:
    names = ("shape", "target", "hypernet", "training", "device", "dtype")
    return {name: getattr(problem, name) for name in names}


def test_single_examples_of_an_mlp_and_of_any_network_have_equal_importance() -> None:
    """The form without gradients of single examples against the one with them, on the same network and draws."""
    method, stream = made()
    problem, train = method.problem, stream.tasks[0].train

    class AnotherMlp(type(problem.target)):  # type: ignore[misc]
        pass

    config = tiny(method={"name": "ewc"})
    other = AnotherMlp(config.target, stream.shape.input_shape, stream.shape.n_outputs)
    generic = Problem(**{**vars_of(problem), "target": other, "seed": 0})  # type: ignore[arg-type]
    options = {"labels": "sampled", "n_examples": 20}
    ours = fisher_diagonal(problem, 0, method.source.flat, train, **options)  # type: ignore[arg-type]
    theirs = fisher_diagonal(generic, 0, method.source.flat, train, **options)  # type: ignore[arg-type]
    assert torch.allclose(ours, theirs, rtol=1e-9, atol=1e-15)


def test_gradients_of_batches_are_averaged_before_they_are_squared() -> None:
    """As Avalanche does; an oracle over the batches of a random order, in which 20 of 23 examples make two batches."""
    method, stream = made()
    train = stream.tasks[0].train
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))
    every = fisher_diagonal(method.problem, 0, method.source.flat, train, batch_size=len(train))
    x, y = train.batch(order, torch.float64)
    assert torch.allclose(every, gradient_of(method, 0, x, y).square(), rtol=1e-9, atol=1e-15)
    two = fisher_diagonal(method.problem, 0, method.source.flat, train, batch_size=len(train) - 3)
    assert not torch.allclose(two, every)


def test_importance_decays_once_per_task() -> None:
    method, stream = made(decay=0.5)
    finish(method, stream, 0)
    first = method._penalty.importance.clone()
    method.start_task(1)
    for step in range(3):
        method.step(1, *stream.tasks[1].train.batch(slice(8 * step, 8 * step + 8), torch.float64))
    assert torch.equal(method._penalty.importance, first)  # hypercl's ewc_regularizer decays it in every step
    method.end_task(1, stream.tasks[1].train)
    assert torch.allclose(method._penalty.importance, 0.5 * first + method._fisher_of(1, stream.tasks[1].train))


@pytest.mark.parametrize("in_loss", [False, True])
def test_the_gradient_is_that_of_the_loss_with_half_the_weighted_distance(in_loss: bool) -> None:
    method, stream = made(PLAIN_SGD, penalty=7.0, decay=0.5, decay_in_loss=in_loss)
    finish(method, stream, 0)
    method.start_task(1)
    x, y = stream.tasks[1].train.batch(slice(0, 8), torch.float64)
    method.step(1, x, y)
    flat = method.source.flat.detach().clone().requires_grad_()
    gamma = 0.5 if in_loss else 1.0
    distance = 7.0 / 2 * (gamma * method._penalty.importance * (flat - method._penalty.anchor).square()).sum()
    (expected,) = torch.autograd.grad(method.problem.task_loss(1, flat, x, y) + distance, [flat])
    method.step(1, x, y)
    assert torch.allclose(method.source.flat, flat - 0.5 * expected, rtol=1e-9, atol=1e-12)


def test_a_penalty_for_every_task_pulls_to_the_weights_after_each_of_them() -> None:
    """An oracle that keeps F and W* of every task."""
    method, stream = made(PLAIN_SGD, penalty=3.0, anchors="every_task")
    kept: list[tuple[Tensor, Tensor]] = []
    for task in range(3):
        finish(method, stream, task, n_steps=3)
        kept.append((method._fisher_of(task, stream.tasks[task].train), method.source.flat.detach().clone()))
    x, y = stream.tasks[3].train.batch(slice(0, 8), torch.float64)
    flat = method.source.flat.detach().clone().requires_grad_()
    distance = torch.stack([3.0 / 2 * (fisher * (flat - anchor).square()).sum() for fisher, anchor in kept]).sum()
    (expected,) = torch.autograd.grad(method.problem.task_loss(3, flat, x, y) + distance, [flat])
    method.start_task(3)
    method.step(3, x, y)
    assert torch.allclose(method.source.flat, flat - 0.5 * expected, rtol=1e-9, atol=1e-12)
    assert float((kept[2][1] - method._penalty.anchor).norm()) > 1e-3  # not merely the last weights


def test_both_engines_make_the_same_steps() -> None:
    methods = [made({"engine": engine}, penalty=50.0) for engine in ("plain", "fast")]
    for task in range(2):
        for method, stream in methods:
            finish(method, stream, task, n_steps=4)
    (plain, _), (fast, _) = methods
    assert torch.allclose(plain.source.flat, fast.source.flat, rtol=1e-9, atol=1e-12)
    assert torch.allclose(plain._penalty.importance, fast._penalty.importance, rtol=1e-7, atol=1e-12)


def test_a_regression_has_no_labels_to_choose() -> None:
    config = tiny(method={"name": "ewc", "labels": "predicted"})
    with pytest.raises(UnsupportedTrial, match="labels predicted; set it to true"):
        networks(config, StreamShape(3, (1,), 1, shared_head=True, measure="mse"))


def test_a_strong_penalty_keeps_the_first_task_and_none_is_fine_tuning() -> None:
    training = {"iterations": 150, "lr": 0.005}

    def first_task(penalty: float) -> float:
        result = run_trial(
            tiny(method={"name": "ewc", "penalty": penalty, "fisher_examples": 50}, training=training), seed=0
        )
        return float(result.test[-1][0] or 0.0)

    plain = run_trial(tiny(method={"name": "finetune"}, training=training), seed=0)
    assert first_task(0.0) == plain.test[-1][0]
    assert first_task(1e4) > 0.8
