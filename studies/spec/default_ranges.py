"""`method.beta_output: default`: search ranges given by the author of a method or by the type of an option."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from hnet_core.config_validation import COMPONENTS

DEFAULT = "default"


def with_default_ranges(content: Mapping[str, Any]) -> dict[str, Any]:
    """Replace `default` in a raw spec by ranges; where an option has none it stays, and a check complains."""
    search = content["search"]
    ranges = {key: _range_of(content, key) or value for key, value in search.items() if value == DEFAULT}
    return {**content, "search": {**search, **ranges}}


def default_range(field: FieldInfo) -> dict[str, Any] | None:
    """Return the range of one option: `search` in its `json_schema_extra`, the values of a Literal, true and false."""
    extra = field.json_schema_extra
    if isinstance(extra, dict) and isinstance(extra.get("search"), dict):
        return dict(extra["search"])  # type: ignore[arg-type]
    if field.annotation is bool:
        return {"choice": [False, True]}
    if get_origin(field.annotation) is Literal:
        return {"choice": list(get_args(field.annotation))}
    return None


def _range_of(content: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    block, _, option = key.partition(".")
    for component in _components(content, block):
        field = component.Options.model_fields.get(option)
        if field is not None and (found := default_range(field)) is not None:
            return found
    return None


def _components(content: Mapping[str, Any], block: str) -> Iterator[Any]:
    """Yield the stream, method, target or hypernetwork of the trial block, and of each family."""
    families = content.get("families")
    trials = [content.get("trial"), *(families.values() if isinstance(families, Mapping) else ())]
    for trial in trials:
        named = trial.get(block) if isinstance(trial, Mapping) else None
        name = named.get("name") if isinstance(named, Mapping) else None
        if isinstance(name, str) and name in COMPONENTS.get(block, {}):
            yield COMPONENTS[block][name]
