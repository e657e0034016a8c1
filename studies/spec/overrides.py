"""`--set key=value`: changes to a spec or a configuration from the command line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from hnet_core import dotted_keys
from hnet_core.configuration.shown_value import cut, shown
from hnet_core.errors import ConfigInvalid
from hnet_core.registry import did_you_mean
from hnet_core.trial import TrialConfig
from studies.spec.conditions import family_blocks
from studies.spec.document import MAX_LINE, Document
from studies.spec.yaml_subset import NotAccepted, load_yaml, yaml_problem

TRIAL_KEYS = tuple(TrialConfig.model_fields)


def apply_overrides(document: Document, assignments: Iterable[str], top_keys: Iterable[str]) -> None:
    """Change the content of `document` in place and note what was changed.

    Args:
        document: a raw spec, or a raw trial configuration where `top_keys` are those of a TrialConfig.
        assignments: such as "training.iterations=200" or "budget.trials=12"; the value is read as YAML. A key of the
            trial block needs no "trial." before it; a searched field is written "search.method.beta_output=...".

    Raises:
        ConfigInvalid: no "=", no such top-level key, or a block where a value stands.
    """
    top_keys = tuple(top_keys)
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key:
            raise ConfigInvalid(f"--set must be key=value, got {shown(assignment)}; such as training.iterations=200.")
        try:
            if len(text) > MAX_LINE:
                raise ConfigInvalid(
                    f"--set {key}: the value must have at most {MAX_LINE:,} characters, got {len(text):,}."
                )
            value = load_yaml(text)[1]
        except NotAccepted as error:
            raise ConfigInvalid(f"--set {key}: {yaml_problem(error)}") from None
        except yaml.YAMLError:
            raise ConfigInvalid(f"--set {key}: the value must be YAML, got {shown(text)}.") from None
        path = locate(key, top_keys, "--set")
        if isinstance(value, str) and "name" in _block(dotted_keys.get(document.content, path, None)):
            raise ConfigInvalid(
                f"--set {key}: must be a block with a name, got {shown(value)}; such as "
                f"--set '{key}={{name: {cut(value)}}}'."
            )
        assign(document.content, path, value, f"--set {cut(assignment)}")
        document.overrides[tuple(path)] = assignment


def apply_again(document: Document, block: dict[str, Any]) -> None:
    """Apply the `--set` arguments to a trial block made from a spec; they override the changes of a family."""
    for path, value, assignment in _set_in_trial(document):
        assign(block, path, value, f"--set {cut(assignment)}")


def _block(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}


def refuse_lost(document: Document) -> None:
    """Refuse `--set` arguments for the trial block of a valid spec that every searched family overrides.

    Raises:
        ConfigInvalid: one line for each.
    """
    blocks = family_blocks(document.content)
    first = next(iter(blocks))
    lost = [
        f"--set {cut(assignment)}: changes nothing, as each family sets {path[0]} itself; name the family, such as "
        f"--set families.{first}.{'.'.join(path)}=..."
        for path, value, assignment in _set_in_trial(document)
        if first and not any(_keeps(dotted_keys.get(block, path, None), value) for block in blocks.values())
    ]
    if lost:
        raise ConfigInvalid("\n".join(lost))


def _set_in_trial(document: Document) -> Iterator[tuple[list[str], Any, str]]:
    """Yield the path within the trial block, value and argument of each `--set` that changed it."""
    for (first, *rest), assignment in document.overrides.items():
        if first == "trial" and rest:
            path = [str(key) for key in rest]
            yield path, dotted_keys.get(document.content["trial"], path, None), assignment


def _keeps(found: Any, value: Any) -> bool:
    """Return whether part of a value that was set is still there; a block may have further keys."""
    if isinstance(value, Mapping) and isinstance(found, Mapping):
        return any(_keeps(found.get(key), each) for key, each in value.items())
    return bool(found == value)


def locate(key: str, top_keys: tuple[str, ...], where: str) -> list[str]:
    """Return the path of a dotted key; `where` begins the error if it has none."""
    first, *rest = key.split(".")
    if first == "search" and rest:
        return [first, ".".join(rest)]
    if first in top_keys:
        return [first, *rest]
    if first in TRIAL_KEYS and "trial" in top_keys:
        return ["trial", first, *rest]
    known = [*top_keys, *(TRIAL_KEYS if "trial" in top_keys else ())]
    raise ConfigInvalid(f"{where}: unknown key {first!r}{did_you_mean(first, known)}.")


def assign(content: dict[str, Any], path: list[str], value: object, where: str) -> None:
    """Set the value at a path, making the blocks on the way; `where` begins the error if one of them is a value."""
    try:
        dotted_keys.put(content, path, value)
    except dotted_keys.NotABlock as error:
        raise ConfigInvalid(f"{where}: {error}.") from None
