"""The tasks report: several configurations or methods task by task, in one figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.data.task_curves import StreamCurves, TaskCurve, task_curves
from reports.drawing.marks import GLYPHS
from reports.figures.figure import choices_of
from reports.figures.task_curves import average_figure, by_task_figure, curve_finding, finding, over_time_figure
from reports.formatting import phrase
from reports.pages.output_files import csv_text, write_report
from reports.pages.render import render
from reports.registry import FIGURES, Argument, HtmlReport, Option
from reports.tables.task_curves import average_rows, by_task_rows, matrix_rows
from studies.statistics.intervals import TWO_SEEDS

if TYPE_CHECKING:
    from studies.queries.studies import Studies

PAGE = "tasks.html"


def write(
    studies: Studies,
    names: Sequence[str],
    out: Path,
    by: Sequence[str] = (),
    split: str = "test",
    *,
    figures: bool = False,
) -> Path:
    """Write tasks.html, tasks.csv, averages.csv, matrix.csv and report.json, and return the path of the page.

    Args:
        names: studies, or STUDY:NUMBER for one configuration.
        by: fields of a trial; one curve for each of their values.
        split: the matrix shown, of `hnet_core.trial.MATRICES`.
        figures: also write publication figures; needs matplotlib.

    Raises:
        StudyNotFound: if there is no study of a name.
        ConfigInvalid: if nothing has finished, an argument is invalid, or there are too many curves.
        MatplotlibMissing: if figures are asked for and matplotlib is not installed.
        ReportNotWritten: if the folder cannot be written.
    """
    streams = task_curves(studies, names, by, split)
    files: dict[str, str | bytes] = {
        "tasks.csv": csv_text([row for stream in streams for row in by_task_rows(stream)]),
        "averages.csv": csv_text([row for stream in streams for row in average_rows(stream)]),
        "matrix.csv": csv_text([row for stream in streams for row in matrix_rows(stream)]),
        PAGE: _page(streams),
    }
    if figures:
        files |= _figures(streams)
    return write_report(out, PAGE, files, _summary(streams, split))


def _figures(streams: Sequence[StreamCurves]) -> dict[str, bytes]:
    from reports.figures.publication.task_curves import task_curve_figures

    return {name: file for stream in streams for name, file in task_curve_figures(stream, len(streams) > 1).items()}


def _page(streams: Sequence[StreamCurves]) -> str:
    curves = _by_label(streams)
    return render(
        "tasks.html.j2",
        title=", ".join(curve.label for curve in curves),
        setting=streams[0].stream if len(streams) == 1 else f"{len(streams)} streams",
        streams=[_section(stream) for stream in streams],
        who=[(curve.label, _who(curve)) for stream in streams for curve in stream.curves],
        remarks=_remarks(streams),
        glyphs=GLYPHS,
    )


def _by_label(streams: Sequence[StreamCurves]) -> list[TaskCurve]:
    return list({curve.label: curve for stream in streams for curve in stream.curves}.values())


def _section(stream: StreamCurves) -> dict[str, Any]:
    return {
        "stream": stream,
        "sentences": [curve_finding(curve, stream.quality.higher_is_better) for curve in stream.curves],
        "by_task": choices_of([by_task_figure(stream)]),
        "average": average_figure(stream) if stream.n_tasks > 1 and average_rows(stream) else None,
        "over_time": over_time_figure(stream) if stream.n_tasks > 1 and stream.has_during else None,
    }


def _who(curve: TaskCurve) -> str:
    """Describe the configuration behind a curve."""
    method = curve.method
    chosen = "the only one" if method.n_tried == 1 else f"the best of {method.n_tried:,} by {method.selection}"
    final = phrase(method.interval(f"final_{method.measure}"))
    return f"trial {method.trial.number} of {method.study}, {chosen}; final {method.measure} {final}"


def _remarks(streams: Sequence[StreamCurves]) -> list[str]:
    two = {curve.label for stream in streams for curve in stream.curves if curve.matrix.n.max() == 2}
    found = [f"{', '.join(sorted(two))}: {TWO_SEEDS}."] if two else []
    if len(streams) > 1:
        found.append(
            "Accuracies on different streams cannot be compared with each other; each stream has its own figures."
        )
    return found


def _summary(streams: Sequence[StreamCurves], split: str) -> dict[str, Any]:
    return {
        "split": split,
        "streams": [
            {
                "stream": stream.stream,
                "finding": finding(stream),
                "tasks": by_task_rows(stream),
                "averages": average_rows(stream),
            }
            for stream in streams
        ],
    }


REPORT = HtmlReport(
    name="tasks",
    help="Which tasks are kept and which are forgotten? Several configurations or methods by task, and over time. "
    "Writes tasks.html, a CSV per figure and report.json.",
    argument=Argument("names", list[str], "studies; STUDY:NUMBER is one configuration of a study"),
    options=(
        Option("by", list[str], "a curve for each value of this field, such as method; may be given again"),
        Option(
            "split",
            str,
            "test, validation, known_task, inferred_task, or task_inference (how often the task was right)",
            default="test",
        ),
        FIGURES,
    ),
    write=write,
    position=3,
)
