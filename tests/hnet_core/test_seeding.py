from __future__ import annotations

import torch

from hnet_core.seeding import generator


def test_the_same_seed_and_names_draw_the_same_numbers() -> None:
    draws = [torch.rand(4, generator=generator(7, "batches", 3)) for _ in range(2)]
    assert torch.equal(*draws)


def test_every_axis_makes_another_stream() -> None:
    axes = [(7, "batches", 3), (8, "batches", 3), (7, "weights", 3), (7, "batches", 4), (7, "batches")]
    drawn = {float(torch.rand(1, generator=generator(seed, *names), dtype=torch.float64)) for seed, *names in axes}
    assert len(drawn) == len(axes)
