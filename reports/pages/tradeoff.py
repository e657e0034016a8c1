"""The trade-off report: how far can it be compressed, and what does that cost?"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.analysis.main_effects import effect_rows
from reports.analysis.trial_outcomes import coverage_table
from reports.data.task_matrices import matrix_rows, task_rows
from reports.data.trial import Trial
from reports.latex import latex_table
from reports.pages.output_files import csv_text, json_text, write_all
from reports.pages.render import short
from reports.pages.tradeoff_content import Report, collect
from reports.pages.tradeoff_page import page
from reports.table import Columns, Row
from reports.tables.front import front_rows, front_table
from reports.tables.parameters import parameter_rows
from reports.tables.trial_rows import is_count

if TYPE_CHECKING:
    from studies.queries.studies import Studies

PAGE = "tradeoff.html"


def write(studies: Studies, name: str, out: Path, *, figures: bool = False) -> Path:
    """Writes the report of one study and returns the page.

    Beside `tradeoff.html` lie the exact numbers of each figure as CSV and of the whole page as `report.json`. The same
    study gives the same bytes.

    Args:
        out: the folder; made if it does not exist, and older files of a report in it are replaced.
        figures: write the trade-off and the tasks of the best configuration for a paper too; needs matplotlib.

    Raises:
        StudyNotFound: if there is no study of that name.
        PaperExtraMissing: if figures are asked for and matplotlib is not installed.
        ReportNotWritten: if the folder cannot be written.
    """
    with _everything_kept():
        files = _files(collect(studies, name), figures)
    write_all(out, files)
    return out / PAGE


@contextmanager
def _everything_kept() -> Iterator[None]:
    """Looks for no garbage meanwhile: a large study makes a million objects, all kept, which would be walked again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _files(report: Report, figures: bool) -> dict[str, str | bytes]:
    matrices = {matrix.trial.number: matrix for matrix in report.matrices}
    tables: dict[str, Sequence[Row] | Columns] = {
        "tradeoff.csv": report.tradeoff.rows if report.tradeoff else [],
        "front.csv": front_rows(report.evidence),
        "effects.csv": effect_rows(report.effects),
        "importance.csv": parameter_rows(report.evidence, report.effects, report.importances),
        "tasks.csv": task_rows(matrices),
        "matrix.csv": matrix_rows(matrices),
        "coverage.csv": coverage_table(report.evidence) if report.evidence.trials else [],
    }
    tables |= {mode.csv_name: mode.rows for mode in report.modes}
    files: dict[str, str | bytes] = {file: csv_text(rows) for file, rows in tables.items()}
    if report.evidence.front:
        files["front.tex"] = latex_table(front_table(report.evidence), _note(report))
    if figures:
        files |= _figures(report)
    files["report.json"] = json_text(summary(report, sorted([*files, PAGE])))
    files[PAGE] = page(report)
    return files


def _note(report: Report) -> str:
    """What a reader of the table alone must know."""
    text = f"Mean and half-width of the 95 % t interval over n seeds; study {short(report.evidence.record.name)}."
    return text + (" Reduced runs: no reproduction." if report.paper.reduced else "")


def _figures(report: Report) -> dict[str, bytes]:
    from reports.figures.matplotlib_figures import task_figures, tradeoff_figures

    if not report.evidence.configurations:
        return {}
    files = tradeoff_figures(report.evidence)
    best = next((matrix for matrix in report.matrices if matrix.trial is report.answer.best), None)
    return files if best is None else files | task_figures(report.evidence, best)


def summary(report: Report, files: list[str]) -> dict[str, Any]:
    """The page as data: what `report.json` holds."""
    evidence, found = report.evidence, report.answer
    return {
        "study": evidence.record.name,
        "answer": {
            "headline": found.headline,
            "remarks": found.remarks,
            **{
                role: _as_json(trial)
                for role, trial in (("best", found.best), ("near", found.near), ("knee", found.knee))
            },
        },
        "metrics": {"final": evidence.quality.final, "selection": evidence.quality.selection},
        "front": [_as_json(trial) for trial in evidence.front],
        "coverage": {
            "planned": report.coverage.planned,
            **report.coverage.counts,
            "seeds": [{"seeds": seeds, "configurations": count} for seeds, count in report.coverage.seeds],
        },
        "paper": {"cite": report.paper.cite, "reduced": report.paper.reduced, "differing": report.paper.differing},
        "provenance": {"launches": report.provenance.launches, "packages": dict(report.provenance.packages)},
        "files": files,
    }


def _as_json(trial: Trial | None) -> dict[str, Any] | None:
    if trial is None:
        return None
    metrics = {key: value.mean if is_count(key) else value.to_dict() for key, value in trial.metrics.items()}
    return {"number": trial.number, "n": trial.n, "params": dict(trial.params), **metrics}
