"""How a training step is computed: `plain` reads like the paper, `fast` gives the same numbers in less time."""

from __future__ import annotations

from hnet_core.engines.fast import FastStep, unsupported
from hnet_core.engines.own_weights import OwnWeightsStep, own_weights_step
from hnet_core.engines.plain import PlainStep
from hnet_core.engines.step_protocols import HypernetStep, Protection
from hnet_core.errors import UnsupportedTrial
from hnet_core.methods.protocol import Problem
from hnet_core.seed_stack import Place, places, seat
from hnet_core.weights.sources import GeneratedWeights

__all__ = [
    "FastStep",
    "HypernetStep",
    "OwnWeightsStep",
    "Place",
    "PlainStep",
    "Protection",
    "hypernet_step",
    "own_weights_step",
    "places",
]


def hypernet_step(problem: Problem, source: GeneratedWeights) -> HypernetStep:
    """The engine that `training.engine` asks for; auto takes the fast one for all it can train.

    Raises:
        UnsupportedTrial: engine fast for a hypernetwork it cannot train.
    """
    engine, reason = problem.training.engine, unsupported(problem)
    if engine == "plain" or (engine == "auto" and reason is not None):
        return PlainStep(problem, source)
    if reason is not None:
        raise UnsupportedTrial(f"training.engine fast cannot train this: {reason}; use auto or plain.")
    return seat(problem, source, FastStep)
