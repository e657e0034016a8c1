"""Progress of a search over its trials and over its time: did it converge, was the budget enough?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from reports.analysis.search_progress import SearchProgress
from reports.drawing.axes import Frame, axes
from reports.drawing.marks import MAX_DOTS, cloud, dot, steps
from reports.drawing.scales import ContinuousScale, LinearScale, LogScale, padded, padded_log
from reports.drawing.svg import EMPTY, element, figure
from reports.figures.figure import Figure
from reports.formatting import capitalized, plural, significant
from reports.table import Row, Table, count_column, number_column

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME = "progress"
FRAME = Frame(width=470, height=290, left=58, right=14, top=34, bottom=48)
MAX_TABLE_ROWS = 200
MANY_TIMES = 30.0  # largest over smallest value above which a positive axis is logarithmic
MIN_FOR_QUARTERS = 8
UNITS = ((7200.0, 3600.0, "hours"), (180.0, 60.0, "minutes"), (0.0, 1.0, "seconds"))  # from, length, name


def progress_figures(every: Sequence[SearchProgress]) -> list[Figure]:
    """Draw the hypervolume of a study, or the best value of each objective."""
    return [_figure(i, progress) for i, progress in enumerate(every)]


def finding(progress: SearchProgress) -> str:
    """State the value reached, and what the last quarter of the trials added."""
    value = significant(float(progress.values[-1]), 4)
    text = f"{capitalized(progress.label)} {value} after {plural(progress.n_trials, 'trial')}"
    if progress.total_seconds:
        length, unit = _unit(progress.total_seconds)
        text += f" in {significant(progress.total_seconds / length)} {unit}"
    if progress.n_trials < MIN_FOR_QUARTERS:
        return f"{text}."
    gain = late_gain(progress)
    if not gain:
        return f"{text}; the last quarter of the trials did not improve it."
    return f"{text}; the last quarter of the trials improved it by {significant(100 * gain, 2)} %."


def late_gain(progress: SearchProgress) -> float:
    """Return the improvement by the last quarter of the trials, as a share of the value reached."""
    before = progress.values[progress.steps <= 3 * progress.n_trials // 4]
    start, end = float(before[-1]) if len(before) else 0.0, float(progress.values[-1])
    return abs(end - start) / abs(end) if end else float(start != end)


def caption(progress: SearchProgress) -> str:
    """Explain the value."""
    if progress.objective is None:
        point = ", ".join(f"{name} {value:g}" for name, value in progress.reference.items())
        text = f"Area that the front of {' and '.join(progress.reference)} dominates, up to {point}; larger is better."
    else:
        text = f"Best {progress.objective} of all configurations that had finished; dots are single configurations."
    text += " Values are of the test split, of configurations that meet the constraints."
    if progress.seconds is not None:
        text += " Time counts while a driver ran: pauses between two starts are left out."
    return text


def progress_rows(progress: SearchProgress) -> list[Row]:
    """List every improvement, and the end of the search."""
    import numpy as np

    steps = [*progress.steps.tolist(), progress.n_trials]
    values = [*progress.values.tolist(), float(progress.values[-1])]
    at = np.array(steps) - 1
    seconds = [None] * len(steps) if progress.seconds is None else progress.seconds[at].tolist()
    return [
        {"measure": progress.label, "finished": n, "number": number, "seconds": when, "value": value}
        for n, number, when, value in zip(steps, progress.numbers[at].tolist(), seconds, values, strict=True)
    ]


def _figure(index: int, progress: SearchProgress) -> Figure:
    name, found, text = f"{NAME}-{index}", finding(progress), caption(progress)
    size = FRAME.width, FRAME.height
    drawings = tuple(
        (f"Over {kind}", figure(f"{name}-{kind}", size, found, text, _parts(progress, x, label, kind == "trials")))
        for kind, x, label in views_of(progress)
    )
    rows = progress_rows(progress)
    return Figure(name, found, text, drawings, _table(name, progress, rows), rows, NAME)


def views_of(progress: SearchProgress) -> list[tuple[str, NDArray[np.float64], str]]:
    """Return name, place of each configuration (n_trials,) and label of the x axes: trials, and time if it is known."""
    import numpy as np

    places = np.arange(1, progress.n_trials + 1, dtype=float)
    views = [("trials", places, "trials finished, in that order")]
    if progress.seconds is not None and progress.total_seconds:
        length, unit = _unit(progress.total_seconds)
        views.append(("time", progress.seconds / length, f"{unit} of search"))
    return views


def value_scale(progress: SearchProgress) -> ContinuousScale:
    """Return the y axis: logarithmic where positive values span decades, as errors do."""
    values = progress.values if progress.of_each is None else progress.of_each
    low, high = float(values.min()), float(values.max())
    if low > 0 and high > MANY_TIMES * low:
        return LogScale(padded_log([low, high]), FRAME.y)
    return LinearScale(padded(low, high), FRAME.y)


def _parts(progress: SearchProgress, at: NDArray[np.float64], x_label: str, is_count: bool) -> list[Markup]:
    """Draw the value as a staircase over `at`, the place of each configuration on the x axis, (n_trials,)."""
    x, y = LinearScale((0.0, float(at[-1])), FRAME.x, is_whole=is_count), value_scale(progress)
    line = [(x(float(at[n - 1])), y(float(value))) for n, value in zip(progress.steps, progress.values, strict=True)]
    end = (x(float(at[-1])), line[-1][1])
    return [
        axes(FRAME, x, y, x_label, progress.label),
        _dots(progress.of_each, x.each(at), y),
        steps([*line, end], "final-line"),
    ]


def _dots(values: NDArray[np.float64] | None, x: NDArray[np.float64], y: ContinuousScale) -> Markup:
    if values is None:
        return EMPTY
    if len(values) > MAX_DOTS:
        return cloud(x, y.each(values), "final")
    drawn = "".join(map(dot, x.tolist(), y.each(values).tolist()))
    return element("g", element("path", d=drawn), class_="points final faint")


def _unit(seconds: float) -> tuple[float, str]:
    return next((length, name) for least, length, name in UNITS if seconds >= least)


def _table(name: str, progress: SearchProgress, rows: Sequence[Row]) -> Table:
    columns = [
        count_column("finished", "trials finished"),
        count_column("number", "trial", "the trial that improved it; in the last row the last one that finished"),
        *([] if progress.seconds is None else [number_column("seconds", "seconds")]),
        number_column("value", progress.label, digits=4),
    ]
    text = "Every improvement, and the end of the search."
    return Table(name, text, columns, rows[-MAX_TABLE_ROWS:], left_out=max(0, len(rows) - MAX_TABLE_ROWS))
