"""The adversarial network against an obvious one, and both engines against each other, in float64."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from hnet_core.generators.gan import Gan
from hnet_core.problem import Problem
from hnet_core.seeding import generator
from tests.hnet_core.generators.problems import SMALL, pixels, small_problem


def gan(problem: Problem, **options: Any) -> Gan:
    return Gan(Gan.Options(name="gan", **{**SMALL, "discriminator": (8,), **options}), problem)


def networks_of(network: Gan) -> list[Tensor]:
    state = network.state()
    decoder = state["decoder"]["weights"]
    parts = [decoder["flat"]] if "flat" in decoder else [*decoder["theta"], *decoder["embeddings"]]
    return [*parts, state["discriminator"]["flat"]]


@pytest.mark.parametrize("engine", ["plain", "fast"])
def test_a_step_follows_the_losses_of_the_paper(engine: str) -> None:
    network = gan(small_problem(engine), hypernet=None, dropout=0.0)
    decoder, judge = (part.detach().clone().requires_grad_() for part in networks_of(network))
    generate, classify = network.decoder.network, network.discriminator._network
    of_decoder, of_judge = torch.optim.Adam([decoder], lr=0.01), torch.optim.Adam([judge], lr=0.01)
    draws = generator(0, "generator noise", 1)
    network.start_task(1)

    def sample() -> Tensor:
        noise, condition = torch.randn(5, 3, generator=draws).double(), torch.eye(4, dtype=torch.float64)[1]
        return generate.forward(torch.cat([noise, condition.expand(5, 4)], dim=1), decoder).tanh()

    for step in range(3):
        x = pixels(5, step)
        network.step(x)
        real, fake = classify.forward(2 * x - 1, judge), classify.forward(sample().detach(), judge)
        of_judge.zero_grad()
        (((real - 1) ** 2).mean() / 2 + ((fake + 1) ** 2).mean() / 2).backward()
        of_judge.step()
        of_decoder.zero_grad()
        ((classify.forward(sample(), judge.detach()) ** 2).mean() / 2).backward()
        of_decoder.step()
    for ours, theirs in zip(networks_of(network), (decoder, judge), strict=True):
        torch.testing.assert_close(ours, theirs.detach(), rtol=1e-9, atol=1e-11)


def test_both_engines_give_the_same_weights_over_tasks() -> None:
    found = []
    for engine in ("plain", "fast"):
        network = gan(small_problem(engine))
        for task in range(2):
            network.start_task(task)
            for step in range(4):
                network.step(pixels(5, 10 * task + step))
        found.append([*networks_of(network), network.sampler(0)(6, torch.Generator().manual_seed(1))])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-9)
    assert ours.min() >= 0 and ours.max() <= 1


@pytest.mark.slow
def test_samples_move_towards_the_data() -> None:
    network = gan(small_problem("fast", lr=0.003), dropout=0.0)
    network.start_task(0)
    wanted = torch.tensor([0.9] * 5 + [0.1] * 4, dtype=torch.float64)

    def distance() -> float:
        return float((network.sampler(0)(50, torch.Generator().manual_seed(1)).mean(dim=0) - wanted).abs().mean())

    before = distance()
    for _ in range(300):
        network.step(wanted.expand(5, 9))
    assert distance() < before / 2
