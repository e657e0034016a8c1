"""Keys of a spec that may change when a study is continued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from hnet_core.config_validation import COMPONENTS
from hnet_core.trial import UNHASHED_TRAINING_KEYS, TrainingOptions, TrialConfig
from studies.spec.conditions import changed
from studies.spec.spec import SweepSpec

# Keys that may change when a study is continued.
CHANGEABLE = (
    ("budget",),
    ("limits",),
    ("resources",),
    ("notify",),
    ("keep",),
    ("seeds",),
    ("paper",),
    ("trial", "method", "start_from"),  # the model must be the same, its place may change
    *(("trial", "training", key) for key in UNHASHED_TRAINING_KEYS),
)


def fixed_part(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a spec without the keys that may change when a study is continued."""
    return _without(spec, CHANGEABLE)


def as_read_today(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """Fill a spec stored by an earlier hnet with the defaults of keys added since."""
    try:
        return SweepSpec.model_validate(stored).to_dict()
    except ValidationError:  # no longer valid: it is compared and shown as stored
        return stored


def with_defaults(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """A stored spec with every default filled in, those of the trial block too; each family as the block it makes."""
    try:
        spec = SweepSpec.model_validate(stored)
    except ValidationError:  # of an import, or no longer valid
        return stored
    families = {name: filled(changed(spec.trial, changes)) for name, changes in spec.families.items()}
    trial = spec.trial if families else filled(spec.trial)
    return {**spec.to_dict(), "trial": trial, "families": families}


def filled(block: Mapping[str, Any]) -> dict[str, Any]:
    """Return a trial block with the defaults of its parts; what a search gives may be missing, and stays so."""
    options = {key: COMPONENTS[key][block[key]["name"]].Options for key in COMPONENTS if _is_known(key, block)}
    filled = {key: {**_defaults(model), **block[key]} for key, model in options.items()}
    training = {**_defaults(TrainingOptions), **(block.get("training") or {})}
    whole: dict[str, Any] = {**_defaults(TrialConfig), **block, **filled, "training": training}
    return {key: value for key, value in whole.items() if value is not None}


def _is_known(key: str, block: Mapping[str, Any]) -> bool:
    part = block.get(key)
    return isinstance(part, Mapping) and part.get("name") in COMPONENTS[key]


def _defaults(model: type[BaseModel]) -> dict[str, Any]:
    found = {name: field.default for name, field in model.model_fields.items() if not field.is_required()}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def _without(content: Mapping[str, Any], paths: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    kept = {}
    for key, value in content.items():
        if (key,) in paths:
            continue
        deeper = [path[1:] for path in paths if len(path) > 1 and path[0] == key]
        kept[key] = _without(value, deeper) if deeper and isinstance(value, Mapping) else value
    return kept
