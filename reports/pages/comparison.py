"""The comparison report: differences between methods or studies, with tests and intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.analysis.comparability import budget_remarks, differing_settings
from reports.analysis.comparison import Comparison, Pair, compare, headline
from reports.analysis.ranks import rank_rows
from reports.data.compared_methods import compared_methods
from reports.data.study_data import outdated_results
from reports.drawing.forest_plot import ForestLine, forest_plot
from reports.figures.figure import Figure
from reports.figures.quality_axis import interval_ends
from reports.figures.ranks import finding, ranks_figure
from reports.formatting import mean_text, range_text, significant
from reports.latex import latex_table
from reports.pages.output_files import csv_text, write_report
from reports.pages.render import render, short
from reports.registry import FIGURES, Argument, HtmlReport, Option
from reports.table import Row, Table
from reports.tables.comparison import (
    cross_tables,
    method_rows,
    method_table,
    stream_table,
    verdict_rows,
    verdict_table,
)
from studies.metrics.definitions import METRICS
from studies.output.formats import say
from studies.statistics.intervals import TWO_SEEDS, bounded_difference
from studies.statistics.verdicts import EQUIVALENT, NO_DIFFERENCE

if TYPE_CHECKING:
    from studies.queries.studies import Studies

PAGE = "comparison.html"
MAX_LINES = 60


def write(
    studies: Studies,
    names: Sequence[str],
    out: Path,
    by: Sequence[str] = (),
    metric: str | None = None,
    margin: float | None = None,
    *,
    figures: bool = False,
) -> Path:
    """Write the comparison of studies, or of the groups that `by` splits them into, and return the path of the page.

    comparison.html comes with verdicts, methods, settings and every seed as CSV, tables as LaTeX, and report.json.

    Args:
        names: studies, or STUDY:NUMBER for one configuration.
        by: fields of a trial to group by, such as method or hypernet.chunk_size.
        metric: what to compare; None: the final measure.
        margin: largest difference that does not matter.
        figures: also write publication figures of the differences; needs matplotlib.

    Raises:
        StudyNotFound: if there is no study of a name.
        ConfigInvalid: if nothing can be compared, or an argument is invalid.
        MatplotlibMissing: if figures are asked for and matplotlib is not installed.
        ReportNotWritten: if the folder cannot be written.
    """
    comparison = compare(compared_methods(studies, names, by), metric, margin)
    verdicts = verdict_table(comparison)
    tables: dict[str, Sequence[Row]] = {
        "verdicts.csv": verdict_rows(comparison),
        "entrants.csv": method_rows(comparison),
        "settings.csv": _setting_rows(comparison),
        "seeds.csv": _seed_rows(comparison),
    }
    if comparison.ranks is not None:
        tables["ranks.csv"] = rank_rows(comparison.ranks)
    files: dict[str, str | bytes] = {name: csv_text(rows) for name, rows in tables.items()}
    if figures:
        files |= _figures(comparison)
    files["verdicts.tex"] = latex_table(verdicts)
    files["entrants.tex"] = "\n".join(latex_table(table) for table in _method_tables(comparison))
    crossed = cross_tables(comparison, by)
    if crossed:
        files["cross.tex"] = "\n".join(latex_table(table) for table in crossed)
        files["cross.csv"] = csv_text([
            {"stream": stream, **row}
            for stream, table in zip(comparison.streams, crossed, strict=True)
            for row in table.rows
        ])  # fmt: skip
    outdated = {one.study: outdated_results(studies, one.study) for one in comparison.methods}
    files[PAGE] = _page(comparison, verdicts, crossed, outdated)
    return write_report(out, PAGE, files, _summary(comparison))


def _figures(comparison: Comparison) -> dict[str, bytes]:
    from reports.figures.matplotlib_figures import comparison_figures

    lines = _lines(comparison)
    if not lines:
        say("No figure is drawn: there is no pair with a difference to show.")
        return {}
    label = f"A − B, {METRICS[comparison.metric].label.lower()}"
    return comparison_figures(lines, label, comparison.margin)


def _lines(comparison: Comparison) -> list[ForestLine]:
    """List the known differences, at most as many as a figure shows."""
    pairs = [pair for pair in comparison.pairs if pair.verdict.difference is not None]
    return [_difference_line(comparison, pair) for pair in pairs[:MAX_LINES]]


def _method_tables(comparison: Comparison) -> list[Table]:
    wide = stream_table(comparison)
    return [*([wide] if wide else []), *(method_table(comparison, stream) for stream in comparison.streams)]


def _page(
    comparison: Comparison, verdicts: Table, crossed: Sequence[Table], outdated: Mapping[str, Sequence[str]]
) -> str:
    return render(
        "comparison.html.j2",
        comparison=comparison,
        title=_title(comparison.labels),
        label=METRICS[comparison.metric].label,
        outdated=[f"{short(name)}: {fault}" for name, faults in outdated.items() for fault in faults],
        headlines=headline(comparison),
        differences=_differences(comparison, verdicts),
        means=[_means(comparison, stream, i) for i, stream in enumerate(comparison.streams)],
        verdicts=verdicts,
        reasons=list(dict.fromkeys(str(p.verdict) for p in comparison.pairs if p.verdict.reason is not None)),
        wide=stream_table(comparison),
        crossed=crossed,
        tables=[(f"entrants-{i}", method_table(comparison, stream)) for i, stream in enumerate(comparison.streams)],
        settings=[
            (stream, [one.label for one in comparison.on(stream)], differing_settings(comparison.on(stream)))
            for stream in comparison.streams
        ],
        remarks=[
            *_seed_remarks(comparison),
            *dict.fromkeys(r for s in comparison.streams for r in budget_remarks(comparison.on(s))),
        ],
        ranks=None if comparison.ranks is None else ranks_figure(comparison.ranks),
        ranks_finding="" if comparison.ranks is None else finding(comparison.ranks),
        smallest=_smallest(comparison),
        significant=significant,
    )


def _seed_remarks(comparison: Comparison) -> list[str]:
    """Say of entrants with two seeds that they show nothing."""
    two = [one.label for one in comparison.methods if one.interval(comparison.metric).n == 2]
    if not two:
        return []
    which = "Every entrant rests" if len(two) == len(comparison.methods) else f"{', '.join(dict.fromkeys(two))} rest"
    return [f"{which} on 2 seeds: {TWO_SEEDS}."]


def _title(labels: Sequence[str]) -> str:
    return " against ".join(labels) if len(labels) == 2 else ", ".join(labels)


def _summary(comparison: Comparison) -> dict[str, Any]:
    return {
        "headline": headline(comparison),
        "metric": comparison.metric,
        "margin": comparison.margin,
        "alpha": comparison.alpha,
        "verdicts": verdict_rows(comparison),
        "entrants": method_rows(comparison),
        "settings": _setting_rows(comparison),
        "ranks": None if comparison.ranks is None else list(rank_rows(comparison.ranks)),
    }


def _setting_rows(comparison: Comparison) -> list[Row]:
    return [
        {"stream": stream, "setting": setting.name, "label": one.label, "value": value}
        for stream in comparison.streams
        for setting in differing_settings(comparison.on(stream))
        for one, value in zip(comparison.on(stream), setting.values, strict=True)
    ]


def _seed_rows(comparison: Comparison) -> list[Row]:
    return [
        {"label": one.label, "stream": one.stream, "seed": seed, "value": value}
        for one in comparison.methods
        for seed, value in sorted(one.values[comparison.metric].items())
        if value is not None
    ]


def _differences(comparison: Comparison, verdicts: Table) -> Figure | None:
    lines = _lines(comparison)
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
    drawing = forest_plot(
        "differences", lines, f"A − B, {metric.label.lower()}", text, caption, comparison.margin, ends
    )
    return Figure("verdicts", text, caption, (("Differences", drawing),), verdicts, list(verdicts.rows))


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


def _means(comparison: Comparison, stream: str, index: int) -> Figure | None:
    """Draw the mean of each method on a stream, best first."""
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


def _smallest(comparison: Comparison) -> str:
    """State the smallest p value that these seeds allow."""
    found = [p.verdict for p in comparison.pairs if p.verdict.p_smallest is not None]
    if not found:
        return "No two entrants share their seeds, so nothing is paired and there are no sign flips."
    n, p = min((v.a.n, v.p_smallest or 1.0) for v in found)
    low = " From six pairs on it can fall below 0.05." if n < 6 else ""
    return f"With {n} pairs of seeds the smallest p that sign flips can give is {significant(p, 2)}.{low}"


REPORT = HtmlReport(
    name="compare",
    help="Is one better than the other? Writes comparison.html with verdicts, tables as CSV and LaTeX, and "
    "report.json.",
    argument=Argument("names", list[str], "studies; STUDY:NUMBER is one configuration of a study"),
    options=(
        Option("by", list[str], "group trials by this field, such as method; may be given again"),
        Option("metric", str, "what to compare [default: the final accuracy or error]"),
        Option("margin", float, "largest difference that does not matter, such as 0.005"),
        FIGURES,
    ),
    write=write,
    position=3,
)
