"""Partial hypernetworks: gradients against the definition, frozen blocks, activations computed once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from hnet_core.build import method_shape, networks, stream_shape
from hnet_core.errors import UnsupportedTrial
from hnet_core.methods.partial_hnet import PartialHnet
from hnet_core.problem import Problem
from hnet_core.registry import STREAMS
from hnet_core.streams import Stream
from hnet_core.training import TrialRun
from hnet_core.trial import TrialConfig
from tests.hnet_core.tiny import tiny

ITERATIONS = 3


def config(root: Path, **method: Any) -> TrialConfig:
    return tiny(
        stream={"name": "cross_dataset", "first": "cifar10", "classes_per_task": 2, "image_size": 16},
        method={"name": "partial_hnet", **method},
        target={"name": "slim_resnet18", "n_filters": 2, "normalization": "instance"},
        hypernet={"name": "channelwise", "hidden": [4], "channel_embedding": 3, "task_embedding": 5},
        training={"lr": 0.01, "batch_size": 6},
    )


def opened(of: TrialConfig, root: Path) -> tuple[PartialHnet, Stream]:
    stream: Stream = STREAMS[of.stream.name].open(of.stream, root)
    shape = method_shape(of, stream.shape)
    parts = networks(of, shape)
    problem = Problem(shape, parts.target, parts.hypernet, of.training, 0, torch.device("cpu"), torch.float64)
    return PartialHnet(of.method, problem), stream


def batch(stream: Stream, task: int, step: int) -> tuple[Tensor, Tensor]:
    return stream.tasks[task].train.batch(slice(6 * step, 6 * step + 6), torch.float64)


def trained_on_first(of: TrialConfig, root: Path) -> tuple[PartialHnet, Stream]:
    method, stream = opened(of, root)
    method.start_task(0)
    for step in range(ITERATIONS):
        method.step(0, *batch(stream, 0, step))
    return method, stream


@pytest.mark.parametrize("lookahead", ["none", "first_order", "second_order"])
def test_the_gradient_of_a_step_is_that_of_the_loss_as_the_paper_writes_it(lookahead: str, stand_ins: Path) -> None:
    """An oracle: psi -> L(psi) + beta |h(e_1, psi - lr grad L(psi)) - h*|^2, differentiated in one piece."""
    method, stream = trained_on_first(config(stand_ins, freeze_depth=2, lookahead=lookahead), stand_ins)
    method.start_task(1)
    source, problem = method.source, method.problem
    before = source.weights(0).detach()
    with torch.no_grad():  # away from theta*, where the regulariser without look-ahead has no gradient
        for part in source.theta:
            part += 1e-3
    features, labels = method.frozen.features(1, batch(stream, 1, 0)[0]), batch(stream, 1, 0)[1]
    loss = problem.task_loss(1, source.weights(1), features, labels)
    gradients = torch.autograd.grad(loss, source.theta, create_graph=True)
    step = {"none": 0.0}.get(lookahead, problem.training.lr)
    if lookahead != "second_order":
        gradients = tuple(gradient.detach() for gradient in gradients)
    ahead = [part - step * gradient for part, gradient in zip(source.theta, gradients, strict=True)]
    drift = problem.hypernet.generate(ahead, source.embeddings[0].unsqueeze(0)).squeeze(0) - before
    total = loss + method.options.beta_output * drift.square().sum()
    parts = [*source.theta, *source.embeddings]
    expected = torch.autograd.grad(total, parts)
    values = [part.detach().clone() for part in parts]
    method.step(1, *batch(stream, 1, 0))
    for part, value, gradient in zip(parts, values, expected, strict=True):
        assert part.grad is not None
        assert torch.allclose(part.grad, gradient, rtol=1e-7, atol=1e-12)
        assert not torch.equal(part, value)


def test_frozen_blocks_learn_with_the_first_task_and_never_again(stand_ins: Path) -> None:
    method, stream = opened(config(stand_ins, freeze_depth=3), stand_ins)
    states = [method.frozen.state()["weights"]["flat"]]
    for task in (0, 1):
        method.start_task(task)
        method.step(task, *batch(stream, task, 0))
        states.append(method.frozen.state()["weights"]["flat"])
    assert not torch.equal(states[0], states[1])
    assert torch.equal(states[1], states[2])


@pytest.mark.parametrize("normalization", ["instance", "task"])
def test_activations_computed_once_give_the_same_steps(normalization: str, stand_ins: Path) -> None:
    of = config(stand_ins, freeze_depth=2, frozen_normalization=normalization)
    found = []
    for reuse in (True, False):
        method, stream = trained_on_first(of, stand_ins)
        method.start_task(1)
        split = stream.tasks[1].train
        given = method.prepare(1, split)
        assert given is not split
        if not reuse:
            method._given_features, given = False, split
        for step in range(ITERATIONS):
            method.step(1, *given.batch(slice(6 * step, 6 * step + 6), torch.float64))
        found.append(method.source.weights(1))
    assert torch.allclose(*found, rtol=1e-7)


def test_activations_are_not_reused_where_they_differ_from_one_time_to_the_next(stand_ins: Path) -> None:
    method, stream = opened(config(stand_ins, freeze_depth=2, frozen_normalization="batch"), stand_ins)
    split = stream.tasks[1].train
    assert method.prepare(1, split) is split
    method, _ = opened(config(stand_ins, freeze_depth=2, frozen_normalization="instance"), stand_ins)
    assert method.prepare(1, split) is not split
    assert split.preprocessing is not None
    augmented = replace(split, preprocessing=replace(split.preprocessing, augmentation="crop_flip"))
    assert method.prepare(1, augmented) is augmented


def test_a_task_starts_with_the_embedding_before_it_but_with_its_own_scales(stand_ins: Path) -> None:
    method, _ = trained_on_first(config(stand_ins), stand_ins)
    untouched = method.source.embeddings[1].detach().clone()
    method.start_task(1)
    first, second = method.source.embeddings
    assert torch.equal(first[:5], second[:5])
    assert torch.equal(second[5:], untouched[5:])
    assert not torch.equal(first[5:], second[5:])


@pytest.mark.parametrize("reset_optimizer", [True, False])
def test_without_a_penalty_the_embedding_of_an_earlier_task_stays(reset_optimizer: bool, stand_ins: Path) -> None:
    of = config(stand_ins, beta_output=0, freeze_depth=2)
    training = of.training.model_copy(update={"reset_optimizer": reset_optimizer})
    method, stream = trained_on_first(of.model_copy(update={"training": training}), stand_ins)
    first = method.source.embeddings[0].detach().clone()
    method.start_task(1)
    for step in range(ITERATIONS):
        method.step(1, *batch(stream, 1, step))
    assert torch.equal(method.source.embeddings[0], first)


def test_weights_count_the_frozen_blocks_once(stand_ins: Path) -> None:
    of = config(stand_ins, freeze_depth=4)
    parts = networks(of, stream_shape(of, stand_ins))
    frozen = parts.target.part(0, 4).n_weights
    assert parts.counts.model == parts.counts.hypernet + frozen
    assert parts.target.output_shape == (2,)  # one head for all tasks


def test_a_depth_the_target_does_not_have_is_refused(stand_ins: Path) -> None:
    of = config(stand_ins, freeze_depth=5)
    with pytest.raises(
        UnsupportedTrial, match="can freeze at most the 4 blocks of this target network, got freeze_depth 5"
    ):
        networks(of, stream_shape(of, stand_ins))


def test_the_cosine_of_the_gradients_is_that_of_loss_and_regulariser_in_the_first_epoch(stand_ins: Path) -> None:
    """An oracle: both gradients of all weights of the hypernetwork, by autograd from their definitions."""
    method, stream = trained_on_first(config(stand_ins, freeze_depth=4), stand_ins)
    method.end_task(0, stream.tasks[0].train)
    method.start_task(1)
    source, problem = method.source, method.problem
    before = source.weights(0).detach()
    given = method.prepare(1, replace(stream.tasks[1].train, inputs=stream.tasks[1].train.inputs[:12],
                                      labels=stream.tasks[1].train.labels[:12]))  # fmt: skip
    loss = problem.task_loss(
        1, source.weights(1), method.frozen.features(1, batch(stream, 1, 0)[0]), batch(stream, 1, 0)[1]
    )
    of_loss = torch.autograd.grad(loss, source.theta)
    ahead = [
        (part.detach() - problem.training.lr * gradient).requires_grad_()
        for part, gradient in zip(source.theta, of_loss, strict=True)
    ]
    drift = (problem.hypernet.generate(ahead, source.embeddings[0].detach().unsqueeze(0)).squeeze(0) - before).square()
    of_drift = torch.autograd.grad(drift.sum(), ahead)
    a, b = (torch.cat([part.flatten() for part in parts]) for parts in (of_loss, of_drift))
    for step in range(4):
        method.step(1, *given.batch(slice(6 * (step % 2), 6 * (step % 2) + 6), torch.float64))
    method.end_task(1, given)
    assert [len(of_task) for of_task in method.gradient_cosines] == [0, 2]
    assert method.gradient_cosines[1][0] == pytest.approx(float(a @ b / (a.norm() * b.norm())), abs=1e-9)
    other, _ = opened(config(stand_ins, freeze_depth=4), stand_ins)
    other.load_state(method.state())
    assert other.gradient_cosines == method.gradient_cosines


@pytest.mark.parametrize("beta_output", [0.5, 0])
def test_a_run_has_the_mean_cosine_of_each_task_on_the_diagonal(beta_output: float) -> None:
    of = tiny(
        method={"name": "partial_hnet", "beta_output": beta_output},
        target={"name": "mlp", "hidden": [4]},
        hypernet={"name": "full", "hidden": [4]},
        training={"iterations": 4},
    )
    run = TrialRun(of, seed=0, dtype=torch.float64)
    checkpoints = []
    while not run.finished:
        checkpoints.append(run.train_task().checkpoint)
    found, resumed = run.result().gradient_cosine, TrialRun(of, seed=0, resume=checkpoints[0], dtype=torch.float64)
    while not resumed.finished:
        resumed.train_task()
    assert resumed.result().gradient_cosine == found
    if not beta_output:
        assert found is None, "there is one gradient only"
        return
    assert found is not None
    expected = [sum(steps) / len(steps) if steps else None for steps in run._method.gradient_cosines]  # type: ignore[attr-defined]
    for task, row in enumerate(found):
        assert [value for i, value in enumerate(row) if i != task] == [None] * (len(row) - 1)
        assert row[task] == (None if task == 0 else pytest.approx(expected[task], abs=1e-12))
