"""Ranges by family: `method.beta_output: {hnet: {float: [...]}, hypermask: {float: [...]}}`.

Each becomes a searched field of its own, `method.beta_output[hnet]`, under the condition that the family is that one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hnet_core.configuration.shown_value import shown
from hnet_core.registry import did_you_mean
from studies.spec.conditions import FAMILY
from studies.spec.ranges import KINDS, NoRange

DEFAULT = "default"


def with_family_ranges(content: Mapping[str, Any]) -> dict[str, Any]:
    """Replace the ranges by family of a raw spec; one of an unknown family becomes a `NoRange`."""
    families = content.get("families") or {}
    if not isinstance(families, Mapping):
        return dict(content)
    search: dict[str, Any] = {}
    for key, value in content["search"].items():
        search.update(_by_family(str(key), value, families) if names_families(value, families) else {key: value})
    return {**content, "search": search}


def names_families(value: object, families: Mapping[str, Any]) -> bool:
    """Return whether the value of a searched field is written as ranges by family, of unknown ones too."""
    if not isinstance(value, Mapping) or not value:
        return False
    if all(name in families for name in value):
        return True
    is_range = any(key in value for key in (*KINDS, "when", "log", "step"))
    are_ranges = all(isinstance(one, (Mapping, NoRange)) or one == DEFAULT for one in value.values())
    return not is_range and (are_ranges or any(name in families for name in value))


def _by_family(key: str, ranges: Mapping[str, Any], families: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in ranges.items():
        if name not in families:
            known = did_you_mean(str(name), list(map(str, families))) if families else "; the spec has no families"
            yield f"{key}[{name}]", NoRange(f"unknown family {shown(name)}{known}")
            continue
        given = value if isinstance(value, Mapping) else {}
        when = given.get("when") or {}
        conditional = {FAMILY: name, **when} if isinstance(when, Mapping) else when
        yield f"{key}[{name}]", {**given, "when": conditional} if given else value
