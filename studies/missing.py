"""Missing values: NaN in arrays, None everywhere else."""

from __future__ import annotations


def nan_to_none(value: float | None) -> float | None:
    """Return the value, None for NaN."""
    return None if value is None or value != value else value
