"""The search space of a sweep: families, fields searched always, and fields searched only under a condition."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

from hnet_core.errors import ConfigInvalid
from sweeps.ranges import Choice, FloatRange, IntRange, Space, suggest

if TYPE_CHECKING:
    from optuna.trial import Trial

FAMILY = "family"
Field = FloatRange | IntRange | Choice

Params = Mapping[str, Any]


@dataclass(frozen=True)
class SearchSpace:
    """Turns parameters into trial blocks and says which fields a trial has.

    A condition is met if every field it names has one of its values in the trial block as built so far; a field that
    is not there (because its own condition is not met) has none. The family of a trial is a field like any other.

    Attributes:
        template: the raw trial block.
        families: changes to the template by name, see `changed`; the field "family" of `fields` picks one.
        fields: the searched fields by dotted name, as a spec gives them.
    """

    template: Mapping[str, Any]
    families: Mapping[str, Mapping[str, Any]]
    fields: Space

    def suggest(self, trial: Trial) -> dict[str, Any]:
        """Draw the parameters of a trial: a value for every field whose condition is met, and for no other."""
        return self._fill(lambda name, field: suggest(trial, name, field))

    def place(self, params: Params) -> dict[str, Any]:
        """The trial block with these parameters in place; without a family, that of the first one."""
        block = copy.deepcopy(dict(self.template))
        if self.families:
            block = changed(block, self.families[params.get(FAMILY) or self.first_family])
        for name, value in params.items():
            if name != FAMILY:
                set_field(block, name, value)
        return block

    @property
    def first_family(self) -> str:
        field = self.fields.get(FAMILY)
        return str(field.choice[0] if isinstance(field, Choice) else next(iter(self.families)))

    @property
    def is_conditional(self) -> bool:
        return any(field.when for field in self.fields.values())

    def example(self) -> dict[str, Any]:
        """Parameters of the first branch: what the template leaves open and no more."""
        return next(self.branches())

    def branches(self) -> Iterator[dict[str, Any]]:
        """One set of parameters for each way the conditions can turn out, with what its template leaves open.

        Fields of a range that conditions refer to take the values that are mentioned and both ends.
        """
        deciding = {name: self._turns(name) for name in self._order if name in self._referred or name == FAMILY}
        seen = []
        for values in product(*deciding.values()):
            chosen = dict(zip(deciding, values, strict=True))
            params = self._walk(chosen)
            block = self.place({name: value for name, value in params.items() if name in deciding})
            branch = {name: value for name, value in params.items() if name in deciding or not _has(block, name)}
            if branch not in seen:  # a deciding field can be out of play itself
                seen.append(branch)
                yield branch

    def active(self, params: Params) -> list[str]:
        """The fields that are searched where the deciding fields have these values."""
        return list(self._walk(params))

    def misfit(self, params: Params, whole: bool = False) -> str | None:
        """Why no trial can have these parameters, None where one can.

        Args:
            whole: whether every field that is then in play must be given.
        """
        in_play = self._walk(params)
        for name, value in params.items():
            if name not in self.fields:
                return f"{name} is not searched; searched are {', '.join(self.fields)}"
            if name not in in_play:
                return f"{name} is not in play there; its condition is not met"
            if not self.fields[name].contains(value):
                return f"{name} must be in its range, got {value!r}"
        left_out = [name for name in in_play if name not in params]
        return f"{', '.join(left_out)} must be given too" if whole and left_out else None

    def never_active(self) -> list[str]:
        """Fields whose condition is met in no branch."""
        met = {name for params in self.branches() for name in self.active(params)}
        return [name for name in self.fields if name not in met]

    def grid(self) -> list[dict[str, Any]] | None:
        """Every point of the grid, None where a range has no steps; a field out of play does not multiply them."""
        values = {name: field.grid() for name, field in self.fields.items()}
        if any(points is None for points in values.values()):
            return None
        points: list[tuple[dict[str, Any], dict[str, Any]]] = [({}, self.place({}))]
        for name in self._order:
            grown = []
            for params, block in points:
                if not self._is_met(name, params, block):
                    grown.append((params, block))
                    continue
                for value in values[name] or ():
                    more = {**params, name: value}
                    grown.append((more, self.place(more)))
            points = grown
        return [params for params, _ in points]

    def grid_size(self) -> int | None:
        """Number of points of the grid, counted without making them where no condition thins them out."""
        if self.is_conditional:
            points = self.grid()
            return None if points is None else len(points)
        sizes = [field.grid() for field in self.fields.values()]
        return None if None in sizes else math.prod(len(values) for values in sizes if values is not None)

    def _walk(self, chosen: Params) -> dict[str, Any]:
        """The chosen values, and an example for every other field whose condition is then met."""
        return self._fill(lambda name, field: chosen.get(name, field.examples()[0]))

    def _fill(self, value_of: Callable[[str, Field], Any]) -> dict[str, Any]:
        """Give each field whose condition is met its value, conditions after what they refer to."""
        params: dict[str, Any] = {}
        block = self.place({})
        for name in self._order:
            if self._is_met(name, params, block):
                params[name] = value_of(name, self.fields[name])
                if name == FAMILY:
                    block = self.place(params)
                else:
                    set_field(block, name, params[name])
        return params

    def _is_met(self, name: str, params: Params, block: Mapping[str, Any]) -> bool:
        when = self.fields[name].when or {}
        return all(_value(key, self.fields, params, block) in values for key, values in when.items())

    @property
    def _referred(self) -> set[str]:
        return {key for field in self.fields.values() for key in field.when or {}}

    def _turns(self, name: str) -> list[Any]:
        field = self.fields[name]
        if isinstance(field, Choice):
            return list(field.choice)
        low, high = field.bounds
        mentioned = [value for one in self.fields.values() for value in (one.when or {}).get(name, ())]
        return list(dict.fromkeys([*field.bounds, *(value for value in mentioned if low <= value <= high)]))

    @cached_property
    def _order(self) -> list[str]:
        """The fields in the order of the spec, each after those its condition refers to.

        Raises:
            ConfigInvalid: conditions refer to each other in a circle.
        """
        ordered: list[str] = []
        waiting = sorted(self.fields, key=lambda name: name != FAMILY)
        while waiting:
            ready = [name for name in waiting if not set(self.fields[name].when or {}) & set(waiting)]
            if not ready:
                raise ConfigInvalid(f"conditions refer to each other in a circle: {', '.join(waiting)}", key=waiting[0])
            ordered.append(ready[0])
            waiting.remove(ready[0])
        return ordered


def changed(block: Mapping[str, Any], by: Mapping[str, Any]) -> dict[str, Any]:
    """A trial block changed by a family: a block of another name replaces the old one, all else is merged into it."""
    result = copy.deepcopy(dict(block))
    for key, value in by.items():
        old = result.get(key)
        merges = (
            isinstance(value, Mapping) and isinstance(old, Mapping) and value.get("name") in (None, old.get("name"))
        )
        result[key] = {**old, **copy.deepcopy(dict(value))} if merges else copy.deepcopy(value)  # type: ignore[dict-item]
    return result


def of_family(content: Mapping[str, Any], family: str | None) -> dict[str, Any]:
    """The trial block of a raw spec as one of its families changes it, by default the first.

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


def set_field(block: dict[str, Any], name: str, value: Any) -> None:
    """Set a dotted field of a raw trial block.

    Raises:
        ConfigInvalid: the name does not lead to a field of a block.
    """
    *blocks, last = name.split(".")
    for key in blocks:
        block = block.setdefault(key, {})
        if not isinstance(block, dict) or not last:
            raise ConfigInvalid(f"{name} must name one field of a block such as method.beta_output", key=name)
    block[last] = list(value) if isinstance(value, tuple) else value


def _has(block: Mapping[str, Any], name: str) -> bool:
    return _lookup(block, name) is not _MISSING


def _value(key: str, fields: Space, params: Params, block: Mapping[str, Any]) -> Any:
    """What a condition compares: of a searched field only the value it was given, else that of the trial block."""
    if key in fields:
        return params.get(key, _MISSING)
    return _lookup(block, key)


_MISSING = object()


def _lookup(block: Any, name: str) -> Any:
    for key in name.split("."):
        if not isinstance(block, Mapping) or key not in block:
            return _MISSING
        block = block[key]
    return block
