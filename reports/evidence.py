"""What a report is made of: one study's trials, its front and what its quality axis means, read once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from studies.interval import Interval
from studies.metrics import METRICS, SELECTED_BY, VARYING

if TYPE_CHECKING:
    from studies.queries import Studies
    from studies.record import StudyRecord
    from studies.rows import Rows


CROWD = 1500
SINGLED_OUT = 200
MAX_RUNS = 100_000


@dataclass(frozen=True)
class Quality:
    """The measure on the y axis: accuracy (higher is better) or mean squared error (lower is better).

    Attributes:
        final: metric on the test split after the last task; every number shown is this one.
        during: the same right after each task was trained.
        selection: the metric choices are made by: on the validation split where the study has one.
        word: how the measure is called in a sentence.
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
    def has_validation(self) -> bool:
        return self.selection != self.final


@dataclass(frozen=True)
class Trial:
    """One row of the study in any state; `metrics` holds what was measured, over its `n` seeds."""

    number: int
    state: str
    reason: str | None
    duplicate_of: int | None
    n: int
    params: Mapping[str, Any]
    metrics: Measured

    def __getitem__(self, metric: str) -> Interval:
        return self.metrics[metric]

    @cached_property
    def ratio(self) -> float:
        """Weights needed to run every task over the weights of one target network."""
        return self.value("compression_ratio")

    def mean(self, metric: str) -> float | None:
        """The mean without its interval."""
        return self.metrics.number(metric)

    def value(self, metric: str) -> float:
        """The mean of a metric that is known to be there."""
        mean = self.mean(metric)
        assert mean is not None, metric
        return mean


@dataclass(frozen=True)
class Evidence:
    """Everything the report says is derived from this.

    Attributes:
        parameters: dotted names of the searched values, in the order of the spec.
        trials: every trial of the study by number.
        configurations: the finished ones with a quality and a ratio, duplicates left out.
        feasible: numbers of those that meet the constraints of the study.
        front: the non-dominated ones under the objectives of the study, by growing ratio.
    """

    record: StudyRecord
    quality: Quality
    parameters: tuple[str, ...]
    trials: tuple[Trial, ...]
    configurations: tuple[Trial, ...]
    feasible: frozenset[int]
    front: tuple[Trial, ...]

    @property
    def front_is_tradeoff(self) -> bool:
        """Whether the front lies in the plane of the figure: quality against compression ratio, nothing else."""
        return set(self.record.objectives) == {self.quality.final, "compression_ratio"}

    @property
    def has_too_many_runs(self) -> bool:
        """Whether views of single runs are left out, because reading every run takes too long."""
        return sum(trial.n for trial in self.configurations) > MAX_RUNS

    @cached_property
    def singled_out(self) -> frozenset[int]:
        """Numbers of the configurations drawn one by one: all, or the front and the best of the rest in a crowd."""
        if len(self.configurations) <= CROWD:
            return frozenset(trial.number for trial in self.configurations)
        sign = -1 if self.quality.higher_is_better else 1
        ranked = sorted(self.configurations, key=lambda trial: sign * self.finals[trial.number])
        return self.on_front | {trial.number for trial in ranked[:SINGLED_OUT]}

    @cached_property
    def finals(self) -> dict[int, float]:
        """The final mean of each configuration by its number: what a large study is asked for again and again."""
        return {trial.number: trial.value(self.quality.final) for trial in self.configurations}

    @cached_property
    def durings(self) -> dict[int, float | None]:
        """The same right after each task."""
        return {trial.number: trial.mean(self.quality.during) for trial in self.configurations}

    @cached_property
    def on_front(self) -> frozenset[int]:
        return frozenset(trial.number for trial in self.front)


def gather(studies: Studies, name: str) -> Evidence:
    """Reads one study whole.

    Raises:
        StudyNotFound: if there is no study of that name.
    """
    record = studies.study(name)
    parameters = tuple(record.searched)
    trials = _trials(studies.trial_rows(name, columns=_columns()), parameters)
    measure = _measure(record, trials)
    configurations = tuple(trial for trial in trials if _is_configuration(trial, f"final_{measure}"))
    by_number = {trial.number: trial for trial in configurations}
    allowed = _allowed(trials, record.constraints)
    members = [by_number[row["number"]] for row in studies.front_rows(name).dicts() if row["number"] in by_number]
    return Evidence(
        record=record,
        quality=_quality(measure, [trial for trial in configurations if trial.number in allowed]),
        parameters=parameters,
        trials=trials,
        configurations=configurations,
        feasible=allowed & by_number.keys(),
        front=tuple(sorted(members, key=lambda trial: (trial.ratio, trial.number))),
    )


