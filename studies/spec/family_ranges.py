"""Ranges by family: `method.beta_output: {hnet: {float: [...]}, hypermask: {float: [...]}}`.

Each becomes a searched field of its own, `method.beta_output[hnet]`, under the condition that the family is that one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from studies.spec.conditions import FAMILY


def with_family_ranges(content: Mapping[str, Any]) -> dict[str, Any]:
    """Replace the ranges by family of a raw spec; one that names no family stays, and a check complains."""
    families = content.get("families")
    if not isinstance(families, Mapping):
        return dict(content)
    search: dict[str, Any] = {}
    for key, value in content["search"].items():
        search.update(_by_family(str(key), value, families) if _names_families(value, families) else {key: value})
    return {**content, "search": search}


def _names_families(value: object, families: Mapping[str, Any]) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(name in families for name in value)


def _by_family(key: str, ranges: Mapping[str, Any], families: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in ranges.items():
        given = value if isinstance(value, Mapping) else {}
        when = given.get("when") or {}
        conditional = {FAMILY: name, **when} if isinstance(when, Mapping) else when
        yield f"{key}[{name}]", {**given, "when": conditional} if given else value
