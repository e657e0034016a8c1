"""The hand-written backward pass of the MLP target against automatic differentiation, in float64."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hnet_core.activations import ACTIVATIONS
from hnet_core.engines.kernels.mlp_gradient import MlpGradient
from hnet_core.engines.kernels.target_gradient import AutogradGradient
from hnet_core.methods import Problem
from hnet_core.streams import StreamShape
from hnet_core.streams.training_heads import TrainingHeads
from hnet_core.targets.mlp import Mlp
from hnet_core.trial import TrainingOptions


@settings(max_examples=40, deadline=None)
@given(
    hidden=st.lists(st.integers(1, 7), max_size=3),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    n_tasks=st.integers(1, 3),
    outputs_per_task=st.integers(1, 4),
    measure=st.sampled_from(["accuracy", "mse"]),
    batch_sizes=st.lists(st.integers(1, 6), min_size=1, max_size=2),
    smoothing=st.sampled_from([0.0, 0.05, 0.4]),
)
def test_gradient_of_the_own_head_equals_autograd_and_other_heads_get_zero(
    hidden: list[int],
    activation: str,
    n_tasks: int,
    outputs_per_task: int,
    measure: str,
    batch_sizes: list[int],
    smoothing: float,
) -> None:
    training = TrainingOptions(label_smoothing=smoothing if outputs_per_task > 1 else 0.0)
    shape = StreamShape(n_tasks, (5,), outputs_per_task, measure=measure)  # type: ignore[arg-type]
    options = Mlp.Options(name="mlp", hidden=tuple(hidden), activation=activation)  # type: ignore[arg-type]
    target = Mlp(options, shape.input_shape, shape.n_outputs)
    draws = torch.Generator().manual_seed(0)
    weights = target.initialize(draws, torch.float64)
    problem = Problem(shape, target, None, training, 0, torch.device("cpu"), torch.float64)
    ours, theirs, in_place = (torch.ones_like(weights) for _ in range(3))
    heads = problem.training_heads
    by_hand = MlpGradient(target, heads, weights, ours, training.label_smoothing)
    in_place_of_weights = MlpGradient(target, heads, in_place, in_place, training.label_smoothing)
    automatic = AutogradGradient([problem], weights, theirs)
    for task, batch_size in enumerate(batch_sizes[:n_tasks]):
        inputs = torch.randn(batch_size, 5, generator=draws, dtype=torch.float64)
        labels = torch.randint(outputs_per_task, (batch_size,), generator=draws)
        if measure == "mse":
            labels = torch.randn(batch_size, outputs_per_task, generator=draws, dtype=torch.float64)
        in_place.copy_(weights)
        for gradient in (by_hand, in_place_of_weights, automatic):
            gradient.start_task(task)
            gradient.fill(inputs, labels)
        torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-14)
        assert torch.equal(in_place, ours)


def test_an_unknown_activation_is_refused() -> None:
    target = Mlp(Mlp.Options(name="mlp"), (5,), 2)
    target.activation = torch.sin
    weights = torch.zeros(target.n_weights)
    with pytest.raises(ValueError, match="use AutogradGradient for others"):
        MlpGradient(target, TrainingHeads(StreamShape(1, (5,), 2)), weights, weights)
