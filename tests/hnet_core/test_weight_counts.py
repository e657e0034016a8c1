"""Golden weight counts of the papers: the shapes of the networks are right or wrong, there is no tolerance."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from hnet_core.build import networks, stream_shape
from hnet_core.config_validation import parse_trial
from hnet_core.hypernets.chunked import ChunkedHypernet
from hnet_core.hypernets.full import FullHypernet
from hnet_core.registry import TARGETS
from hnet_core.seeding import generator
from hnet_core.targets.mlp import Mlp

PERMUTED = {"name": "permuted", "dataset": "mnist", "padding": 2}


def chunked(hidden: list[int], te: int, ce: int, size: int) -> dict[str, Any]:
    return {"name": "chunked", "hidden": hidden, "task_embedding": te, "chunk_embedding": ce, "chunk_size": size}


# name: stream, hidden layers of the target, hypernet, target weights, all weights (von Oswald et al. 2020)
GOLDEN = {
    "split MNIST CL1": (
        {"name": "split", "dataset": "mnist", "n_tasks": 5}, [400, 400], chunked([10, 10], 96, 96, 42_000),
        478_410, 465_672,
    ),
    "PermutedMNIST-10 CL1": (
        {**PERMUTED, "n_tasks": 10}, [1000, 1000], chunked([25, 25], 24, 8, 78_000), 2_126_100, 2_029_939,
    ),
    "PermutedMNIST-10 small": (
        {**PERMUTED, "n_tasks": 10}, [100, 100], chunked([100, 75, 50], 64, 12, 2000), 122_700, 122_459,
    ),
    "PermutedMNIST-50 small": (
        {**PERMUTED, "n_tasks": 50}, [100, 100], chunked([100, 100], 64, 12, 2000), 163_100, 223_984,
    ),
    "PermutedMNIST-100 CL1": (
        {**PERMUTED, "n_tasks": 100}, [1000, 1000], chunked([200, 250, 350], 128, 12, 7500), 3_027_000, 2_816_448,
    ),
    "PermutedMNIST-250": (
        {**PERMUTED, "n_tasks": 250}, [1000, 1000], chunked([200, 250, 350], 128, 12, 12_000), 4_528_500, 4_414_836,
    ),
    "1-D regression": (
        {"name": "polynomials"}, [10, 10], {"name": "full", "hidden": [10, 10], "task_embedding": 2}, 141, 1697,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_weight_counts_are_those_of_the_paper(name: str) -> None:
    stream, hidden, hypernet, target_weights, all_weights = GOLDEN[name]
    config = parse_trial(
        {
            "stream": stream,
            "method": {"name": "hnet"},
            "target": {"name": "mlp", "hidden": hidden},
            "hypernet": hypernet,
        }
    )
    counts = networks(config, stream_shape(config)).counts
    assert (counts.target, counts.model, counts.hypernet) == (target_weights, all_weights, all_weights)
    assert counts.compression_ratio == all_weights / target_weights


@pytest.mark.parametrize(
    ("target", "hypernet", "target_weights", "all_weights"),
    [
        ("resnet32", chunked([], 32, 32, 7000), 468_540, 457_336),
        ("zenkenet", chunked([100, 150, 200], 48, 80, 5500), 1_276_508, 1_182_678),
    ],
)
def test_weight_counts_of_split_cifar_are_those_of_the_paper(
    target: str, hypernet: dict[str, Any], target_weights: int, all_weights: int
) -> None:
    kind = TARGETS[target]
    network = kind(kind.Options(name=target), (32, 32, 3), n_outputs=60)
    counted = ChunkedHypernet(ChunkedHypernet.Options.model_validate(hypernet), network.shapes)
    assert (network.n_weights, counted.n_weights + 6 * counted.embedding_size) == (target_weights, all_weights)


def test_permuted_mnist_with_a_shared_head_has_the_count_the_paper_prints() -> None:
    """2,029,931 belongs to ten outputs (CL2), although the paper prints it beside the CL1 target."""
    target = Mlp(Mlp.Options(name="mlp", hidden=(1000, 1000)), (32, 32), n_outputs=10)
    options = ChunkedHypernet.Options.model_validate(chunked([25, 25], 24, 8, 78_000))
    hypernet = ChunkedHypernet(options, target.shapes)
    assert target.n_weights == 2_036_010
    assert hypernet.n_weights + 10 * hypernet.embedding_size == 2_029_931


def test_the_chunked_hypernet_really_has_as_many_weights_as_it_counts() -> None:
    target = Mlp(Mlp.Options(name="mlp", hidden=(9,)), (5,), n_outputs=3)
    for hypernet in (
        ChunkedHypernet(ChunkedHypernet.Options.model_validate(chunked([7, 4], 3, 2, 20)), target.shapes),
        ChunkedHypernet(ChunkedHypernet.Options.model_validate(chunked([], 3, 2, 84)), target.shapes),
        FullHypernet(FullHypernet.Options(name="full", hidden=(6,), task_embedding=3), target.shapes),
    ):
        theta = hypernet.initialize(generator(0), torch.float32)
        assert [tuple(part.shape) for part in theta] == list(hypernet.shapes)
        assert sum(part.numel() for part in theta) == hypernet.n_weights
        weights = hypernet.generate(theta, torch.zeros(2, 3))
        assert weights.shape == (2, target.n_weights)


def test_baselines_count_what_they_store() -> None:
    base = {
        "stream": {"name": "split", "dataset": "mnist", "n_tasks": 5},
        "target": {"name": "mlp", "hidden": [400, 400]},
        "hypernet": chunked([10, 10], 96, 96, 42_000),
    }

    def ratio(method: dict[str, Any]) -> tuple[float, float]:
        config = parse_trial({**base, "method": method})
        counts = networks(config, stream_shape(config)).counts
        return counts.compression_ratio, counts.hypernet_ratio

    assert ratio({"name": "scratch"}) == (5.0, 0.0)
    assert ratio({"name": "finetune"}) == (1.0, 0.0)
    assert ratio({"name": "joint"}) == (1.0, 0.0)
    assert ratio({"name": "finetune", "network": "hypernet"}) == ratio({"name": "hnet"})
