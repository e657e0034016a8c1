"""Reproduction check: a published number against the trial with its configuration, and the detectable difference."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from hnet_core import dotted_keys
from reports.data.published_tables import Configuration, PublishedCell, PublishedTable
from reports.formatting import parameter, plural
from studies.metrics.definitions import METRICS
from studies.statistics.interval import Interval
from studies.statistics.intervals import bounded, t_interval
from studies.statistics.paired_tests import MeanWithError, mean_with_error, welch

if TYPE_CHECKING:
    from studies.queries.studies import Studies

CellVerdict = Literal["agrees", "differs", "not comparable"]

PERCENT = 100.0
MEBIBYTE = 2**20
MAX_NEAREST = 3
UNKNOWN_SPREAD = "the paper does not say whether its ± is a standard error or a deviation; only the difference is shown"
ABSENT = object()


@dataclass(frozen=True)
class Measurement:
    """Runs of one trial with the configuration of a published cell.

    Attributes:
        values: of `metric`, times `factor`: in the unit of the paper.
        reduced: settings below those of the paper.
    """

    study: str
    number: int
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    metric: str
    factor: float
    reduced: tuple[str, ...] = ()

    @property
    def interval(self) -> Interval:
        return bounded(self.metric, t_interval(self.values), self.factor)


@dataclass(frozen=True)
class PublishedDifference:
    """Measured minus published, in the unit of the paper.

    Attributes:
        standard_error: of the difference, the rounding of the printed value included.
        half_width: half of its 95 % interval: a smaller true difference is not detectable.
    """

    value: float
    standard_error: float | None = None
    half_width: float | None = None

    @property
    def in_standard_errors(self) -> float | None:
        return None if not self.standard_error else abs(self.value) / self.standard_error


@dataclass(frozen=True)
class CellComparison:
    """One cell with its measurement; `reason` explains why it is not comparable."""

    cell: PublishedCell
    verdict: CellVerdict
    reason: str = ""
    measurement: Measurement | None = None
    difference: PublishedDifference | None = None

    @property
    def scale(self) -> str:
        """`full`, `reduced`, or empty where nothing was measured."""
        if self.measurement is None:
            return ""
        return "reduced" if self.measurement.reduced else "full"


@dataclass(frozen=True)
class FinishedTrial:
    """A finished configuration of a study."""

    study: str
    number: int
    config: Mapping[str, Any]
    n_seeds: int


@dataclass(frozen=True)
class Match:
    """A finished trial against the configuration of a published cell: wrong and reduced settings."""

    trial: FinishedTrial
    wrong: list[str]
    reduced: list[str]


def compare_table(table: PublishedTable, studies: Studies, names: Sequence[str] | None = None) -> list[CellComparison]:
    """Compare every cell of a published table with the best measurement of it in the database.

    The best one is not reduced, then has the most seeds, then comes first.

    Args:
        names: studies to look in; None: all of them.
    """
    mapped = [cell for cell in table.cells if cell.configuration is not None]
    trials = _finished(studies, names) if mapped else []
    return [_compare(studies, cell, trials) for cell in table.cells]


def judge_cell(cell: PublishedCell, values: Sequence[float]) -> tuple[CellVerdict, str, PublishedDifference | None]:
    """Return verdict, reason and difference of measured values, one per run, in the unit of the cell.

    The published value agrees if zero is in the 95 % Welch interval of the difference: |d| <= t_{.975, nu} SE with
    SE^2 = s^2/n + SEM^2 + u^2/3 and nu after Welch and Satterthwaite, where u is half a unit in the last digit printed.
    A count, which no seed changes, agrees if it rounds to what is printed: |d| <= u.
    """
    if cell.value is None:
        return "not comparable", "the paper prints no number here", None
    measured = t_interval(values)
    if measured.mean is None:
        return "not comparable", "no run has this metric", None
    difference = measured.mean - cell.value
    if cell.metric is not None and METRICS[cell.metric].kind == "count":
        rounding = _rounding(cell.text)
        agrees = abs(difference) <= rounding * (1 + 1e-9)
        return ("agrees" if agrees else "differs"), "", PublishedDifference(difference, half_width=rounding)
    reason = _why_no_test(cell, measured.n)
    if reason is not None:
        return "not comparable", reason, PublishedDifference(difference)
    assert cell.spread is not None and cell.n is not None
    published = cell.spread if cell.spread_kind == "sem" else cell.spread / math.sqrt(cell.n)
    rounding = _rounding(cell.text)
    found = welch(mean_with_error(values), MeanWithError(cell.value, published**2, cell.n), rounding**2 / 3)
    half_width = found.half_width()
    verdict: CellVerdict = "agrees" if abs(difference) <= half_width else "differs"
    return verdict, "", PublishedDifference(difference, found.error, half_width)


def _why_no_test(cell: PublishedCell, n_measured: int) -> str | None:
    """Return the reason why only the difference from a published number can be shown; None where it can be tested."""
    if cell.spread is None:
        return "the paper gives no spread; only the difference is shown"
    if cell.spread_kind == "unknown":
        return UNKNOWN_SPREAD
    if cell.n is None or cell.n < 2:
        return "the paper does not say over how many runs it averages"
    if n_measured < 2:
        return "one seed has no standard error; measure more"
    return None


def _rounding(text: str) -> float:
    """Return half a unit in the last digit of a printed value: 0.005 for `99.79 ± 0.01`."""
    digits = text.split()[0].partition(".")[2]
    return 0.5 * 10.0 ** -len(digits)


def _compare(studies: Studies, cell: PublishedCell, trials: Sequence[FinishedTrial]) -> CellComparison:
    if cell.configuration is None or cell.metric is None:
        return CellComparison(cell, "not comparable", "no configuration is defined that reproduces it")
    matches = [match(cell.configuration, trial) for trial in trials]
    fitting = [one for one in matches if not one.wrong]
    if not fitting:
        return CellComparison(cell, "not comparable", _nearest(matches))
    best = min(fitting, key=lambda one: (bool(one.reduced), -one.trial.n_seeds))
    measurement = _measure(studies, best, cell)
    verdict, reason, difference = judge_cell(cell, measurement.values)
    if measurement.reduced:
        less = "reduced, so no reproduction: " + "; ".join(measurement.reduced)
        return CellComparison(cell, "not comparable", less, measurement, difference)
    return CellComparison(cell, verdict, reason, measurement, difference)


def _finished(studies: Studies, names: Sequence[str] | None) -> list[FinishedTrial]:
    return [
        FinishedTrial(name, int(row["number"]), row["config"], len(row["seeds"]))
        for name in (studies.studies()["name"] if names is None else names)
        for row in studies.ledger(name)
        if row["state"] == "COMPLETE" and row["duplicate_of"] is None
    ]


def match(wanted: Configuration, trial: FinishedTrial) -> Match:
    """Compare the settings of a trial with those of a published configuration."""
    found = Match(trial, [], [])
    for name, value in wanted.settings.items():
        actual = dotted_keys.get(trial.config, name, ABSENT)
        if actual != value:
            found.wrong.append(_instead(name, actual, value))
    for bounds, sign in ((wanted.reduced_below, 1), (wanted.reduced_above, -1)):
        for name, value in bounds.items():
            actual = dotted_keys.get(trial.config, name, ABSENT)
            if actual != value:
                is_less = not isinstance(actual, int | float) or sign * actual < sign * value
                (found.reduced if is_less else found.wrong).append(_instead(name, actual, value))
    return found


def _instead(name: str, actual: Any, wanted: Any) -> str:
    shown = "not set" if actual is ABSENT or actual is None else parameter(actual)
    return f"{name} {shown} instead of {parameter(wanted)}"


def _nearest(matches: Sequence[Match]) -> str:
    """Explain why no trial matches, with the differing settings of the nearest one where they are few."""
    if not matches:
        return "not measured: the database has no finished trial"
    nearest = min(matches, key=lambda one: len(one.wrong))
    if len(nearest.wrong) > MAX_NEAREST:
        return "not measured: no trial comes near its configuration"
    trial = nearest.trial
    return f"not measured; nearest is trial {trial.number} of {trial.study}: {'; '.join(nearest.wrong)}"


def _measure(studies: Studies, found: Match, cell: PublishedCell) -> Measurement:
    """Read the values of the metric in the unit of the paper, one per seed."""
    assert cell.metric is not None
    runs = studies.runs(found.trial.study, where=f"number == {found.trial.number}")
    own = runs.dropna(subset=[cell.metric]).sort_values("seed")
    is_share = cell.unit == "percent" and METRICS[cell.metric].kind == "matrix"
    factor = PERCENT if is_share else 1 / MEBIBYTE if cell.unit == "MiB" else 1.0
    return Measurement(
        study=found.trial.study,
        number=found.trial.number,
        seeds=tuple(int(seed) for seed in own["seed"]),
        values=tuple(float(value) * factor for value in own[cell.metric]),
        reduced=tuple(found.reduced),
        metric=cell.metric,
        factor=factor,
    )


def counts(comparisons: Sequence[CellComparison]) -> dict[str, int]:
    """Count the cells with each verdict, in the order of the vocabulary."""
    return {
        verdict: sum(found.verdict == verdict for found in comparisons)
        for verdict in ("agrees", "differs", "not comparable")
    }


def headline(comparisons: Sequence[CellComparison]) -> str:
    """State the outcome in one sentence."""
    measured = [found for found in comparisons if found.measurement is not None]
    if not measured:
        return f"None of the {plural(len(comparisons), 'number')} of this table has been measured in this database."
    by_verdict = counts(measured)
    parts = [
        f"{by_verdict[verdict]} {verdict.replace('agrees', 'agree').replace('differs', 'differ')}"
        for verdict in ("agrees", "differs")
        if by_verdict[verdict]
    ]
    reduced = sum(found.scale == "reduced" for found in measured)
    parts += [f"{reduced} measured by reduced runs only"] if reduced else []
    others = by_verdict["not comparable"] - reduced
    parts += [f"{others} measured but not comparable"] if others else []
    return f"Of {plural(len(comparisons), 'published number')} {len(measured)} were measured: {', '.join(parts)}."
