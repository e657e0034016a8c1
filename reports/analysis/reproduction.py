"""Reproduction check: a published number against the trial with its configuration, and the detectable difference."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from reports.analysis.measuring_trials import FinishedTrials, Measurement
from reports.data.published_cells import PublishedCell, PublishedTable
from reports.formatting import plural
from studies.metrics.definitions import METRICS
from studies.statistics.intervals import t_interval
from studies.statistics.paired_tests import MeanWithError, holm_adjusted, mean_with_error, welch

if TYPE_CHECKING:
    from studies.queries.studies import Studies

CellVerdict = Literal["agrees", "differs", "not comparable"]

UNKNOWN_SPREAD = "the paper does not say whether its ± is a standard error or a deviation; only the difference is shown"


@dataclass(frozen=True)
class PublishedDifference:
    """Measured minus published, in the unit of the paper.

    Attributes:
        standard_error: of the difference, the rounding of the printed value included.
        half_width: half of its 95 % interval: a smaller true difference is not detectable.
        p: of the two-sided Welch test that the true difference is zero.
        p_holm: the same after Holm's adjustment for all tested cells of the table.
    """

    value: float
    standard_error: float | None = None
    half_width: float | None = None
    p: float | None = None
    p_holm: float | None = None

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


def compare_table(table: PublishedTable, studies: Studies, names: Sequence[str] | None = None) -> list[CellComparison]:
    """Compare every cell of a published table with the best measurement of it in the database.

    Args:
        names: studies to look in; None: all of them.
    """
    could_be_measured = any(cell.measured_by for cell in table.cells)
    return compare_cells(table.cells, FinishedTrials(studies, names if could_be_measured else ()))


def compare_cells(cells: Sequence[PublishedCell], trials: FinishedTrials) -> list[CellComparison]:
    """Compare cells of one table with the best measurement of each; their p values are adjusted together."""
    return _with_holm([_compare(cell, trials) for cell in cells])


def judge_cell(
    cell: PublishedCell, values: Sequence[float], metric: str = "final_accuracy"
) -> tuple[CellVerdict, str, PublishedDifference | None]:
    """Return verdict, reason and difference of measured values, one per run, in the unit of the cell.

    The published value agrees if zero is in the 95 % Welch interval of the difference: |d| <= t_{.975, nu} SE with
    SE^2 = s^2/n + SEM^2 + u^2/3 and nu after Welch and Satterthwaite, where u is half a unit in the last digit printed.
    A count, which no seed changes, agrees if it rounds to what is printed: |d| <= u. A number that the paper itself
    contradicts neither agrees nor differs.
    """
    if cell.value is None:
        return "not comparable", "the paper prints no number here", None
    measured = t_interval(values)
    if measured.mean is None:
        return "not comparable", "no run has this metric", None
    difference = measured.mean - cell.value
    if cell.erratum:
        return "not comparable", f"erratum: {cell.erratum}", PublishedDifference(difference)
    if METRICS[metric].kind == "count":
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
    return verdict, "", PublishedDifference(difference, found.error, half_width, found.p())


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
    digits = text.split()[0].rstrip("%").partition(".")[2]
    return 0.5 * 10.0 ** -len(digits)


def _compare(cell: PublishedCell, trials: FinishedTrials) -> CellComparison:
    best = trials.best(cell)
    if best is None:
        return CellComparison(cell, "not comparable", trials.nearest(cell))
    measurement = trials.measure(cell, best)
    verdict, reason, difference = judge_cell(cell, measurement.values, measurement.metric)
    if measurement.reduced:
        less = "reduced, so no reproduction: " + "; ".join(measurement.reduced)
        shown = None if difference is None else PublishedDifference(difference.value)
        return CellComparison(cell, "not comparable", less, measurement, shown)
    return CellComparison(cell, verdict, reason, measurement, difference)


def _with_holm(comparisons: Sequence[CellComparison]) -> list[CellComparison]:
    """Add Holm's adjusted p to every tested difference; cells of one print and one measurement are one test."""
    tested = {key: p for one in comparisons for key, p in [_test(one)] if p is not None}
    adjusted = dict(zip(tested, holm_adjusted(list(tested.values())), strict=True))
    return [
        replace(one, difference=replace(one.difference, p_holm=adjusted[_test(one)[0]]))
        if one.difference is not None and one.difference.p is not None
        else one
        for one in comparisons
    ]


def _test(found: CellComparison) -> tuple[Hashable, float | None]:
    """Return what a difference is between, and its p value; None where it was not tested."""
    if found.measurement is None or found.difference is None:
        return None, None
    return (found.cell.text, found.cell.n, found.measurement), found.difference.p


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
