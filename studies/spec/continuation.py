"""Keys of a spec that may change when a study is continued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from hnet_core.trial import UNHASHED_TRAINING_KEYS
from studies.spec.spec import SweepSpec

# Keys that may change when a study is continued.
CHANGEABLE = (
    ("budget",),
    ("limits",),
    ("keep",),
    ("seeds",),
    ("paper",),
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


def _without(content: Mapping[str, Any], paths: Sequence[tuple[str, ...]]) -> dict[str, Any]:
    kept = {}
    for key, value in content.items():
        if (key,) in paths:
            continue
        deeper = [path[1:] for path in paths if len(path) > 1 and path[0] == key]
        kept[key] = _without(value, deeper) if deeper and isinstance(value, Mapping) else value
    return kept
