"""The trade-off report: quality against a cost of one study or several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hnet_core.runtime.garbage_collection import collection_paused
from reports.analysis.main_effects import effect_rows
from reports.analysis.trial_outcomes import outcome_table
from reports.data.task_matrices import inference_rows, matrix_rows, task_rows
from reports.data.trial import Trial
from reports.figures.search_progress import progress_rows
from reports.latex import latex_table
from reports.pages.output_files import csv_text, write_report
from reports.pages.overlay import write_overlay
from reports.pages.render import short
from reports.pages.tradeoff_content import PAGE, TradeoffContent, collect
from reports.pages.tradeoff_page import page
from reports.registry import FIGURES, Argument, HtmlReport, Option
from reports.table import Columns, Row
from reports.tables.front import front_rows, front_table
from reports.tables.parameters import parameter_rows
from studies.metrics.cost_axes import COMPRESSION, COST_AXES, CostAxis
from studies.metrics.definitions import VARYING

if TYPE_CHECKING:
    from studies.queries.studies import Studies


def write(
    studies: Studies,
    names: Sequence[str],
    out: Path,
    by: Sequence[str] = (),
    *,
    x: str | None = None,
    figures: bool = False,
) -> Path:
    """Write the report of one study, or the fronts of several (or of the values of fields) in one page.

    Several, or one split `by` fields, get a page with all fronts, and the report of each study in a folder beside it.

    Args:
        names: studies.
        by: fields of a trial that split each study into families, such as hypernet.chunk_size.
        x: the cost that quality is traded for; None: the one that the study minimises, of several studies the one that
            all minimise, else the compression ratio.

    Raises:
        StudyNotFound: if there is no study of a name.
        ConfigInvalid: if there is nothing to show, too much, the measures differ, or `x` is no cost.
        MatplotlibMissing: if figures are asked for and matplotlib is not installed.
        ReportNotWritten: if the folder cannot be written.
    """
    if len(names) == 1 and not by:
        return write_study(studies, names[0], out, x=x, figures=figures)
    folders = {name: _folder(name, i) for i, name in enumerate(names)}
    page = write_overlay(studies, names, out, by, folders, x)
    for name, folder in folders.items():
        write_study(studies, name, out / folder, x=x, figures=figures)
    return page


def write_study(studies: Studies, name: str, out: Path, *, x: str | None = None, figures: bool = False) -> Path:
    """Write the report of one study and return the path of the page.

    `tradeoff.html` comes with the exact numbers of each figure as CSV and of the page as `report.json`. The same study
    gives the same bytes.

    Args:
        out: the folder; made if it does not exist, and older files of a report in it are replaced.
        x: the cost that quality is traded for, see `write`.
        figures: also write publication figures of the trade-off and of the tasks of the best configuration; needs
            matplotlib.

    Raises:
        StudyNotFound: if there is no study of that name.
        ConfigInvalid: if `x` is no cost.
        MatplotlibMissing: if figures are asked for and matplotlib is not installed.
        ReportNotWritten: if the folder cannot be written.
    """
    with collection_paused():
        report = collect(studies, name, x)
        files = _files(report, figures)
        return write_report(out, PAGE, files, summary(report))


def _files(report: TradeoffContent, figures: bool) -> dict[str, str | bytes]:
    matrices = {matrix.trial.number: matrix for matrix in report.matrices}
    tables: dict[str, Sequence[Row] | Columns] = {
        "tradeoff.csv": report.tradeoff.rows if report.tradeoff else [],
        "front.csv": front_rows(report.data),
        "effects.csv": effect_rows(report.effects),
        "importance.csv": parameter_rows(report.data, report.effects, report.importances),
        "tasks.csv": task_rows(matrices),
        "matrix.csv": matrix_rows(matrices),
        "progress.csv": [row for progress in report.progress for row in progress_rows(progress)],
        "coverage.csv": outcome_table(report.data) if report.data.trials else [],
    }
    if report.inference:
        tables["inference.csv"] = inference_rows(report.inference)
    tables |= {figure.csv_name: figure.rows for figure in (*report.run_figures, *report.objectives)}
    files: dict[str, str | bytes] = {file: csv_text(rows) for file, rows in tables.items()}
    if report.data.front:
        files["front.tex"] = latex_table(front_table(report.data), _note(report))
    if figures:
        files |= _figures(report)
    files[PAGE] = page(report)
    return files


def _note(report: TradeoffContent) -> str:
    """Return the note under the LaTeX table."""
    text = f"Mean and half-width of the 95 % t interval over n seeds; study {short(report.data.record.name)}."
    return text + (" Reduced runs: no reproduction." if report.paper.reduced else "")


def _figures(report: TradeoffContent) -> dict[str, bytes]:
    from reports.figures.publication.objectives import objective_figures
    from reports.figures.publication.search_progress import progress_files
    from reports.figures.publication.tasks import task_figures
    from reports.figures.publication.tradeoff import tradeoff_figures

    if not report.data.configurations:
        return {}
    files = tradeoff_figures(report.data) | progress_files(report.progress)
    if report.fronts is not None:
        files |= objective_figures(report.data, report.fronts)
    best = next((matrix for matrix in report.matrices if matrix.trial is report.recommendation.best), None)
    return files if best is None else files | task_figures(report.data, best)


def summary(report: TradeoffContent) -> dict[str, Any]:
    """Return the content of `report.json`."""
    data, found = report.data, report.recommendation
    return {
        "study": data.record.name,
        "answer": {
            "headline": found.headline,
            "remarks": found.remarks,
            **{role: _as_json(trial) for role, trial in found.by_role.items()},
        },
        "metrics": {"final": data.quality.final, "selection": data.quality.selection, **cost_of(data.x)},
        "front": [_as_json(trial) for trial in data.front],
        "coverage": {
            "planned": report.trial_outcomes.planned,
            **report.trial_outcomes.counts,
            "seeds": [{"seeds": seeds, "configurations": count} for seeds, count in report.trial_outcomes.seeds],
        },
        "paper": {"cite": report.paper.cite, "reduced": report.paper.reduced, "differing": report.paper.differing},
        "provenance": {"launches": report.provenance.launches, "packages": dict(report.provenance.packages)},
    }


def cost_of(x: CostAxis) -> dict[str, str]:
    """Return the cost of the x axis under `cost`; nothing where it is the compression ratio."""
    return {} if x == COMPRESSION else {"cost": x.metric}


def _as_json(trial: Trial | None) -> dict[str, Any] | None:
    if trial is None:
        return None
    exact = {key: trial.metrics.exact(key) for key in trial.metrics}
    metrics = {key: value.to_dict() if key in VARYING else value.mean for key, value in exact.items()}
    return {"number": trial.number, "n": trial.n, "params": dict(trial.params), **metrics}


def _folder(name: str, index: int) -> str:
    """Return a folder name that is safe on every system and unique to the study."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    return f"{index + 1}-{plain or 'study'}"


REPORT = HtmlReport(
    name="tradeoff",
    help="How far can it be compressed, and what does that cost? Writes tradeoff.html, a CSV per figure and "
    "report.json.",
    argument=Argument("names", list[str], "a study, or several to see side by side; `hnet study ls` lists them"),
    options=(
        Option(
            "x",
            str,
            f"cost on the x axis, which also decides the front: {', '.join(COST_AXES)}; default: the one that the "
            "study minimises, else compression_ratio",
        ),
        Option("by", list[str], "split by this field, such as hypernet.chunk_size; may be given again"),
        FIGURES,
    ),
    write=write,
    position=1,
)
