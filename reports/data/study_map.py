"""All configurations of a study of any size as arrays: the trade-off, the front, and the points worth drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from reports.data.study_data import Quality, StudyData, machines_of_cost, quality_of, trials_of
from reports.data.trial import Trial
from reports.data.trial_arrays import TrialColumns
from studies.metrics.cost_axes import COMPRESSION, CostAxis, axis_of_objectives, cost_axis
from studies.metrics.definitions import METRICS, SELECTED_BY, VARYING
from studies.spec.constraints import feasible
from studies.statistics.selection import Candidates, front_mask, has_every, plane

if TYPE_CHECKING:
    from studies.queries.record import StudyRecord
    from studies.queries.studies import Studies

MAX_POINTS = 2000
BINS = 100  # of the axis of costs, each of which keeps its best points


@dataclass(frozen=True)
class StudyMap:
    """The finished configurations of a study that have a quality and a cost, by number, duplicates left out.

    Attributes:
        numbers: (n_configurations,), as the other arrays.
        costs, finals: the cost `x`, and the final measure on the test split.
        is_feasible: meets the constraints of the study.
        on_front: not dominated under the objectives of the study, or by quality and cost, see `is_front_of_axis`.
        best: number of the best trial by its quality; None without any.
        seeds: finished seeds.
        finished: when it finished, seconds since 1970.
        objectives: each objective of the study on the test split, NaN where it was not measured.
        x: the cost that quality is traded for.
        is_front_of_axis: the front was decided by quality and that cost, whatever the objectives of the study are.
        machines: as in `StudyData`.
        n_left_out: other finished configurations, which lack a quality or that cost.
    """

    record: StudyRecord
    quality: Quality
    numbers: NDArray[np.int_]
    costs: NDArray[np.float64]
    finals: NDArray[np.float64]
    is_feasible: NDArray[np.bool_]
    on_front: NDArray[np.bool_]
    best: int | None
    seeds: NDArray[np.int_]
    finished: NDArray[np.float64]
    objectives: Mapping[str, NDArray[np.float64]]
    x: CostAxis = COMPRESSION
    is_front_of_axis: bool = False
    machines: frozenset[str | None] = frozenset()
    n_left_out: int = 0

    def __len__(self) -> int:
        return len(self.numbers)

    @cached_property
    def losses(self) -> NDArray[np.float64]:
        """The final measure, negated where higher is better."""
        return -self.finals if self.quality.higher_is_better else self.finals

    def among(self, numbers: NDArray[np.int_]) -> NDArray[np.bool_]:
        """Return a mask of the configurations with one of these numbers, ascending, (n_configurations,)."""
        if not len(numbers):
            return np.zeros(len(self), dtype=bool)
        places = np.minimum(np.searchsorted(numbers, self.numbers), len(numbers) - 1)
        found: NDArray[np.bool_] = numbers[places] == self.numbers
        return found

    def worth_drawing(self, chosen: NDArray[np.bool_], at_most: int = MAX_POINTS) -> NDArray[np.bool_]:
        """Return a mask of the points of `chosen` that matter most, (n_configurations,).

        These are the front, then the best of each hundredth of the axis of costs, so that the upper edge of the cloud
        is drawn point by point along its whole length.
        """
        if chosen.sum() <= at_most:
            return chosen
        places = np.flatnonzero(chosen)
        along = self._along_axis(self.costs[places])
        low, high = along.min(), along.max()
        bins = np.minimum(((along - low) / ((high - low) or 1.0) * BINS).astype(int), BINS - 1)
        order = np.lexsort((self.losses[places], bins))
        starts = np.searchsorted(bins[order], np.arange(BINS))
        rank = np.empty(len(places), dtype=int)
        rank[order] = np.arange(len(places)) - starts[bins[order]]
        kept = np.lexsort((self.losses[places], rank, ~self.on_front[places]))[:at_most]
        mask = np.zeros(len(self), dtype=bool)
        mask[places[kept]] = True
        return mask

    def _along_axis(self, costs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return costs as lengths on their axis, (n,): logarithms (of 0 that of the least other one), or themselves."""
        if not self.x.is_log:
            return costs
        positive = costs[costs > 0]
        return np.log(np.maximum(costs, positive.min() if len(positive) else 1.0))

    def cost_ends(self, chosen: NDArray[np.bool_]) -> list[float]:
        """Return the smallest cost of `chosen`, the smallest above 0 if there is one, and the largest."""
        costs = self.costs[chosen]
        positive = costs[costs > 0]
        return sorted({float(costs.min()), float(positive.min() if len(positive) else costs.min()), float(costs.max())})

    def evenly(self, chosen: NDArray[np.bool_], at_most: int) -> NDArray[np.bool_]:
        """Return a mask of at most so many points of `chosen`, evenly spaced by number, (n_configurations,)."""
        places = np.flatnonzero(chosen)
        if len(places) > at_most:
            places = places[np.linspace(0, len(places) - 1, at_most).round().astype(int)]
        mask = np.zeros(len(self), dtype=bool)
        mask[places] = True
        return mask


