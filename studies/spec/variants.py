"""Variants of a spec: named sets of changes it carries, such as a smoke variant that takes two minutes."""

from __future__ import annotations

from collections.abc import Mapping

from hnet_core.errors import ConfigInvalid, NotFound
from hnet_core.registry import did_you_mean
from studies.spec.document import Document
from studies.spec.overrides import TRIAL_KEYS, assign, locate


def take_variant(document: Document, name: str | None) -> None:
    """Apply a variant of a spec in place and remove the block `variants`; None takes the spec as it stands.

    A variant is a block of dotted keys and values, as for `--set`: `variants: {smoke: {budget.trials: 2}}`. Its study
    is called after it, `<study>_smoke`, unless it names one.

    Raises:
        NotFound: the spec has no such variant.
        ConfigInvalid: `variants` is no block of blocks, or a key in it is none of a spec.
    """
    from studies.spec.spec import SweepSpec

    variants = document.content.pop("variants", {})
    place = document.place(("variants",))
    if not isinstance(variants, Mapping) or not all(isinstance(changes, Mapping) for changes in variants.values()):
        raise ConfigInvalid(f"{place}: variants: must be a block of blocks, such as smoke: {{budget.trials: 2}}.")
    if name is None:
        return
    if name not in variants:
        known = did_you_mean(name, list(variants)) if variants else "; it has none"
        raise NotFound(f"{document.source} has no variant {name!r}{known}.")
    content = document.content
    top_keys = tuple(SweepSpec.model_fields) if "trial" in content else TRIAL_KEYS
    if isinstance(content.get("study"), str):
        content["study"] = f"{content['study']}_{name}"
    for key, value in variants[name].items():
        where = document.place(("variants", name, key))
        path = locate(str(key), top_keys, where)
        assign(content, path, value, f"{where}: {key}")
        document.lines[tuple(path)] = document.lines[("variants", name, key)]


def variant_names(document: Document) -> list[str]:
    """Return the variants of a spec as read."""
    variants = document.content.get("variants")
    return [str(name) for name in variants] if isinstance(variants, Mapping) else []
