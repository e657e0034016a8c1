"""The check of a raw trial block: every error with the path to its key."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from hnet_core.component_check import MAX_COMPLAINTS, Complaint, check_component, explain
from hnet_core.errors import ConfigInvalid
from hnet_core.registry import HYPERNETS, METHODS, STREAMS, TARGETS, TASK_INFERENCE, Registry
from hnet_core.trial import TrialConfig

COMPONENTS: dict[str, Registry] = {
    "stream": STREAMS,
    "method": METHODS,
    "target": TARGETS,
    "hypernet": HYPERNETS,
    "task_inference": TASK_INFERENCE,
}


def parse_trial(raw: Mapping[str, Any]) -> TrialConfig:
    """Check a raw trial block.

    Raises:
        ConfigInvalid: naming the first error.
    """
    config, complaints = check_trial(raw)
    if config is None:
        raise ConfigInvalid(str(complaints[0]))
    return config


def check_trial(raw: Mapping[str, Any]) -> tuple[TrialConfig | None, list[Complaint]]:
    """Check a raw trial block; return the configuration, or None and every error with the path to its key."""
    complaints: list[Complaint] = []
    checked = dict(raw)
    known = list(TrialConfig.model_fields)
    unknown = [str(key) for key in raw if key not in known]
    meant = [guess for key in unknown[:MAX_COMPLAINTS] for guess in get_close_matches(key, known, n=1)]
    for key, registry in COMPONENTS.items():
        if key in meant:
            checked.pop(key, None)  # what a search put there, beside the block that was misspelt
        elif raw.get(key) is not None:
            options, found = check_component(registry, raw[key])
            complaints += [one.below(key) for one in found]
            if options is None:
                checked.pop(key)  # reported once; the rest of the block is still worth checking
            else:
                checked[key] = options
    try:
        config = TrialConfig.model_validate(checked)
    except ValidationError as error:
        reported = {one.path[0] for one in complaints}
        # Without a path: that the method needs a hypernet block, which is noticed once all other blocks are right.
        rest = [one for one in explain(error, TrialConfig) if (one.path[0] if one.path else "hypernet") not in reported]
        return None, complaints + rest
    return (None, complaints) if complaints else (config, [])
