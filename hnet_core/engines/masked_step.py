"""The choice of the engine of a training step of masked target weights."""

from __future__ import annotations

from hnet_core.engines.fast import unsupported
from hnet_core.engines.kernels.flat_theta import layout_of
from hnet_core.engines.masked_fast import FastMaskedStep
from hnet_core.engines.masked_plain import MaskedStep, PlainMaskedStep
from hnet_core.engines.step_protocols import picked
from hnet_core.problem import Problem
from hnet_core.weights.masked import MaskedWeights

NEEDS_HIDDEN_LAYERS = "it trains embeddings of previous tasks through hidden layers only"


def masked_step(problem: Problem, source: MaskedWeights, trains_previous_embeddings: bool) -> MaskedStep:
    """Return the engine that `training.engine` names; auto is the fast one wherever it supports the configuration.

    Raises:
        UnsupportedTrial: engine fast for a hypernetwork it cannot train.
    """
    reason = unsupported(problem.hypernet, problem.training)
    layout = layout_of(source.logits.hypernet)
    if reason is None and trains_previous_embeddings and layout is not None and not layout.hidden:
        reason = NEEDS_HIDDEN_LAYERS
    if picked(problem.training.engine, reason) == "plain":
        return PlainMaskedStep(problem, source, trains_previous_embeddings)
    return FastMaskedStep(problem, source, trains_previous_embeddings)
