"""Convolutional target networks: golden weight counts, blocks, normalisation per task, dropout."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from hnet_core.errors import ConfigInvalid
from hnet_core.registry import TARGETS
from hnet_core.seeding import generator
from hnet_core.targets import Target
from hnet_core.targets.normalization import RunningStatistics
from hnet_core.training import TrialRun
from tests.hnet_core.checkpoints import packed, unpacked
from tests.hnet_core.tiny import tiny

CIFAR = (32, 32, 3)
SMALL: dict[str, dict[str, Any]] = {
    "mlp": {"hidden": [6, 5]},
    "resnet20": {},
    "slim_resnet18": {"n_filters": 3},
    "zenkenet": {"dropout_conv": 0.0, "dropout_hidden": 0.0},
    "zenkenet64": {"dropout_conv": 0.0},
}


def build(name: str, input_shape: tuple[int, ...] = CIFAR, n_outputs: int = 10, **options: Any) -> Target:
    kind = TARGETS[name]
    target: Target = kind(kind.Options(name=name, **options), input_shape, n_outputs)
    return target


def statistics(target: Target, n_tasks: int = 2) -> RunningStatistics:
    return RunningStatistics(target, n_tasks, 0, torch.device("cpu"), torch.float64)


def weights_and_images(target: Target, side: int = 16) -> tuple[Tensor, Tensor]:
    draws = generator(1)
    return target.initialize(draws, torch.float64), torch.rand(5, side * side * 3, generator=draws, dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "n_outputs", "n_weights"),
    [
        ("resnet32", 60, 468_540),
        ("zenkenet", 60, 1_276_508),
        ("zenkenet64", 5, 175_301),
        ("slim_resnet18", 100, 1_109_240),
        ("slim_resnet18", 10, 1_094_750),
        ("slim_resnet18", 5, 1_093_945),
    ],
)
def test_weight_counts_are_those_of_the_papers(name: str, n_outputs: int, n_weights: int) -> None:
    target = build(name, (64, 64, 3) if name == "zenkenet64" else CIFAR, n_outputs=n_outputs)
    assert target.n_weights == n_weights
    assert target.initialize(generator(0), torch.float32).shape == (n_weights,)


def test_the_wide_resnet20_has_the_weights_hypermask_counts() -> None:
    target = build("resnet20", width=2)
    normalising = sum(
        shape[0] for kind, shape in zip(target.kinds, target.shapes, strict=True) if kind in ("scale", "shift")
    )
    assert (target.n_weights, target.n_weights - normalising) == (1_070_250, 1_067_530)


@pytest.mark.parametrize("name", SMALL)
def test_parts_put_together_are_the_whole(name: str) -> None:
    target = build(name, (16, 16, 3), **SMALL[name])
    weights, images = weights_and_images(target)
    mode = statistics(target).forward_mode(0, training=False)
    if mode.statistics is not None:
        mode = statistics(build(name, (16, 16, 3), **SMALL[name], normalization="batch")).forward_mode(
            0, training=False
        )
    whole = target.forward(images, weights, mode)
    assert whole.shape == (5, 10)
    for depth in range(target.n_blocks + 1):
        first, rest = target.part(0, depth), target.part(depth)
        assert first.shapes + rest.shapes == target.shapes
        assert first.kinds + rest.kinds == target.kinds
        assert (first.n_blocks, rest.n_blocks) == (depth, target.n_blocks - depth)
        features = first.forward(images, weights[: first.n_weights], mode)
        if depth:
            assert features.shape[1:] == first.output_shape
        assert torch.allclose(rest.forward(features, weights[first.n_weights :], mode), whole)
        assert first.multiply_adds(3) + rest.multiply_adds(3) == target.multiply_adds(3)


@pytest.mark.parametrize("name", SMALL)
def test_a_network_has_no_blocks_beyond_its_last_hidden_one(name: str) -> None:
    target = build(name, (16, 16, 3), **SMALL[name])
    with pytest.raises(ValueError, match=rf"blocks must be within 0 to {target.n_blocks}, got 0 to 9"):
        target.part(0, 9)


@pytest.mark.parametrize("name", SMALL)
def test_the_last_layer_weights_of_an_output_move_that_output_only(name: str) -> None:
    target = build(name, (16, 16, 3), **SMALL[name])
    weights, images = weights_and_images(target)
    mode = statistics(target).forward_mode(0, training=False)
    before = target.forward(images, weights, mode)
    weights[target.weights_of_outputs(slice(2, 4))] += 0.5
    moved = (target.forward(images, weights, mode) - before).abs().amax(dim=0) > 0
    assert moved.tolist() == [False, False, True, True, *[False] * 6]


def test_the_slim_network_is_the_one_written_out() -> None:
    """An oracle: the first stage of the slim ResNet-18 in plain PyTorch."""
    target = build("slim_resnet18", (16, 16, 3), n_filters=3).part(0, 1)
    weights, images = weights_and_images(target)
    parts = [
        part.view(shape) for part, shape in zip(weights.split([81, 3, 3, *[81, 3, 3] * 4]), target.shapes, strict=True)
    ]

    def conv(x: Tensor, index: int) -> Tensor:
        y = torch.nn.functional.conv2d(x, parts[3 * index], padding=1)
        mean, variance = y.mean(dim=(0, 2, 3), keepdim=True), y.var(dim=(0, 2, 3), keepdim=True, unbiased=False)
        return (y - mean) / (variance + 1e-5).sqrt() * parts[3 * index + 1].view(-1, 1, 1) + parts[3 * index + 2].view(
            -1, 1, 1
        )

    x = conv(images.view(5, 16, 16, 3).permute(0, 3, 1, 2), 0).relu()
    for first in (1, 3):
        x = (conv(conv(x, first).relu(), first + 1) + x).relu()
    assert torch.allclose(target.forward(images, weights), x)


def test_instance_normalisation_treats_every_image_by_itself_and_batch_does_not() -> None:
    for normalization, alone_is_the_same in (("instance", True), ("batch", False)):
        target = build("resnet20", (16, 16, 3), normalization=normalization)
        weights, images = weights_and_images(target)
        mode = statistics(target).forward_mode(0, training=True)
        alone = target.forward(images[:1], weights, mode)
        assert torch.allclose(target.forward(images, weights, mode)[:1], alone) == alone_is_the_same


def test_statistics_are_gathered_in_training_and_kept_apart_for_every_task() -> None:
    target = build("resnet20", (16, 16, 3), normalization="task")
    weights, images = weights_and_images(target)
    kept = statistics(target)
    evaluated = [target.forward(images, weights, kept.forward_mode(task, training=False)) for task in (0, 1)]
    assert torch.equal(*evaluated)
    for _ in range(3):
        target.forward(images, weights, kept.forward_mode(0, training=True))
    again = [target.forward(images, weights, kept.forward_mode(task, training=False)) for task in (0, 1)]
    assert not torch.allclose(again[0], evaluated[0])
    assert torch.equal(again[1], evaluated[1])
    running = statistics(build("resnet20", (16, 16, 3), normalization="running"))
    assert running.state().shape[0] == 1


def test_after_many_passes_the_statistics_are_those_of_the_batch() -> None:
    target = build("zenkenet", (16, 16, 3)).part(0, 1)
    assert statistics(target).state().numel() == 0  # no normalisation, nothing to remember
    target = build("resnet20", (8, 8, 3), normalization="task").part(0, 1)
    weights, images = weights_and_images(target, side=8)
    kept = statistics(target)
    for _ in range(150):
        target.forward(images, weights, kept.forward_mode(0, training=True))
    first = torch.nn.functional.conv2d(
        images.view(5, 8, 8, 3).permute(0, 3, 1, 2), weights[:432].view(16, 3, 3, 3), weights[432:448], padding=1
    )
    assert torch.allclose(kept.state()[0, :16], first.mean(dim=(0, 2, 3)), rtol=1e-3)
    assert torch.allclose(kept.state()[0, 16:32], first.var(dim=(0, 2, 3)), rtol=1e-3)


def test_dropout_is_on_in_training_only_and_draws_the_same_for_the_same_seed() -> None:
    target = build("zenkenet", (16, 16, 3))
    weights, images = weights_and_images(target)
    evaluated = target.forward(images, weights, statistics(target).forward_mode(0, training=False))
    trained = [target.forward(images, weights, statistics(target).forward_mode(0, training=True)) for _ in range(2)]
    assert torch.equal(*trained)
    assert not torch.allclose(trained[0], evaluated)
    assert not torch.allclose(
        trained[0], target.forward(images, weights, statistics(target).forward_mode(1, training=True))
    )


def test_dropout_may_act_in_the_first_passes_of_each_task_only() -> None:
    target = build("zenkenet", (16, 16, 3), dropout_steps=2)
    weights, images = weights_and_images(target)
    kept = statistics(target)
    passes = {
        task: [target.forward(images, weights, kept.forward_mode(task, training=True)) for _ in range(4)]
        for task in range(2)
    }
    evaluated = target.forward(images, weights, kept.forward_mode(0, training=False))
    for of_task in passes.values():
        assert [torch.allclose(output, evaluated) for output in of_task] == [False, False, True, True]
    part = target.part(1)
    assert part.dropout_steps == 2  # type: ignore[attr-defined]


def test_images_that_are_too_small_or_no_images_are_refused() -> None:
    with pytest.raises(ConfigInvalid, match=r"slim_resnet18 cannot take images of 8 x 8 pixels"):
        build("slim_resnet18", (8, 8))
    with pytest.raises(ConfigInvalid, match="takes images"):
        build("resnet20", (7,))


@pytest.mark.parametrize("normalization", ["task", "running", "batch", "instance"])
def test_hnet_trains_a_residual_network_and_resumes_bit_identically(normalization: str) -> None:
    config = tiny(
        stream={"n_tasks": 2},
        target={"name": "resnet20", "normalization": normalization},
        hypernet={"chunk_size": 2000},
        training={"iterations": 2, "batch_size": 4},
    )
    run = TrialRun(config, seed=0)
    saved = unpacked(packed(run.train_task()))
    last = run.train_task()
    resumed = TrialRun(config, seed=0, resume=saved).train_task()
    assert resumed.test == last.test
    assert torch.equal(resumed.checkpoint["statistics"], last.checkpoint["statistics"])
    for ours, theirs in zip(last.checkpoint["method"]["theta"], resumed.checkpoint["method"]["theta"], strict=True):
        assert torch.equal(ours, theirs)
