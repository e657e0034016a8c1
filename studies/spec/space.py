"""The search space of a sweep: families, fields searched always, and fields searched only under a condition."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

from hnet_core import dotted_keys
from hnet_core.configuration.shown_value import shown
from hnet_core.errors import ConfigInvalid
from studies.spec.conditions import FAMILY, Conditions, Params, changed, field_of, set_field
from studies.spec.ranges import Choice, FloatRange, IntRange, Space

SearchedField = FloatRange | IntRange | Choice


@dataclass(frozen=True)
class SearchSpace:
    """Searched fields, the trial blocks made from their values, and the fields of each trial.

    Conditions are those of `studies.spec.conditions`.

    Attributes:
        template: the raw trial block.
        families: changes to the template by name, see `changed`; the field "family" of `fields` picks one.
        fields: the searched fields by dotted name, as a spec gives them.
    """

    template: Mapping[str, Any]
    families: Mapping[str, Mapping[str, Any]]
    fields: Space

    def fill(self, value_of: Callable[[str, SearchedField], Any]) -> dict[str, Any]:
        """Give each field whose condition is met its value, conditions after what they refer to."""
        params: dict[str, Any] = {}
        block = self.place({})
        for name in self._conditions.order:
            if self._conditions.is_met(name, params, block):
                params[name] = value_of(name, self.fields[name])
                if name == FAMILY:
                    block = self.place(params)
                else:
                    set_field(block, name, params[name])
        return params

    def place(self, params: Params) -> dict[str, Any]:
        """Make the trial block with these parameters in place; without a family, that of the first one."""
        return self._conditions.place(params)

    @property
    def first_family(self) -> str:
        field = self.fields.get(FAMILY)
        return str(field.choice[0] if isinstance(field, Choice) else next(iter(self.families)))

    @cached_property
    def _conditions(self) -> Conditions:
        first = self.first_family if self.families else None
        when = {name: field.when for name, field in self.fields.items()}
        return Conditions(self.template, self.families, first, when)

    @property
    def is_conditional(self) -> bool:
        return any(field.when for field in self.fields.values())

    def example(self, family: str | None = None) -> dict[str, Any]:
        """Return the parameters of the first branch that the template leaves open, or all those of a family."""
        return next(self.branches()) if family is None else self._walk({FAMILY: family})

    def branches(self) -> Iterator[dict[str, Any]]:
        """Yield one set of parameters for each way the conditions can turn out, with what its template leaves open.

        Fields of a range that conditions refer to take the values that are mentioned and both ends.
        """
        order = self._conditions.order
        deciding = {name: self._turns(name) for name in order if name in self._referred or name == FAMILY}
        seen = []
        for values in product(*deciding.values()):
            chosen = dict(zip(deciding, values, strict=True))
            params = self._walk(chosen)
            block = self.place({name: value for name, value in params.items() if name in deciding})
            left_open = {name for name in params if dotted_keys.get(block, field_of(name)) is dotted_keys.MISSING}
            branch = {name: value for name, value in params.items() if name in deciding or name in left_open}
            if branch not in seen:  # a deciding field can be out of play itself
                seen.append(branch)
                yield branch

    def active(self, params: Params) -> list[str]:
        """Return the fields that are searched where the deciding fields have these values."""
        return list(self._walk(params))

    def unsearched_family(self, params: Params) -> str | None:
        """Return the family of parameters where it is one that the search leaves out; else None."""
        family, field = params.get(FAMILY), self.fields.get(FAMILY)
        is_left_out = field is not None and not field.contains(family)
        return str(family) if is_left_out and isinstance(family, str) and family in self.families else None

    def misfit(self, params: Params, complete: bool = False, any_family: bool = False) -> str | None:
        """Return the reason why no trial can have these parameters, or None.

        Args:
            complete: whether every field whose condition is met must be given.
            any_family: whether it may be of a family that the search leaves out.
        """
        if self.families and FAMILY in params:
            family, field = params[FAMILY], self.fields[FAMILY]
            known = list(self.families) if any_family else [*getattr(field, "choice", ())]
            if family not in known:
                return f"{FAMILY} must be one of {', '.join(map(str, known))}, got {shown(family)}"
        in_play = self._walk(params)
        if self.unsearched_family(params) is not None:
            params = {name: value for name, value in params.items() if name != FAMILY}
        for name, value in params.items():
            if name not in self.fields:
                return f"{name} is not searched; searched are {', '.join(self.fields)}"
            if name not in in_play:
                return f"{name} is not in play there; its condition is not met"
            if not self.fields[name].contains(value):
                return f"{name} must be in its range, {self.fields[name].words()}, got {shown(value)}"
        left_out = [name for name in in_play if name not in params]
        return f"{', '.join(left_out)} must be given too" if complete and left_out else None

    def never_active(self) -> list[str]:
        """List the fields whose condition is met in no branch."""
        met = {name for params in self.branches() for name in self.active(params)}
        return [name for name in self.fields if name not in met]

    def grid(self) -> list[dict[str, Any]] | None:
        """Return every point of the grid, None where a range has no steps; unmet conditions do not multiply them."""
        values = {name: field.grid() for name, field in self.fields.items()}
        if any(points is None for points in values.values()):
            return None
        return self._conditions.grid({name: points for name, points in values.items() if points is not None})

    def grid_size(self) -> int | None:
        """Number of points of the grid, counted without making them where no condition thins them out."""
        if self.is_conditional:
            points = self.grid()
            return None if points is None else len(points)
        sizes = [field.grid_size() for field in self.fields.values()]
        return None if None in sizes else math.prod(size for size in sizes if size is not None)

    def most_grid_points(self) -> int:
        """No grid of this space has more points; counted without making any, ranges without steps as one value."""
        deciding = {*self._referred, FAMILY}
        active = (
            [self.fields[name].grid_size() or 1 for name in self.active(branch) if name not in deciding]
            for branch in self.branches()
        )
        return sum(map(math.prod, active))

    def grid_after(self, first: Sequence[Params]) -> list[dict[str, Any]]:
        """Every point of the grid, beginning with those that agree with each of `first`, which may leave fields open.

        A point comes again only where `first` names it more than once.
        """
        remaining = self.grid() or []
        every, begun = list(remaining), []
        for params in first:
            wanted = {name: self.fields[name].snapped(value) for name, value in params.items()}
            agreeing = (point for point in [*remaining, *every] if all(point.get(k) == v for k, v in wanted.items()))
            found = next(agreeing, None)
            if found is not None:
                begun.append(found)
                remaining = [point for point in remaining if point is not found]
        return begun + remaining

    def _walk(self, chosen: Params) -> dict[str, Any]:
        """Return the chosen values, and an example for every other field whose condition is then met."""
        return self.fill(lambda name, field: chosen.get(name, field.examples()[0]))

    @property
    def _referred(self) -> set[str]:
        return {key for field in self.fields.values() for key in field.when or {}}

    def _turns(self, name: str) -> list[Any]:
        field = self.fields[name]
        if isinstance(field, Choice):
            return list(field.choice)
        mentioned = [value for one in self.fields.values() for value in (one.when or {}).get(name, ())]
        return list(dict.fromkeys([*field.bounds, *(value for value in mentioned if field.contains(value))]))


def of_family(content: Mapping[str, Any], family: str | None) -> dict[str, Any]:
    """Return the trial block of a raw spec as one of its families changes it, by default the first.

    Raises:
        ConfigInvalid: there is no such family.
    """
    families = content.get("families") or {}
    if family is not None and family not in families:
        raise ConfigInvalid(
            f"--family must name one of the families of the spec, got {family!r}; known: "
            f"{', '.join(families) or 'none'}."
        )
    chosen = family or next(iter(families), None)
    return dict(content["trial"]) if chosen is None else changed(content["trial"], families[chosen])
