"""Settings in which a sweep departs from the experiment its paper published, or from the better way of a metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hnet_core import dotted_keys
from studies.metrics.definitions import METRICS
from studies.spec.conditions import family_blocks, field_of
from studies.spec.setting_text import setting_text
from studies.spec.spec import SweepSpec

SPACES = ("choice", "float", "int")


@dataclass(frozen=True)
class Deviation:
    """A setting that is not the paper's.

    Attributes:
        name: dotted field of a trial, or seeds.
        actual: the value of the sweep; MISSING where it sets none. A searched one counts at its lowest value.
        published: the value in the paper.
    """

    name: str
    actual: Any
    published: Any

    @property
    def is_reduction(self) -> bool:
        """True if less is run than in the paper, so that the result is no reproduction."""
        return _is_number(self.actual) and _is_number(self.published) and self.actual < self.published

    def __str__(self) -> str:
        published = setting_text(self.published)
        if self.actual is dotted_keys.MISSING:
            return f"{self.name} is not set, the paper has {published}"
        actual = f"{self.name} {setting_text(self.actual)}"
        return f"{actual} instead of {published}" if self.is_reduction else f"{actual}, the paper has {published}"


def deviations(spec: Mapping[str, Any]) -> list[Deviation]:
    """List the settings of a stored spec that are not those of the paper it cites."""
    published = (spec.get("paper") or {}).get("settings") or {}
    found = [Deviation(name, _lowest(list(_values(spec, name))), value) for name, value in published.items()]
    return [one for one in found if one.actual != one.published]


def reductions(spec: SweepSpec) -> list[str]:
    """List the settings in which a sweep runs less than the published experiment it follows."""
    return [str(one) for one in deviations(spec.to_dict()) if one.is_reduction]


def contradictions(spec: SweepSpec) -> list[str]:
    """List the objectives whose direction makes their metric worse, in words."""
    wanted = {"higher": "maximize", "lower": "minimize"}
    return [
        f"objective {name} is to be {direction}d, but {METRICS[name].better} is better"
        for name, direction in spec.objectives.items()
        if wanted[METRICS[name].better] != direction
    ]


def _values(spec: Mapping[str, Any], name: str) -> Iterator[Any]:
    """Yield the values of a setting: those searched, else those of each family's trial block, else the spec's own."""
    spaces = [space for key, space in (spec.get("search") or {}).items() if field_of(key) == name]
    for space in spaces:
        yield from next((space[kind] for kind in SPACES if kind in space), ())
    if spaces:
        return
    in_trial = [dotted_keys.get(block, name) for block in family_blocks(spec).values()]
    set_there = [value for value in in_trial if value is not dotted_keys.MISSING]
    yield from set_there or [dotted_keys.get(spec, name)]


def _lowest(values: list[Any]) -> Any:
    numbers = [value for value in values if _is_number(value)]
    return min(numbers) if numbers else values[0] if len(values) == 1 else values


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
