"""Validation of a search space: every family, every end of every range and every choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hnet_core.component_check import Complaint
from hnet_core.config_validation import check_trial
from hnet_core.errors import ConfigInvalid
from hnet_core.registry import did_you_mean
from hnet_core.trial import TrialConfig
from studies.spec.conditions import FAMILY
from studies.spec.ranges import Choice
from studies.spec.space import SearchSpace

if TYPE_CHECKING:
    from studies.spec.spec import SweepSpec


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
    for branch in branches:
        wrong += _wrong_in_template(space, branch, data)
    if not wrong:
        for branch in branches:
            wrong += _wrong_in_ranges(space, branch, data)
        wrong += _wrong_conditions(space)
    if spec.sampler == "grid" and not wrong:
        wrong += [
            Complaint(("search", name), "a grid needs steps; give choice or step, or another sampler")
            for name, field in space.fields.items()
            if field.grid() is None
        ]
    return wrong


def _wrong_families(space: SearchSpace) -> Iterator[Complaint]:
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
    name = ".".join(map(str, path))
    if name in branch:
        return ("search", name)
    if FAMILY in branch and path and path[0] in space.families[branch[FAMILY]]:
        return ("families", branch[FAMILY], *path)
    return ("trial", *path)


def _wrong_in_ranges(space: SearchSpace, branch: Mapping[str, Any], data: Path) -> Iterator[Complaint]:
    """List the errors of configurations with one field at an end of its range, or at each choice."""
    for name in space.active(branch):
        for value in () if name == FAMILY else space.fields[name].examples():
            config, wrong = check_trial(space.place({**branch, name: value}))
            found = wrong[:1] if config is None else _wrong_stream(config, data)
            for one in found:
                yield Complaint(("search", name), f"{one.message}{_where(branch)}")


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
    from hnet_core.build import stream_shape

    try:
        stream_shape(config, data)
    except ConfigInvalid as error:
        yield Complaint(() if error.key is None else tuple(error.key.split(".")), str(error).rstrip("."))
