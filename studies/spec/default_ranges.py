"""`method.beta_output: default`: search ranges given by the author of a method or by the type of an option."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from hnet_core.config_validation import COMPONENTS
from studies.spec.conditions import FAMILY, family_blocks

DEFAULT = "default"

# Large enough for every target network; the number of blocks does not depend on the sides of the images.
IMAGES = (64, 64, 3)


def with_default_ranges(content: Mapping[str, Any]) -> dict[str, Any]:
    """Replace `default` in a raw spec by ranges; where an option has none it stays, and a check complains.

    It holds for the families that have the option. Where their ranges differ each gets its own, as `family_ranges` has
    it.
    """
    blocks = family_blocks(content)
    search = {str(key): _resolved(blocks, str(key), value) for key, value in content["search"].items()}
    return {**content, "search": search}


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


def _resolved(blocks: Mapping[str, Mapping[str, Any]], key: str, value: Any) -> Any:
    """Return the range that `default` stands for, also inside ranges by family; any other value as it is."""
    if isinstance(value, Mapping):
        wanted = [name for name, one in value.items() if one == DEFAULT and name in blocks]
        return {**value, **{name: _range_of(blocks[name], key) or DEFAULT for name in wanted}}
    if value != DEFAULT:
        return value
    found = {name: one for name, block in blocks.items() if (one := _range_of(block, key)) is not None}
    first = next(iter(found.values()), value)
    if any(one != first for one in found.values()):
        return found
    return first if len(found) in (0, len(blocks)) else {**first, "when": {FAMILY: list(found)}}


def _range_of(block: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    """Return the range of an option of the component that a trial block names; None without one."""
    part, _, option = key.partition(".")
    component = _component(block, part)
    field: FieldInfo | None = None if component is None else component.Options.model_fields.get(option)
    if field is None:
        return None
    extra = field.json_schema_extra
    n_blocks = _n_blocks(block) if isinstance(extra, dict) and extra.get("of_blocks") else None
    return default_range(field) if n_blocks is None else {"choice": list(range(n_blocks + 1))}


def _component(block: Mapping[str, Any], part: str) -> Any:
    """Return the stream, method, target or hypernetwork that a trial block names; None if it names none."""
    named = block.get(part)
    name = named.get("name") if isinstance(named, Mapping) else None
    return COMPONENTS[part][name] if isinstance(name, str) and name in COMPONENTS.get(part, {}) else None


def _n_blocks(block: Mapping[str, Any]) -> int | None:
    """Return how many blocks of the target network of a trial block can be frozen; None if its options are wrong."""
    target = _component(block, "target")
    try:
        return (
            None if target is None else int(target(target.Options.model_validate(block["target"]), IMAGES, 2).n_blocks)
        )
    except ValueError:  # reported with its line later
        return None
