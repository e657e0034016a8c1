"""Compared methods as forest plots: their differences, and the mean of each on a stream."""

from __future__ import annotations

from reports.analysis.comparison import Comparison, Pair, headline
from reports.drawing.forest_plot import ForestLine, forest_plot
from reports.figures.figure import Figure
from reports.figures.quality_axis import interval_ends
from reports.formatting import mean_text, range_text
from reports.table import Table
from reports.tables.comparison import method_table
from studies.metrics.definitions import METRICS
from studies.statistics.intervals import bounded_difference
from studies.statistics.verdicts import EQUIVALENT, NO_DIFFERENCE

MAX_LINES = 60


def differences_figure(comparison: Comparison, verdicts: Table) -> Figure | None:
    """Draw the difference of each pair; None where none is known.

    Args:
        verdicts: the table of the verdicts.
    """
    lines = difference_lines(comparison)
    if not lines:
        return None
    metric = METRICS[comparison.metric]
    text = " ".join(headline(comparison))
    caption = (
        "Mean of A minus mean of B with the interval that decides, Holm-adjusted for all comparisons here. An interval "
        "on one side of zero shows a difference; one that crosses it shows none, which is not the same as being equal. "
        "An arrow ends one that goes on beyond the axis."
    )
    if comparison.margin is not None:
        caption += " An interval within the band is equivalent within the margin."
    ends = ("B better", "A better") if metric.better == "higher" else ("A better", "B better")
    drawing = forest_plot("differences", lines, difference_label(comparison), text, caption, comparison.margin, ends)
    return Figure("verdicts", text, caption, (("Differences", drawing),), verdicts, list(verdicts.rows))


def difference_lines(comparison: Comparison) -> list[ForestLine]:
    """List the known differences, at most as many as a figure shows."""
    pairs = [pair for pair in comparison.pairs if pair.verdict.difference is not None]
    return [_difference_line(comparison, pair) for pair in pairs[:MAX_LINES]]


def difference_label(comparison: Comparison) -> str:
    """Return the text along the axis of the differences."""
    return f"A − B, {METRICS[comparison.metric].label.lower()}"


def means_figure(comparison: Comparison, stream: str, index: int) -> Figure | None:
    """Draw the mean of each method on a stream, best first; None where none is known.

    Args:
        index: place of the stream in the report.
    """
    table = method_table(comparison, stream)
    lines = []
    for row in table.rows:
        method = comparison.methods[row["entrant"]]
        interval = method.interval(comparison.metric)
        if interval.mean is not None:
            mark = {"best": "better", "": "unknown"}.get(comparison.standing(method), "same")
            title = f"{method.label}: {mean_text(interval)} {range_text(interval)}, n = {interval.n}"
            shown = tuple(interval_ends([interval]))
            lines.append(ForestLine(method.label, interval.mean, interval.low, interval.high, mark, title, shown))
    if not lines:
        return None
    caption = f"On {stream}: mean over seeds with its own 95 % t interval. Overlap of two intervals decides nothing."
    label = METRICS[comparison.metric].label.lower()
    drawing = forest_plot(f"means-{index}", lines, label, f"{lines[0].title} comes first.", caption, has_zero=False)
    return Figure(f"entrants-{index}", caption, caption, ((stream, drawing),), table, list(table.rows))


def _difference_line(comparison: Comparison, pair: Pair) -> ForestLine:
    assert pair.verdict.difference is not None
    gap = bounded_difference(comparison.metric, pair.verdict.difference)
    assert gap.mean is not None
    mark = {NO_DIFFERENCE: "unknown", EQUIVALENT: "same"}.get(pair.verdict.answer)
    label = (pair.a.label, pair.b.label)
    if len(comparison.streams) > 1:
        label = (pair.a.label, f"{pair.b.label}, {pair.a.stream.split(',')[0]}")
    mark = mark or ("better" if pair.winner is pair.a else "worse")
    return ForestLine(label, gap.mean, gap.low, gap.high, mark, pair.sentence, tuple(interval_ends([gap])))
