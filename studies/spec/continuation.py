"""Which keys of a spec may change when a study goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from hnet_core.trial import UNHASHED_TRAINING_KEYS
from studies.spec.spec import SweepSpec

# What may change when a study goes on.
CHANGEABLE = (
    ("budget",),
    ("limits",),
    ("keep",),
    ("seeds",),
    ("paper",),
    *(("trial", "training", key) for key in UNHASHED_TRAINING_KEYS),
)


def fixed_part(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A spec without what may change between two starts of the same study."""
    return _without(spec, CHANGEABLE)


def as_read_today(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """A spec as an earlier hnet stored it, with the defaults of what has been added since."""
    try:
        return SweepSpec.model_validate(stored).to_dict()
    except ValidationError:  # then it differs, and is shown as it is
        return stored


def _without(content: Mapping[str, Any], paths: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    kept = {}
    for key, value in content.items():
        if (key,) in paths:
            continue
        deeper = [path[1:] for path in paths if len(path) > 1 and path[0] == key]
        kept[key] = _without(value, deeper) if deeper and isinstance(value, Mapping) else value
    return kept