def read_map(studies: Studies, name: str, x: str | None = None) -> StudyMap:
    """Read the finished configurations of a study.

    Args:
        x: the cost that quality is traded for, as in `read_study`.

    Raises:
        StudyNotFound: if there is no study of that name.
        ConfigInvalid: if `x` is no cost.
    """
    record = studies.study(name)
    axis = axis_of_objectives(record.objectives) if x is None else cost_axis(x)
    wanted = [*record.objectives, *SELECTED_BY, axis.metric, *record.constraints]
    metrics = dict.fromkeys(each for metric in wanted for each in (metric, SELECTED_BY.get(metric, metric)))
    columns = studies.measured(name, ["number", "n", "finished_at", *metrics])
    numbers = columns["number"].astype(int)
    is_feasible = feasible(columns.__getitem__, record.constraints, len(numbers))
    everything = np.ones(len(numbers), dtype=bool)
    final = _candidates(columns, everything, record.objectives, axis).final
    candidates = _candidates(columns, is_feasible, record.objectives, axis)
    goals = record.objectives if x is None else plane(final, axis.metric)
    shown = has_every(columns.__getitem__, (final, axis.metric))
    on_front = np.zeros(len(numbers), dtype=bool)
    on_front[is_feasible] = front_mask(candidates.values, goals)
    quality = quality_of(final, columns.__getitem__, is_feasible & shown)
    return StudyMap(
        record=record,
        quality=quality,
        numbers=numbers[shown],
        costs=columns[axis.metric][shown],
        finals=columns[final][shown],
        is_feasible=is_feasible[shown],
        on_front=(on_front & shown)[shown],
        best=candidates.best(),
        seeds=columns["n"][shown].astype(int),
        finished=columns["finished_at"][shown],
        objectives={name: columns[name][shown] for name in record.objectives},
        x=axis,
        is_front_of_axis=x is not None,
        machines=machines_of_cost(studies, name, axis),
        n_left_out=int((~shown).sum()),
    )


def read_some(studies: Studies, map: StudyMap, chosen: NDArray[np.bool_]) -> StudyData:
    """Read the trials of `chosen` in full, as the data of a report that has these alone."""
    trials = _read_trials(studies, map.record, _shown(map), map.numbers[chosen].tolist())
    table = TrialColumns(trials)
    front = table.where(table.among(map.numbers[map.on_front].tolist()))
    return StudyData(
        record=map.record,
        quality=map.quality,
        parameters=tuple(map.record.searched),
        trials=trials,
        configurations=trials,
        feasible=frozenset(map.numbers[map.is_feasible & chosen].tolist()),
        front=tuple(sorted(front, key=lambda trial: (trial.value(map.x.metric), trial.number))),
        x=map.x,
        is_front_of_axis=map.is_front_of_axis,
        machines=map.machines,
    )


def read_one(studies: Studies, name: str, number: int, measure: str) -> StudyData:
    """Read one trial in full, in any state, as the data of a report that has it alone; raises StudyNotFound."""
    record = studies.study(name)
    quality = quality_of(f"final_{measure}", lambda metric: np.full(1, np.nan), np.zeros(1, dtype=bool))
    trials = _read_trials(studies, record, list(VARYING), [number])
    return StudyData(record, quality, tuple(record.searched), trials, trials, frozenset({number}), ())


def _read_trials(
    studies: Studies, record: StudyRecord, with_interval: Sequence[str], numbers: Sequence[int]
) -> tuple[Trial, ...]:
    ends = [f"{name}.{end}" for name in with_interval for end in ("low", "high")]
    columns = ["number", "state", "reason", "duplicate_of", "n", "params", *METRICS, *ends]
    return trials_of(studies.rows_of(record.name, numbers, columns), tuple(record.searched))


def _shown(map: StudyMap) -> Sequence[str]:
    """List the metrics whose intervals are shown."""
    quality = map.quality
    varying = [name for name in map.record.objectives if name in VARYING]
    return list(dict.fromkeys([quality.final, quality.during, quality.selection, "forgetting", *varying]))


def _candidates(
    columns: dict[str, NDArray[np.float64]], chosen: NDArray[np.bool_], objectives: dict[str, str], x: CostAxis
) -> Candidates:
    numbers = columns["number"][chosen].astype(int)
    return Candidates(numbers, lambda metric: columns[metric][chosen], objectives, x.metric)
