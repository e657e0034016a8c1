"""Families and conditions of a search space, and the points of a grid under them."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hnet_core import dotted_keys
from hnet_core.errors import ConfigInvalid

FAMILY = "family"

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Conditions:
    """The mapping from parameters to trial blocks, and the searched fields of each trial.

    A condition is met if every field it names has one of its values in the trial block as built so far; a field that
    is not there (because its own condition is not met) has none. The family of a trial is a field like any other.

    Attributes:
        template: the raw trial block.
        families: changes to the template by name, see `changed`.
        first_family: whose changes hold where no family is given; None without families.
        when: the condition of each searched field by dotted name, None where it is searched always.
    """

    template: Mapping[str, Any]
    families: Mapping[str, Mapping[str, Any]]
    first_family: str | None
    when: Mapping[str, Mapping[str, Sequence[Any]] | None]

    def place(self, params: Params) -> dict[str, Any]:
        """Make the trial block with these parameters in place; without a family, that of the first one."""
        block = copy.deepcopy(dict(self.template))
        family = params.get(FAMILY) or self.first_family
        if self.families and family is not None:
            block = changed(block, self.families[family])
        for name, value in params.items():
            if name != FAMILY:
                set_field(block, name, value)
        return block

    @cached_property
    def order(self) -> list[str]:
        """The fields in the order of the spec, each after those its condition refers to.

        Raises:
            ConfigInvalid: conditions refer to each other in a circle.
        """
        ordered: list[str] = []
        waiting = sorted(self.when, key=lambda name: name != FAMILY)
        while waiting:
            ready = [name for name in waiting if not set(self.when[name] or {}) & set(waiting)]
            if not ready:
                raise ConfigInvalid(f"conditions refer to each other in a circle: {', '.join(waiting)}", key=waiting[0])
            ordered.append(ready[0])
            waiting.remove(ready[0])
        return ordered

    def is_met(self, name: str, params: Params, block: Mapping[str, Any]) -> bool:
        """Return whether a field is searched, given the parameters before it and the trial block they make."""
        when = self.when[name] or {}
        return all(self._value(key, params, block) in values for key, values in when.items())

    def grid(self, values: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
        """Return every combination of these values; a field whose condition is not met does not multiply them."""
        points: list[tuple[dict[str, Any], dict[str, Any]]] = [({}, self.place({}))]
        for name in self.order:
            grown = []
            for params, block in points:
                if not self.is_met(name, params, block):
                    grown.append((params, block))
                    continue
                for value in values[name]:
                    more = {**params, name: value}
                    grown.append((more, self.place(more)))
            points = grown
        return [params for params, _ in points]

    def _value(self, key: str, params: Params, block: Mapping[str, Any]) -> Any:
        """Return the value a condition compares: for a searched field its parameter, else that of the trial block."""
        return params.get(key, dotted_keys.MISSING) if key in self.when else dotted_keys.get(block, key)


def changed(block: Mapping[str, Any], by: Mapping[str, Any]) -> dict[str, Any]:
    """Apply the changes of a family: a block of another name replaces the old one, all else is merged."""
    result = copy.deepcopy(dict(block))
    for key, value in by.items():
        old = result.get(key)
        merges = (
            isinstance(value, Mapping) and isinstance(old, Mapping) and value.get("name") in (None, old.get("name"))
        )
        result[key] = {**old, **copy.deepcopy(dict(value))} if merges else copy.deepcopy(value)  # type: ignore[dict-item]
    return result


def family_blocks(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the trial block of a raw spec as changed by each searched family; without families under the name ""."""
    families = content.get("families") or {}
    field = (content.get("search") or {}).get(FAMILY)
    chosen = field.get("choice", ()) if isinstance(field, Mapping) else families
    block = content.get("trial") or {}
    blocks = {name: changed(block, families[name]) for name in chosen if isinstance(families.get(name), Mapping)}
    return blocks or {"": dict(block)}


def field_of(name: str) -> str:
    """Return the dotted field that a searched name sets: method.beta_output for method.beta_output[hypermask]."""
    return name.partition("[")[0]


def set_field(block: dict[str, Any], name: str, value: Any) -> None:
    """Set the dotted field of a searched name in a raw trial block.

    Raises:
        ConfigInvalid: the name does not lead to a field of a block.
    """
    try:
        if field_of(name).endswith("."):
            raise dotted_keys.NotABlock(name)
        dotted_keys.put(block, field_of(name), list(value) if isinstance(value, tuple) else value)
    except dotted_keys.NotABlock:
        raise ConfigInvalid(f"{name} must name one field of a block such as method.beta_output", key=name) from None
