"""Validation of a search space: every family, every end of every range and every choice."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hnet_core import dotted_keys
from hnet_core.component_check import Complaint, dotted
from hnet_core.config_validation import COMPONENTS, check_trial
from hnet_core.configuration.shown_value import cut, shown
from hnet_core.errors import ConfigInvalid
from hnet_core.registry import did_you_mean
from hnet_core.trial import TrialConfig
from studies.spec.conditions import FAMILY, field_of
from studies.spec.ranges import Choice, FloatRange
from studies.spec.space import SearchSpace

if TYPE_CHECKING:
    from studies.spec.spec import SweepSpec

MAX_GRID = 100_000  # points; all are held in memory


def check_space(spec: SweepSpec, data: Path) -> list[Complaint]:
    """List the errors in the trial block, the families and the search of a spec."""
    space = spec.space
    wrong = list(_wrong_families(space))
    if wrong:
        return wrong
    try:
        branches = list(space.branches())
    except ConfigInvalid as error:  # a field inside a value, or conditions in a circle
        return [Complaint(("search", error.key or ""), str(error))]
    enqueued = {family: space.example(family) for one in spec.enqueue if (family := space.unsearched_family(one))}
    for branch in [*branches, *enqueued.values()]:
        wrong += _wrong_in_template(space, branch, data)
    if not wrong:
        for branch in branches:
            wrong += _wrong_in_ranges(space, branch, data)
        wrong += _wrong_conditions(space)
    if spec.sampler == "grid" and not wrong:
        size = space.most_grid_points()
        if size > MAX_GRID:
            wrong.append(
                Complaint(
                    ("sampler",), f"a grid must have at most {MAX_GRID:,} points, this one has {cut(str(size), 40)}"
                )
            )
        wrong += [
            Complaint(("search", name), "a grid needs steps; give choice or step, or another sampler")
            for name, field in space.fields.items()
            if field.grid_size() is None
        ]
    return wrong


def _wrong_families(space: SearchSpace) -> Iterator[Complaint]:
    for name, changes in space.families.items():
        for key in changes:
            if key in (*COMPONENTS, "training") and not isinstance(changes[key], Mapping):
                yield Complaint(("families", name, key), f"must be a block with keys, got {shown(changes[key])}")
    field = space.fields.get(FAMILY)
    if field is None:
        return
    if not space.families:
        yield Complaint(("search", FAMILY), "must choose among families, and there are none; add a families block")
    elif not isinstance(field, Choice) or field.when:
        yield Complaint(("search", FAMILY), "must be {choice: [...]} of families, without when")
    else:
        for name in field.choice:
            if name not in space.families:
                guess = did_you_mean(str(name), space.families)
                yield Complaint(("search", FAMILY), f"unknown family {name!r}{guess}")


def _wrong_in_template(space: SearchSpace, branch: Mapping[str, Any], data: Path) -> Iterator[Complaint]:
    """List the errors in the block of a branch before any field is varied."""
    config, wrong = check_trial(space.place(branch))
    if config is not None:
        wrong = list(_wrong_stream(config, data))
    for one in wrong:
        path = _origin(space, branch, one.path)
        yield Complaint(path, f"{one.message}{_where(branch)}" if path[0] == "search" else one.message)


def _origin(space: SearchSpace, branch: Mapping[str, Any], path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return the key path in the spec that set the value at this place of a trial block."""
    name = dotted(path)
    is_new = dotted_keys.get(space.template, name) is dotted_keys.MISSING
    exact = [field for field in branch if field_of(field) == name]
    within = [field for field in branch if field_of(field).startswith(f"{name}.") and is_new]
    if exact or within:
        return ("search", (exact or within)[0])
    if FAMILY in branch and path and path[0] in space.families[branch[FAMILY]]:
        return ("families", branch[FAMILY], *path)
    return ("trial", *path)


def _wrong_in_ranges(space: SearchSpace, branch: Mapping[str, Any], data: Path) -> Iterator[Complaint]:
    """Yield the errors of configurations with one field at an end of its range, inside it, or at each choice."""
    for name in space.active(branch):
        field = space.fields[name]
        if isinstance(field, FloatRange) and _takes_whole_numbers(space, branch, name):
            yield Complaint(("search", name), f"takes whole numbers; write int instead of float{_where(branch)}")
            continue
        for value in () if name == FAMILY else field.samples():
            config, wrong = check_trial(space.place({**branch, name: value}))
            found = wrong if config is None else list(_wrong_stream(config, data))
            if found:
                yield Complaint(("search", name), f"{found[0].message}{_where(branch)}")
                break


def _takes_whole_numbers(space: SearchSpace, branch: Mapping[str, Any], name: str) -> bool:
    """Return whether a field of the trial block is valid with a whole number and not with one that has a fraction."""
    bounds = getattr(space.fields[name], "bounds", (0.0, 0.0))
    low, high = math.ceil(bounds[0]), math.floor(bounds[1])
    if low > high:
        return False
    fraction = low + 0.5 if low < high else (low + (bounds[0] if bounds[0] < low else bounds[1])) / 2
    whole, other = (check_trial(space.place({**branch, name: value}))[0] for value in (low, fraction))
    return whole is not None and other is None


def _where(branch: Mapping[str, Any]) -> str:
    if FAMILY not in branch:
        return ""
    return f" (family {branch[FAMILY]}; restrict the field to others with when: {{family: NAME}}, or search.family)"


def _wrong_conditions(space: SearchSpace) -> Iterator[Complaint]:
    for name in space.never_active():
        conditions = (space.fields[name].when or {}).items()
        when = " and ".join(f"{key} is {' or '.join(map(str, values))}" for key, values in conditions)
        yield Complaint(("search", name, "when"), f"never holds: in no trial {when}; correct it or remove the field")


def _wrong_stream(config: TrialConfig, data: Path) -> Iterator[Complaint]:
    from hnet_core.build import networks, stream_shape

    try:
        networks(config, stream_shape(config, data))
    except ConfigInvalid as error:
        yield Complaint(() if error.key is None else tuple(error.key.split(".")), str(error).rstrip("."))
