"""Task inference by entropy against the formula in numpy, and what it counts."""

from __future__ import annotations

import numpy as np
import torch

from hnet_core.build import networks, stream_shape
from hnet_core.task_inference import TaskOutputs
from hnet_core.task_inference.entropy import Entropy, entropy
from tests.hnet_core.tiny import tiny


def test_the_entropy_is_minus_the_sum_of_p_log_p() -> None:
    outputs = torch.randn(50, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 5
    p = np.exp(outputs.numpy()) / np.exp(outputs.numpy()).sum(axis=1, keepdims=True)
    assert np.abs(entropy(outputs).numpy() + (p * np.log(p)).sum(axis=1)).max() < 1e-9


def test_a_probability_that_underflows_adds_nothing() -> None:
    assert entropy(torch.tensor([[1e4, 0.0, -1e4]])).item() == 0.0


def test_the_inferred_task_is_that_of_the_most_certain_network() -> None:
    certain, torn = torch.tensor([[9.0, 0.0], [0.1, 0.0]]), torch.tensor([[0.2, 0.0], [0.0, 7.0]])
    outputs = TaskOutputs(torch.zeros(2, 3), [lambda _: certain, lambda _: torn])
    tasks = inference().infer(outputs)
    assert tasks.tolist() == [0, 1]
    assert torch.equal(outputs.of_tasks(tasks), torch.tensor([[9.0, 0.0], [0.0, 7.0]]))


def test_every_network_is_evaluated_once_for_a_batch() -> None:
    calls = []

    def network(inputs: torch.Tensor) -> torch.Tensor:
        calls.append(len(inputs))
        return torch.zeros(len(inputs), 2)

    outputs = TaskOutputs(torch.zeros(7, 3), [network, network])
    outputs.of_tasks(inference().infer(outputs))
    assert calls == [7, 7]


def test_it_costs_a_forward_pass_through_the_network_of_every_task() -> None:
    known = tiny()
    inferred = tiny(task_inference={"name": "entropy"})
    counts = [networks(config, stream_shape(config)).counts for config in (known, inferred)]
    assert counts[1].inference == 5 * (counts[0].inference or 0)
    assert counts[1].model == counts[0].model


def inference() -> Entropy:
    return Entropy(Entropy.Options(name="entropy"), None, None)  # type: ignore[arg-type]