def evenly(trials: Sequence[Trial], at_most: int) -> list[Trial]:
    """As many of the trials, evenly from first to last, both included."""
    if len(trials) <= at_most:
        return list(trials)
    return [trials[round(i * (len(trials) - 1) / (at_most - 1))] for i in range(at_most)]


def _measure(record: StudyRecord, trials: Sequence[Trial]) -> str:
    """Accuracy, unless the study optimises or only holds mean squared errors."""
    measured = {name for name in ("accuracy", "mse") if any(t.mean(f"final_{name}") is not None for t in trials)}
    return "mse" if "final_mse" in record.objectives or measured == {"mse"} else "accuracy"


def _quality(measure: str, candidates: Sequence[Trial]) -> Quality:
    """Choices go by the validation split where every candidate has one, as the front does."""
    final = f"final_{measure}"
    validation = SELECTED_BY[final]
    is_complete = bool(candidates) and all(trial.mean(validation) is not None for trial in candidates)
    word = {"accuracy": "accuracy", "mse": "mean squared error"}[measure]
    return Quality(final, f"during_{measure}", validation if is_complete else final, word)


class Measured(Mapping[str, Interval]):
    """The metrics of one row, made into intervals when they are asked for: a large study has millions of them.

    Args:
        row: the values of a row of `hnet study trials`.
        at: the place of each column in it; a metric that is no column was not measured.
    """

    __slots__ = ("_at", "_row")

    def __init__(self, row: Sequence[Any], at: Mapping[str, int]) -> None:
        self._row = row
        self._at = at

    def __getitem__(self, name: str) -> Interval:
        n = int(self._row[self._at["n"]] or 0)
        return Interval(self.number(name), self.number(f"{name}.low"), self.number(f"{name}.high"), n)

    def number(self, column: str) -> float | None:
        """The number of one column: a metric, or an end of its interval."""
        place = self._at.get(column)
        if place is None:
            return None
        value: float | None = self._row[place]
        return None if value != value else value

    def numbers(self, columns: Iterable[str]) -> dict[str, float | None]:
        """`number` of several columns, in half the time."""
        row, at = self._row, self._at
        values = {column: row[at[column]] if column in at else None for column in columns}
        return {column: None if value != value else value for column, value in values.items()}

    def __iter__(self) -> Iterator[str]:
        return iter(METRICS)

    def __len__(self) -> int:
        return len(METRICS)


def _columns() -> list[str]:
    """The columns of a trial that a report reads: without the names of parts, which are slow to find."""
    ends = [f"{name}.{end}" for name in VARYING for end in ("low", "high")]
    return ["number", "state", "reason", "duplicate_of", "n", "params", *METRICS, *ends]


def _trials(rows: Rows, parameters: tuple[str, ...]) -> tuple[Trial, ...]:
    at = {column: i for i, column in enumerate(rows.columns)}
    return tuple(
        Trial(
            number=row[at["number"]],
            state=row[at["state"]],
            reason=row[at["reason"]],
            duplicate_of=row[at["duplicate_of"]],
            n=int(row[at["n"]] or 0),
            params={name: row[at["params"]].get(name) for name in parameters},
            metrics=Measured(row, at),
        )
        for row in rows.values
    )


def _allowed(trials: Sequence[Trial], constraints: Mapping[str, str]) -> frozenset[int]:
    """Numbers of the trials that meet every constraint."""
    if not constraints:
        return frozenset(trial.number for trial in trials)
    import pandas as pd

    from studies.constraints import feasible

    means = pd.DataFrame(
        {metric: [trial.mean(metric) for trial in trials] for metric in constraints}, index=range(len(trials))
    )
    return frozenset(trial.number for trial, is_met in zip(trials, feasible(means, constraints), strict=True) if is_met)


def _is_configuration(trial: Trial, final: str) -> bool:
    measured = trial.mean(final) is not None and trial.mean("compression_ratio") is not None
    return trial.state == "COMPLETE" and trial.duplicate_of is None and measured
