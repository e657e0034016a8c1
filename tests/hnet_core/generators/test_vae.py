"""The variational autoencoder against an obvious one, and both engines against each other, in float64."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from hnet_core.generators.vae import Vae, encoder_network
from hnet_core.problem import Problem
from hnet_core.seeding import generator
from tests.hnet_core.generators.problems import SMALL, pixels, small_problem

EXACT: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-11}


def vae(problem: Problem, **options: Any) -> Vae:
    return Vae(Vae.Options(name="vae", **{**SMALL, "encoder": (8,), **options}), problem)


def flat_state(network: Vae) -> list[Tensor]:
    decoder, encoder = network.state()["decoder"]["weights"], network.state()["encoder"]
    parts = [decoder["flat"]] if "flat" in decoder else [*decoder["theta"], *decoder["embeddings"]]
    return [*parts, encoder["flat"]]


@pytest.mark.parametrize("engine", ["plain", "fast"])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_step_follows_the_obvious_loss(engine: str, weighted: bool) -> None:
    problem = small_problem(engine)
    network = vae(problem, hypernet=None)
    encode = encoder_network(network.options, 9)
    decoder, encoder = (part.detach().clone().requires_grad_() for part in flat_state(network))
    adam, draws = torch.optim.Adam([decoder, encoder], lr=0.01), generator(0, "generator noise", 1)
    network.start_task(1)
    weights = torch.tensor([0.4, 0.1, 0.2, 0.2, 0.1], dtype=torch.float64) if weighted else torch.full((5,), 0.2)
    for step in range(3):
        x = pixels(5, step)
        network.step(x, weights.unsqueeze(1) if weighted else None)
        mean, log_variance = encode.forward(x, encoder).chunk(2, dim=1)
        noise = torch.randn(5, 3, generator=draws).double()
        condition = torch.eye(4, dtype=torch.float64)[1].expand(5, 4)
        z = mean + noise * log_variance.exp().sqrt()
        out = network.decoder.network.forward(torch.cat([z, condition], dim=1), decoder).sigmoid()
        of_input = F.binary_cross_entropy(out, x, reduction="none").mean(dim=1)
        divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(dim=1) / 9
        loss = (weights * (of_input + divergence)).sum()
        adam.zero_grad()
        loss.backward()
        adam.step()
    for ours, theirs in zip(flat_state(network), (decoder, encoder), strict=True):
        torch.testing.assert_close(ours, theirs.detach(), **EXACT)


@pytest.mark.parametrize("options", Vae.tested_options, ids=str)
def test_both_engines_give_the_same_weights_over_tasks(options: dict[str, Any]) -> None:
    found = []
    for engine in ("plain", "fast"):
        network = vae(small_problem(engine), **{**options, "condition_size": 4})
        if network.options.hypernet is not None:
            network = vae(small_problem(engine), **{**options, **SMALL, "condition": network.options.condition})
        for task in range(3):
            network.start_task(task)
            for step in range(4):
                network.step(pixels(5 + step // 3, 10 * task + step))
        found.append([*flat_state(network), network.sampler(1)(6, torch.Generator().manual_seed(1))])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-9)


def test_the_regulariser_keeps_samples_of_an_earlier_task() -> None:
    drift = []
    for beta in (0.0, 1.0):
        network = vae(small_problem("fast"), beta_output=beta)
        network.start_task(0)
        for step in range(30):
            network.step(pixels(5, step))
        before = network.decoder.weights(0)
        network.start_task(1)
        for step in range(30):
            network.step(1 - pixels(5, step))
        drift.append(float((network.decoder.weights(0) - before).square().mean()))
    assert drift[1] < drift[0] / 4


def test_a_sampler_keeps_the_weights_it_was_made_with() -> None:
    network = vae(small_problem("fast"), hypernet=None, condition="none")
    network.start_task(0)
    sample = network.sampler(0)
    before = sample(4, torch.Generator().manual_seed(2))
    network.step(pixels(5))
    assert torch.equal(sample(4, torch.Generator().manual_seed(2)), before)
    assert not torch.equal(network.sampler(0)(4, torch.Generator().manual_seed(2)), before)
    assert before.min() >= 0 and before.max() <= 1


@pytest.mark.parametrize(
    ("options", "n_inputs", "n_tasks", "weights", "hypernet", "encoder"),
    [
        ({}, 784, 5, 413_284, 553_288, 554_600),
        ({"decoder": (50, 150)}, 784, 5, 136_084, 552_712, 554_600),
        ({"decoder": (400, 400), "chunk": (24, 8, 85_000)}, 1024, 10, 651_424, 2_211_755, 2_226_200),
        ({"decoder": (1000, 1000), "chunk": (24, 8, 85_000)}, 1024, 10, 2_227_024, 2_211_907, 2_226_200),
        ({"decoder": (400, 600), "chunk": (128, 12, 20_000), "hidden": (100,)}, 1024, 100, 936_424, 2_047_336, 2_226_200),  # noqa: E501
    ],
)  # fmt: skip
def test_counts_are_those_of_the_official_code(
    options: dict[str, Any], n_inputs: int, n_tasks: int, weights: int, hypernet: int, encoder: int
) -> None:
    if "chunk" in options:
        te, ce, chunk = options["chunk"]
        block = {"name": "chunked", "hidden": options.get("hidden", (25, 25)), "task_embedding": te}
        given = {"hypernet": {**block, "chunk_embedding": ce, "chunk_size": chunk}, "encoder": (1000, 1000)}
        options = {"decoder": options["decoder"], **given}
    counts = Vae.counts(Vae.Options(name="vae", **options), n_inputs, n_tasks, 128)
    assert (counts.weights, counts.hypernet, counts.kept - counts.hypernet) == (weights, hypernet, encoder)
