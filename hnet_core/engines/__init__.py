"""Engines of a training step: `plain` follows the paper line by line, `fast` gives the same numbers in less time."""

from __future__ import annotations

from hnet_core.engines.fast import FastStep, unsupported
from hnet_core.engines.own_weights import OwnWeightsStep, own_weights_step
from hnet_core.engines.plain import PlainStep
from hnet_core.engines.step_protocols import HypernetStep, picked
from hnet_core.hypernets import Hypernet
from hnet_core.optimization.optimizers import why_no_flat_adam
from hnet_core.problem import Problem
from hnet_core.regularizers.options import Protection
from hnet_core.seed_stack import StackMember, member_step, stack_members
from hnet_core.trial import TrainingOptions
from hnet_core.weights.sources import GeneratedWeights

__all__ = [
    "FastStep",
    "HypernetStep",
    "OwnWeightsStep",
    "PlainStep",
    "Protection",
    "StackMember",
    "hypernet_step",
    "own_weights_step",
    "picked",
    "stack_members",
    "why_not_fast",
]


def why_not_fast(hypernet: Hypernet | None, training: TrainingOptions) -> str | None:
    """Return the reason why the fast engine cannot train with these options; None if it can.

    Args:
        hypernet: that generates the trained weights; None where they are the target's own.
    """
    return why_no_flat_adam(training, keeps=True) if hypernet is None else unsupported(hypernet, training)


def hypernet_step(problem: Problem, source: GeneratedWeights, plain_only: str | None = None) -> HypernetStep:
    """Return the engine that `training.engine` names; auto is the fast one wherever it supports the configuration.

    Args:
        plain_only: the reason why the fast engine cannot protect as the method wants it; None if it can.

    Raises:
        UnsupportedTrial: engine fast for a hypernetwork it cannot train.
    """
    if picked(problem.training.engine, plain_only or unsupported(problem.hypernet, problem.training)) == "plain":
        return PlainStep(problem, source)
    return member_step(problem.member, problem, source, FastStep)
