"""Best value and front size of a running study, for its progress line."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from studies.spec.spec import SweepSpec
from studies.statistics.pareto import pareto_mask


def best_and_front(spec: SweepSpec, objectives: Collection[Sequence[float | None]]) -> list[str]:
    """Such as ["best final_accuracy 0.9571 at compression_ratio 0.42", "front 5"]; empty before the first result."""
    values = np.array([[np.nan if value is None else value for value in row] for row in objectives], dtype=float)
    values = values[~np.isnan(values).any(axis=1)] if len(values) else values
    if not len(values):
        return []
    names, directions = list(spec.objectives), list(spec.objectives.values())
    first = values[:, 0]
    best = int(first.argmax() if directions[0] == "maximize" else first.argmin())
    rest = ", ".join(f"{name} {value:.3g}" for name, value in zip(names[1:], values[best, 1:], strict=True))
    text = f"best {names[0]} {values[best, 0]:.4g}" + (f" at {rest}" if rest else "")
    return [text, f"front {int(pareto_mask(values, directions).sum())}"] if len(names) > 1 else [text]
