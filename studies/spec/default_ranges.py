"""`method.beta_output: default`: search ranges given by the author of a method or by the type of an option."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from hnet_core.config_validation import COMPONENTS, check_trial
from hnet_core.configuration.shown_value import cut
from hnet_core.errors import HnetError
from hnet_core.registry import TARGETS, did_you_mean
from hnet_core.trial import TrainingOptions, TrialConfig
from studies.spec.conditions import FAMILY, changed, family_blocks
from studies.spec.family_ranges import DEFAULT, names_families
from studies.spec.ranges import NoRange

RANGES = "{float: [low, high]}, {int: [low, high]} or {choice: [...]}"

# Large enough for every target network; the number of blocks does not depend on the sides of the images.
IMAGES = (64, 64, 3)


def with_default_ranges(content: Mapping[str, Any], data: Path | None = None) -> dict[str, Any]:
    """Replace `default` in a raw spec by ranges; where an option has none it becomes a `NoRange` with the reason.

    It holds for the families that have the option. Where their ranges differ each gets its own, as `family_ranges` has
    it.

    Args:
        data: data root, for ranges that depend on the size of a network for a user's own data set.
    """
    search = {str(key): _resolved(content, str(key), value, data) for key, value in content["search"].items()}
    return {**content, "search": search}


def default_range(field: FieldInfo) -> dict[str, Any] | None:
    """Return the range of one option: `search` in its `json_schema_extra`, the values of a Literal, true and false."""
    suggested = _suggested(field)
    if suggested is not None:
        return suggested
    if field.annotation is bool:
        return {"choice": [False, True]}
    if get_origin(field.annotation) is Literal:
        return {"choice": list(get_args(field.annotation))}
    return None


def _suggested(field: FieldInfo) -> dict[str, Any] | None:
    """Return the range that the author of an option gives."""
    extra = field.json_schema_extra
    found = extra.get("search") if isinstance(extra, dict) else None
    return dict(found) if isinstance(found, dict) else None


def _resolved(content: Mapping[str, Any], key: str, value: Any, data: Path | None) -> Any:
    """Return the range that `default` stands for, also inside ranges by family; any other value as it is."""
    families = content.get("families") or {}
    if isinstance(families, Mapping) and names_families(value, families):
        return {name: _of_family(content, name, key, data) if one == DEFAULT else one for name, one in value.items()}
    if value != DEFAULT or key == FAMILY:
        return value
    blocks = family_blocks(content)
    found = {name: one for name, block in blocks.items() if (one := _range_of(block, key, data)) is not None}
    if not found:
        return NoRange(_why_none(blocks, key))
    first = next(iter(found.values()))
    if any(one != first for one in found.values()):
        return found
    return first if len(found) == len(blocks) else {**first, "when": {FAMILY: list(found)}}


def _of_family(content: Mapping[str, Any], name: str, key: str, data: Path | None) -> Any:
    """Return the range that `default` stands for in one family; of an unknown family `default`, refused as such."""
    changes = (content.get("families") or {}).get(name)
    if not isinstance(changes, Mapping):
        return DEFAULT
    block = changed(content.get("trial") or {}, changes)
    return _range_of(block, key, data) or NoRange(_why_none({name: block}, key))


def _range_of(block: Mapping[str, Any], key: str, data: Path | None) -> dict[str, Any] | None:
    """Return the range of an option of the component that a trial block names; None without one."""
    part, _, option = key.partition(".")
    component = _component(block, part)
    field: FieldInfo | None = None if component is None else component.Options.model_fields.get(option)
    if field is None:
        return None
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    most_chunks: Any = extra.get("most_chunks")
    n_blocks = _n_blocks(block) if extra.get("of_blocks") else None
    n_weights = _n_weights(block, data) if most_chunks else None
    if n_blocks is not None:
        return {"choice": list(range(n_blocks + 1))}
    if n_weights is not None:
        return {"int": [-(-n_weights // most_chunks), n_weights], "log": True}
    return default_range(field)


def _why_none(blocks: Mapping[str, Mapping[str, Any]], key: str) -> str:
    """Return the reason why an option of these trial blocks has no range of its own, with a remedy."""
    part = key.partition(".")[0]
    if part in COMPONENTS and all(_component(block, part) is None for block in blocks.values()):
        return f"default needs the {COMPONENTS[part].kind} to be named in the trial block or a family; give {RANGES}"
    options = {name: field for block in blocks.values() for name, field in _options(block).items()}
    if key in TrialConfig.model_fields or any(key == one or key.startswith(f"{one}.") for one in options):
        return f"{key} has no default range; give {RANGES}"
    of_part = [name for name in options if name.startswith(f"{part}.")]
    axes = [name for name in of_part if _suggested(options[name]) is not None]
    known = did_you_mean(key, axes if get_close_matches(key, axes) else of_part or list(options), all_in="hnet list")
    if len(blocks) > 1:
        return f"no family has an option {cut(key)}{known}"
    return f"the {'trial block' if '' in blocks else 'family'} has no option {cut(key)}{known}"


def _options(block: Mapping[str, Any]) -> dict[str, FieldInfo]:
    """Return the options of a trial block by dotted name: those of the components it names, and of training."""
    found = {part: component.Options for part in COMPONENTS if (component := _component(block, part)) is not None}
    models = {**found, "training": TrainingOptions}
    return {f"{part}.{name}": field for part, model in models.items() for name, field in model.model_fields.items()}


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


def _n_weights(block: Mapping[str, Any], data: Path | None) -> int | None:
    """Return the weights of the target network of a trial block; None if that is incomplete, wrong or lacks data."""
    from hnet_core.build import stream_shape  # imports torch

    config, _ = check_trial(block)
    if config is None:
        return None
    try:
        shape = stream_shape(config, data)
        return int(TARGETS[config.target.name](config.target, shape.input_shape, shape.n_outputs).n_weights)
    except (HnetError, ValueError):  # reported with its line later
        return None
