"""The comparison report: differences between methods or studies, with tests and intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.analysis.comparability import budget_remarks, differing_settings, seed_remarks, smallest_p_remark
from reports.analysis.comparison import Comparison, compare, headline
from reports.analysis.ranks import rank_rows
from reports.data.compared_methods import compared_methods
from reports.data.study_data import outdated_results
from reports.figures.comparison import difference_label, difference_lines, differences_figure, means_figure
from reports.figures.ranks import finding, ranks_figure
from reports.formatting import significant
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

if TYPE_CHECKING:
    from studies.queries.studies import Studies

PAGE = "comparison.html"


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
    from reports.figures.publication.comparison import comparison_figures

    lines = difference_lines(comparison)
    if not lines:
        say("No figure is drawn: there is no pair with a difference to show.")
        return {}
    return comparison_figures(lines, difference_label(comparison), comparison.margin)


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
        differences=differences_figure(comparison, verdicts),
        means=[means_figure(comparison, stream, i) for i, stream in enumerate(comparison.streams)],
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
            *seed_remarks(comparison),
            *dict.fromkeys(r for s in comparison.streams for r in budget_remarks(comparison.on(s))),
        ],
        ranks=None if comparison.ranks is None else ranks_figure(comparison.ranks),
        ranks_finding="" if comparison.ranks is None else finding(comparison.ranks),
        smallest=smallest_p_remark(comparison),
        significant=significant,
    )


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
        "ranks": None if comparison.ranks is None else rank_rows(comparison.ranks),
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
