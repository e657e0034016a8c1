"""The data of one study, read once for a report: trials, Pareto front and quality measure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from reports.data.trial import Measured, Trial
from reports.data.trial_arrays import TrialColumns
from reports.exact_values import exact_json
from reports.formatting import plural
from studies.metrics.cost_axes import COMPRESSION, CostAxis, axis_of_objectives, cost_axis
from studies.metrics.definitions import METRICS, VARYING
from studies.spec.constraints import feasible
from studies.statistics.selection import Candidates, deciding, front_mask, has_every, plane

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from studies.queries.record import StudyRecord
    from studies.queries.row_selection import Rows
    from studies.queries.studies import Studies

MAX_INDIVIDUAL = 1500
MAX_OFF_FRONT = 200
MAX_RUNS = 100_000
MEASURE_WORDS = {"accuracy": "accuracy", "mse": "mean squared error"}


@dataclass(frozen=True)
class Quality:
    """The measure on the y axis: accuracy (higher is better) or mean squared error (lower is better).

    Attributes:
        final: metric on the test split after the last task; every number shown is this one.
        during: the measure on each task right after that task was trained.
        selection: the metric choices are made by: on the validation split where the study has one.
        word: name of the measure in a sentence.
    """

    final: str
    during: str
    selection: str
    word: str

    @property
    def higher_is_better(self) -> bool:
        return METRICS[self.final].better == "higher"

    @property
    def measure(self) -> str:
        """accuracy or mse."""
        return self.final.removeprefix("final_")

    @property
    def axis_label(self) -> str:
        """The text along its axis."""
        return f"{self.word}, mean over seeds"

    @property
    def has_validation(self) -> bool:
        return self.selection != self.final


@dataclass(frozen=True)
class StudyData:
    """The data of one study, from which everything in its report is derived.

    Attributes:
        parameters: dotted names of the searched values, in the order of the spec; of an imported study without a
            search, the settings in which its trials differ.
        trials: every trial of the study by number.
        configurations: the finished ones with a quality and a cost, duplicates left out.
        feasible: numbers of those that meet the constraints of the study.
        front: the non-dominated ones under the objectives of the study, by growing cost.
        outdated: what an earlier version computed in a wrong way, in sentences.
        x: the cost that quality is traded for.
        is_front_of_axis: the front was decided by quality and that cost, whatever the objectives of the study are.
        machines: that measured it, where it is a cost of training; a host that is not known is None.
    """

    record: StudyRecord
    quality: Quality
    parameters: tuple[str, ...]
    trials: tuple[Trial, ...]
    configurations: tuple[Trial, ...]
    feasible: frozenset[int]
    front: tuple[Trial, ...]
    outdated: tuple[str, ...] = ()
    x: CostAxis = COMPRESSION
    is_front_of_axis: bool = False
    machines: frozenset[str | None] = frozenset()

    @property
    def front_is_tradeoff(self) -> bool:
        """Return whether the objectives of the front are those of the figure: quality and cost."""
        return self.is_front_of_axis or set(self.record.objectives) == {self.quality.final, self.x.metric}

    @property
    def goals(self) -> Mapping[str, str]:
        """The metrics that the front was decided by, with their directions."""
        return plane(self.quality.final, self.x.metric) if self.is_front_of_axis else self.record.objectives

    def cost(self, trial: Trial) -> float:
        """Return the cost of a configuration, its mean over seeds."""
        return trial.value(self.x.metric)

    def by_cost(self, trials: Iterable[Trial]) -> list[Trial]:
        """Return trials by growing cost, equal ones by number."""
        return sorted(trials, key=lambda trial: (self.cost(trial), trial.number))

    def space(self, parameter: str) -> Mapping[str, Any]:
        """Return the searched range or choices of a parameter, as in the spec; of an imported one, those it holds."""
        found: Mapping[str, Any] | None = (self.record.spec.get("search") or {}).get(parameter)
        return self.columns.parameter(parameter).space if found is None else found

    @cached_property
    def varied(self) -> tuple[str, ...]:
        """The parameters of which the finished configurations hold more than one value."""
        return tuple(name for name in self.parameters if is_varied(self, name))

    @property
    def has_too_many_runs(self) -> bool:
        """Return whether views of single runs are left out, because reading every run takes too long."""
        return sum(trial.n for trial in self.configurations) > MAX_RUNS

    @cached_property
    def columns(self) -> TrialColumns:
        """The configurations by column."""
        return TrialColumns(self.configurations)

    @cached_property
    def costs(self) -> NDArray[np.float64]:
        """The cost of each configuration, (n_configurations,)."""
        return self.columns[self.x.metric]

    @cached_property
    def cost_ends(self) -> list[float]:
        """The smallest cost, the smallest above 0 if there is one, and the largest."""
        costs: set[float] = set(self.costs.tolist())
        return sorted({min(costs), min((cost for cost in costs if cost > 0), default=min(costs)), max(costs)})

    @property
    def has_log_costs(self) -> bool:
        """Return whether logarithms of all costs can be taken."""
        return self.x.is_log and self.cost_ends[0] > 0

    @cached_property
    def has_during(self) -> bool:
        """Return whether any configuration was evaluated right after each task, and not only after the last one."""
        return self.columns.is_measured(self.quality.during)

    @cached_property
    def mean_range(self) -> tuple[float, float]:
        """The lowest and the highest mean, final or during."""
        import numpy as np

        means = np.concatenate([self.columns[self.quality.final], self.columns[self.quality.during]])
        return float(np.nanmin(means)), float(np.nanmax(means))

    def losses(self, metric: str) -> NDArray[np.float64]:
        """Return a measure of each configuration, negated where higher is better, (n_configurations,)."""
        values = self.columns[metric]
        return -values if self.quality.higher_is_better else values

    @cached_property
    def drawn_individually(self) -> frozenset[int]:
        """Numbers of the configurations drawn individually: all, or of many the front and the best others."""
        numbers = self.columns.numbers
        if len(numbers) > MAX_INDIVIDUAL:
            best = self.losses(self.quality.final).argsort(kind="stable")[:MAX_OFF_FRONT]
            return self.on_front.union(numbers[best].tolist())
        return frozenset(numbers.tolist())

    @cached_property
    def on_front(self) -> frozenset[int]:
        return frozenset(trial.number for trial in self.front)


def read_study(studies: Studies, name: str, x: str | None = None) -> StudyData:
    """Read one study.

    Args:
        x: the cost that quality is traded for, which then decides the front too; None: the cost that the study
            minimises, and the front of its objectives.

    Raises:
        StudyNotFound: if there is no study of that name.
        ConfigInvalid: if `x` is no cost.
    """
    import numpy as np

    from studies.database.schema import COMPLETE

    record = studies.study(name)
    axis = axis_of_objectives(record.objectives) if x is None else cost_axis(x)
    rows = studies.trial_rows(name, columns=_columns())
    parameters = tuple(record.searched)
    if record.is_imported and not parameters:
        parameters = _differing(rows)
    trials = trials_of(rows, parameters)
    columns = TrialColumns(trials)
    is_finished = np.array([trial.state == COMPLETE and trial.duplicate_of is None for trial in trials], dtype=bool)
    is_candidate = is_finished & feasible(columns.__getitem__, record.constraints, len(trials))
    final = Candidates(
        columns.numbers[is_finished], lambda metric: columns[metric][is_finished], record.objectives
    ).final
    is_configuration = is_finished & has_every(columns.__getitem__, (final, axis.metric))
    goals = record.objectives if x is None else plane(final, axis.metric)
    on_front = is_candidate.copy()
    on_front[is_candidate] = front_mask(lambda metric: columns[metric][is_candidate], goals)
    front = columns.where(on_front & is_configuration)
    return StudyData(
        record=record,
        quality=quality_of(final, columns.__getitem__, is_configuration & is_candidate),
        parameters=parameters,
        trials=trials,
        configurations=tuple(columns.where(is_configuration)),
        feasible=frozenset(columns.numbers[is_configuration & is_candidate].tolist()),
        front=tuple(sorted(front, key=lambda trial: (trial.value(axis.metric), trial.number))),
        outdated=outdated_results(studies, name),
        x=axis,
        is_front_of_axis=x is not None,
        machines=machines_of_cost(studies, name, axis),
    )


def machines_of_cost(studies: Studies, name: str, x: CostAxis) -> frozenset[str | None]:
    """Return the machines of a study where they decide the cost, as they do time and peak memory; else none."""
    return studies.machines(name) if METRICS[x.metric].kind == "cost" else frozenset()


def outdated_results(studies: Studies, name: str) -> tuple[str, ...]:
    """Return what an earlier version computed in a wrong way in a study, in sentences."""
    found = studies.outdated_results(name)
    return tuple(f"in {plural(n_trials, 'trial')} {fault}" for fault, n_trials in found.items())


def quality_of(final: str, values: Callable[[str], NDArray[np.float64]], is_candidate: NDArray[np.bool_]) -> Quality:
    """Return the measure; selection is on the validation split where every candidate has one, as for the front.

    Args:
        final: final_accuracy or final_mse.
        values: a metric of each trial, (n_trials,), NaN where it was not measured.
        is_candidate: mask of the trials that may be selected, (n_trials,).
    """
    measure = final.removeprefix("final_")
    return Quality(final, f"during_{measure}", deciding(final, values, is_candidate), MEASURE_WORDS[measure])


def _columns() -> list[str]:
    """List the columns of a trial that a report reads: without the names of parts, which are slow to find."""
    ends = [f"{name}.{end}" for name in VARYING for end in ("low", "high")]
    return ["number", "state", "reason", "duplicate_of", "n", "params", *METRICS, *ends]


def trials_of(rows: Rows, parameters: tuple[str, ...]) -> tuple[Trial, ...]:
    """Return rows of trials as objects, with these of their parameters."""
    at = {column: i for i, column in enumerate(rows.columns)}
    head = itemgetter(*(at[column] for column in ("number", "state", "reason", "duplicate_of", "n", "params")))
    trials = []
    for row, seeds in zip(rows.values, rows.seeds_of or repeat(None), strict=False):
        number, state, reason, original, n, stored = head(row)
        params = {name: stored.get(name) for name in parameters}
        trials.append(Trial(number, state, reason, original, int(n or 0), params, Measured(row, at, seeds)))
    return tuple(trials)


def _differing(rows: Rows) -> tuple[str, ...]:
    """Return the parameters that do not have one value in all trials, in the order they first appear."""
    place = list(rows.columns).index("params")
    each = [row[place] for row in rows.values]
    names = dict.fromkeys(name for params in each for name in params)
    return tuple(name for name in names if len({exact_json(params.get(name)) for params in each}) > 1)


def is_varied(data: StudyData, name: str) -> bool:
    """Return whether the finished configurations hold more than one value of a parameter."""
    values = map(exact_json, data.columns.parameter(name).each)
    first = next(values, None)
    return any(value != first for value in values)
