"""Columns of a trial that are known before training: its configuration, weight counts and constraints."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from hnet_core.build import networks, stream_shape
from hnet_core.trial import TrialConfig
from studies.metrics.values import static_metrics
from studies.spec.constraints import Constraint
from studies.spec.spec import SweepSpec
from studies.store.suggested_trial import SuggestedTrial


def suggested_trial(config: TrialConfig, params: Mapping[str, Any], data_root: str) -> SuggestedTrial:
    """Describe a valid configuration, with its weights counted."""
    shape = stream_shape(config, data_root)
    block = config.model_dump(mode="json")
    return SuggestedTrial(block, config.hash(), params, shape.measure, networks(config, shape).counts)


def invalid_trial(
    block: Mapping[str, Any], params: Mapping[str, Any], spec: SweepSpec, data_root: str
) -> SuggestedTrial:
    """Describe a combination of values that is no valid configuration, without counts."""
    digest = hashlib.sha256(json.dumps(block, sort_keys=True, allow_nan=False).encode()).hexdigest()[:16]
    return SuggestedTrial(block, digest, params, stream_shape(spec.config(), data_root).measure, None)


def static_violations(spec: SweepSpec, trial: SuggestedTrial) -> dict[Constraint, float]:
    """Violation of each constraint that the weight counts of a trial decide; above 0, the constraint is broken."""
    known = {} if trial.counts is None else static_metrics(trial.counts)
    return {
        constraint: constraint.violation(value)
        for constraint in spec.parsed_constraints
        if (value := known.get(constraint.metric)) is not None
    }
