"""The metrics of kind "count" as SQL over the weight counts of a trial, for queries and views alike."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Double, cast

from hnet_core.trial import BYTES_PER_WEIGHT
from studies.database.schema import trial


def count_columns() -> dict[str, ColumnElement[Any]]:
    """Return the metrics of kind "count" as SQL, by name."""
    model, hypernet, target = trial.c.model_weights, trial.c.hypernet_weights, trial.c.target_weights
    ratio = _ratio(model, target)
    return {
        "compression_ratio": ratio,
        "compression_level": 1 - ratio,
        "hypernet_ratio": _ratio(hypernet, target),
        "model_weights": model,
        "hypernet_weights": hypernet,
        "target_weights": target,
        "trained_weights": trial.c.trained_weights,
        "weights_per_task": trial.c.weights_per_task,
        "model_bytes": BYTES_PER_WEIGHT * model + (trial.c.mask_bits + 7) // 8,
        "memory_bytes": trial.c.memory_bytes,
        "inference_multiply_adds": trial.c.inference_multiply_adds,
        "generation_multiply_adds": trial.c.generation_multiply_adds,
    }


def _ratio(weights: ColumnElement[int], of: ColumnElement[int]) -> ColumnElement[float]:
    # A custom operator with the precedence of a product: SQLAlchemy's division also casts the divisor, which is not
    # needed and differs between databases.
    return cast(weights, Double).op("/", precedence=8, return_type=Double())(of)
