"""Where a sweep departs from the published experiment, or from the better direction of a metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studies.metrics.definitions import METRICS
from studies.spec.spec import SweepSpec


def contradictions(spec: SweepSpec) -> list[str]:
    """Objectives that are searched in the direction in which their metric gets worse, in words; empty for none."""
    wanted = {"higher": "maximize", "lower": "minimize"}
    return [
        f"objective {name} is to be {direction}d, but {METRICS[name].better} is better"
        for name, direction in spec.objectives.items()
        if wanted[METRICS[name].better] != direction
    ]


def reductions(spec: SweepSpec) -> list[str]:
    """Where a sweep runs less than the published experiment it follows, in words; empty for none."""
    if spec.paper is None:
        return []
    mine: dict[str, Any] = {"seeds": spec.seeds}
    for name in spec.paper.settings:
        if name != "seeds":
            block: Any = spec.space.place(spec.space.example())
            for key in name.split("."):
                block = block.get(key) if isinstance(block, Mapping) else None
            mine[name] = block
    return [
        f"{name} {mine[name]} instead of {published:g}"
        for name, published in spec.paper.settings.items()
        if isinstance(mine[name], (int, float)) and mine[name] < published
    ]
