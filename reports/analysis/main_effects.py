"""Main effects: mean quality at each value of a searched parameter, over all values of the others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from reports.data.study_data import StudyData
from reports.formatting import parameter
from reports.table import Row, interval_cells
from studies.statistics.interval import Interval
from studies.statistics.intervals import bounded, t_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_SINGLE_VALUES = 8
BINS = 5
MIN_SHARED = 3


@dataclass(frozen=True)
class Effect:
    """Mean quality of the configurations that share a value, or a range of values.

    Attributes:
        label: the value or range as text.
        position: on the axis of the parameter: the value itself, or the middle of the range.
        final, during: mean over configurations with a 95 % t interval; n counts configurations, not seeds.
    """

    label: str
    position: Any
    final: Interval
    during: Interval


def main_effects(data: StudyData, name: str) -> list[Effect]:
    """Compute one effect per value where there are few, else per fifth of the configurations sorted by value."""
    import numpy as np

    values = data.columns.parameter(name)
    if values.is_number and "choice" not in data.space(name):
        known = values.is_known.nonzero()[0]
        if len(np.unique(values.numbers[known])) > MAX_SINGLE_VALUES:
            order = known[np.lexsort((data.columns.numbers[known], values.numbers[known]))]
            return [_range_effect(data, name, part) for part in _parts(order)]
    found = list(enumerate(values.distinct.values()))
    if values.is_number:
        found.sort(key=lambda one: one[1])
    return [_effect(data, values.which == place, value, parameter(value)) for place, value in found]


def effect_rows(effects: Mapping[str, Sequence[Effect]]) -> list[Row]:
    """List every effect of every parameter, exact."""
    return [
        {
            "parameter": name,
            "value": effect.label,
            "n": effect.final.n,
            **interval_cells("final", effect.final),
            **interval_cells("during", effect.during),
        }
        for name, found in effects.items()
        for effect in found
    ]


def well_supported(effects: Sequence[Effect]) -> list[Effect]:
    """Select effects over three configurations or more."""
    return [effect for effect in effects if effect.final.n >= MIN_SHARED]


def effect_span(effects: Sequence[Effect]) -> float | None:
    """Return best minus worst mean of the well-supported effects."""
    means = [effect.final.mean for effect in well_supported(effects) if effect.final.mean is not None]
    return max(means) - min(means) if len(means) > 1 else None


def _parts(order: NDArray[np.int_]) -> list[NDArray[np.int_]]:
    cuts = [round(i * len(order) / BINS) for i in range(BINS + 1)]
    return [order[low:high] for low, high in pairwise(cuts) if high > low]


def _range_effect(data: StudyData, name: str, places: NDArray[np.int_]) -> Effect:
    low, high = (data.configurations[places[end]].params[name] for end in (0, -1))
    is_log = bool(data.space(name).get("log")) and low > 0
    middle = math.sqrt(low * high) if is_log else (low + high) / 2
    return _effect(data, places, middle, f"{parameter(low)} to {parameter(high)}")


def _effect(data: StudyData, places: NDArray[np.int_ | np.bool_], position: Any, label: str) -> Effect:
    """Compute the effect of the configurations at some indices, or chosen by a mask."""
    final, during = (
        bounded(metric, t_interval(data.columns[metric][places].tolist()))
        for metric in (data.quality.final, data.quality.during)
    )
    return Effect(label, position, final, during)
