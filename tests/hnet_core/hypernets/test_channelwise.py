"""The channel-wise hypernetwork: weight counts of the paper, an oracle, the drift without forming weights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from hnet_core.hypernets.channelwise import ChannelwiseHypernet
from hnet_core.regularizers.snapshots import ChannelSnapshot, WeightSnapshot
from hnet_core.seeding import generator
from hnet_core.targets.slim_resnet18 import SlimResnet18


def slim(n_outputs: int, n_filters: int = 20) -> SlimResnet18:
    return SlimResnet18(SlimResnet18.Options(name="slim_resnet18", n_filters=n_filters), (32, 32, 3), n_outputs)


def hypernet(depth: int, n_outputs: int, d: int = 32, n_filters: int = 20) -> ChannelwiseHypernet:
    generated = slim(n_outputs, n_filters).part(depth)
    options = ChannelwiseHypernet.Options(name="channelwise", channel_embedding=d)
    return ChannelwiseHypernet(options, generated.shapes, generated.kinds)


def all_weights(network: ChannelwiseHypernet, n_tasks: int) -> int:
    return network.n_weights + n_tasks * network.embedding_size


@pytest.mark.parametrize(
    ("n_outputs", "published"),
    [
        (100, [1_272_877, 1_217_122, 1_119_522, 924_322, 533_922]),  # Table 6, made with a head of 100 classes
        (5, [769_377, 713_622, 616_022, 420_822, 30_422]),  # the head its tasks have
        (10, [795_877, 740_122, 642_522, 447_322, 56_922]),  # the head in its scripts
    ],
)
def test_weight_counts_at_every_freeze_depth_are_those_of_the_paper(n_outputs: int, published: list[int]) -> None:
    assert [all_weights(hypernet(depth, n_outputs), 20) for depth in range(5)] == published


def test_weight_counts_at_every_channel_embedding_are_those_of_the_paper() -> None:
    found = [all_weights(hypernet(0, 10, d), 10) for d in (4, 8, 16, 32, 64)]
    assert found == [451_661, 496_489, 586_145, 765_457, 1_124_081]  # Table 3


def made(depth: int = 2) -> tuple[ChannelwiseHypernet, list[Tensor], Tensor]:
    network, draws = hypernet(depth, 5, d=3, n_filters=2), generator(0)
    theta = network.initialize(draws, torch.float64)
    embeddings = torch.stack([network.initial_embedding(draws, torch.float64) for _ in range(3)])
    return network, theta, embeddings


def test_it_has_as_many_weights_as_it_counts() -> None:
    network, theta, embeddings = made()
    assert [tuple(part.shape) for part in theta] == list(network.shapes)
    assert sum(part.numel() for part in theta) == network.n_weights
    assert embeddings.shape[1] == network.embedding_size
    assert network.generate(theta, embeddings).shape == (3, network.n_outputs)


def test_every_output_channel_is_one_product_with_its_own_vector() -> None:
    """An oracle: channel by channel, tensor by tensor, as the official code loops."""
    network, theta, embeddings = made()
    target = slim(5, n_filters=2).part(2)
    for task, weights in enumerate(network.generate(theta, embeddings)):
        parts, own, written = list(theta), embeddings[task, 32:], []
        x = embeddings[task, :32]
        for _ in range(2):
            x = (parts.pop(0) @ x + parts.pop(0)).relu()
        for kind, shape in zip(target.kinds, target.shapes, strict=True):
            if kind != "weight":
                written.append(own[: shape[0]])
                own = own[shape[0] :]
            elif len(shape) == 4:
                channels, matrix, bias = parts.pop(0), parts.pop(0), parts.pop(0)
                written += [matrix @ torch.cat([x, channels[o]]) + bias for o in range(shape[0])]
            else:
                written.append(parts.pop(0) @ x + parts.pop(0))
        assert torch.allclose(weights, torch.cat([part.flatten() for part in written]))


def test_scales_start_at_one_and_shifts_and_biases_at_zero() -> None:
    network, _, embeddings = made()
    own = embeddings[0, 32:]
    assert set(own.tolist()) == {0.0, 1.0}
    assert own[-5:].tolist() == [0.0] * 5  # biases of the five outputs
    assert network.n_read == 32


@pytest.mark.parametrize("tasks", [[0, 1, 2], [2], [2, 0]])
def test_the_drift_in_two_summands_is_that_of_the_weights_with_its_gradient(tasks: list[int]) -> None:
    network, theta, embeddings = made()
    draws, index = generator(1), torch.tensor(tasks)

    def noise(part: Tensor) -> Tensor:
        return 1e-2 * torch.randn(part.shape, generator=draws, dtype=torch.float64)

    leaves = [(part + noise(part)).requires_grad_() for part in theta]
    moved = (embeddings + noise(embeddings))[index].requires_grad_()
    found = []
    for kind in (ChannelSnapshot, WeightSnapshot):
        value = kind(network, theta, embeddings).drift(leaves, moved, index)
        found.append((value, torch.autograd.grad(value, [*leaves, moved])))
    assert torch.allclose(found[0][0], found[1][0])
    for ours, plain in zip(found[0][1], found[1][1], strict=True):
        assert torch.allclose(ours, plain, rtol=1e-9)


def test_kinds_must_be_given() -> None:
    with pytest.raises(ValueError, match="kinds must name the kind of 2 tensors, got 0"):
        ChannelwiseHypernet(ChannelwiseHypernet.Options(name="channelwise"), ((3, 2), (3,)))
