from __future__ import annotations

import pytest
import torch

from perf.partial import TASK, images, measure, partial_hnet
from tests.oracles.per_image import PerImageStep


def test_weights_for_every_image_give_the_gradient_of_weights_for_the_batch() -> None:
    """The two timed steps compute the same gradient; float64, three frozen blocks, the last one generated."""
    torch.set_num_threads(1)
    method = partial_hnet(3, dtype=torch.float64)
    with torch.no_grad():
        for part in method.source.theta:
            part += 1e-3
    inputs, labels = (part[:4] for part in images(torch.float64))
    slow = PerImageStep(method, TASK)
    slow._before = [part - 1e-3 for part in slow._before]
    expected = slow.gradients(inputs, labels)
    method.step(TASK, inputs, labels)
    parts = [*method.source.theta, *method.source.embeddings[: TASK + 1]]
    for part, gradient in zip(parts, expected, strict=True):
        assert part.grad is not None
        assert torch.allclose(part.grad, gradient, rtol=1e-6, atol=1e-12)


@pytest.mark.slow
def test_every_case_is_measured() -> None:
    rows = measure((4,), rounds=1, per_image=False)
    assert {row.case for row in rows} == {"partial_hnet", "plain", "features_given"}
    assert all(row.ms > 0 and row.ratio is None for row in rows)
