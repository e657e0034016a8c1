"""What the database is told of a trial that was asked for, before anything is trained."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from hnet_core.build import networks, stream_shape
from hnet_core.trial import TrialConfig
from studies.metrics.definitions import static_metrics
from studies.spec.constraints import Constraint
from studies.spec.spec import SweepSpec
from studies.store.suggested_trial import AskedTrial


def asked_trial(config: TrialConfig, params: Mapping[str, Any], data_root: str) -> AskedTrial:
    """A configuration with its weights counted."""
    shape = stream_shape(config, data_root)
    block = config.model_dump(mode="json")
    return AskedTrial(block, config.hash(), params, shape.measure, networks(config, shape).counts)


def impossible_trial(
    asked: Mapping[str, Any], params: Mapping[str, Any], spec: SweepSpec, data_root: str
) -> AskedTrial:
    """A combination that makes no configuration: as it was asked for, with nothing counted."""
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True, allow_nan=False).encode()).hexdigest()[:16]
    return AskedTrial(asked, digest, params, stream_shape(spec.config(), data_root).measure, None)


def known_violations(spec: SweepSpec, trial: AskedTrial) -> dict[Constraint, float]:
    """How far a trial is from keeping each constraint that its weights alone decide; above 0, it breaks it."""
    known = {} if trial.counts is None else static_metrics(trial.counts)
    return {
        constraint: constraint.violation(value)
        for constraint in spec.parsed_constraints
        if (value := known.get(constraint.metric)) is not None
    }
