"""The figure the report is named after: quality against compression ratio, with the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from reports.analysis.recommendation import Answer
from reports.data.study_data import MAX_RUNS, Evidence, Quality
from reports.data.trial import Trial
from reports.drawing.axes import Frame, axes, horizontal_line, vertical_line
from reports.drawing.labels import Label, callouts
from reports.drawing.marks import MANY, Point, bars, cloud, points, steps
from reports.drawing.scales import Linear, Log, padded_log
from reports.drawing.svg import EMPTY, figure
from reports.figures.figure import Figure
from reports.figures.quality_axis import place, quality_scale, words
from reports.formatting import plural, significant
from reports.table import Column, Columns, Table, mean_columns, parameter_columns, size_column
from reports.tables.trial_rows import trial_table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME = "tradeoff"
FRAME = Frame(width=960, height=500, left=52, right=16, top=34, bottom=52)
CLOSE_UP_BELOW = 0.45
MAX_TABLE_ROWS = 200
X_LABEL = "compression ratio: weights to run every task / weights of one target network (log scale)"


@dataclass(frozen=True)
class View:
    """One drawing of the figure: which configurations it shows, (n_configurations,), on which scales."""

    name: str
    x: Log
    y: Linear | Log
    shown: NDArray[np.bool_]


def tradeoff_figure(evidence: Evidence, answer: Answer, untrained: float | None) -> Figure:
    """Draws all configurations, and the front once more in close-up where it fills little of the whole.

    Args:
        untrained: mean test accuracy of the model before any training (the chance level), None where not measured.
    """
    views = [_whole(evidence)]
    close_up = _close_up(evidence, views[0])
    labels = ["All configurations", "The front, close up"]
    views += [close_up] if close_up else []
    drawings = [_draw(evidence, answer, untrained, view) for view in views]
    exact = _exact(evidence)
    return Figure(
        NAME,
        _finding(evidence, answer),
        _caption(evidence),
        tuple(zip(labels, drawings, strict=False)),
        _table(evidence, exact),
        exact,
    )


def ratio_axis(evidence: Evidence) -> Log:
    """The x axis all views of one study share."""
    return Log(padded_log([*evidence.ratio_range, 1.0]), FRAME.x)


def _exact(evidence: Evidence) -> Columns:
    """The plotted numbers of every configuration, by trial number."""
    return {
        **trial_table(evidence, _metrics(evidence.quality)),
        "on_front": evidence.columns.among(evidence.on_front).tolist(),
        "feasible": evidence.columns.among(evidence.feasible).tolist(),
    }


def _metrics(quality: Quality) -> list[str]:
    return list(dict.fromkeys([
        "compression_ratio", "hypernet_ratio", "model_weights", "hypernet_weights", "target_weights",
        quality.final, quality.during, quality.selection, "forgetting", "seconds", "peak_memory_mib",
    ]))  # fmt: skip


def _whole(evidence: Evidence) -> View:
    import numpy as np

    y = quality_scale(evidence.quality, evidence.mean_range, evidence.front, FRAME.y)
    return View(NAME, ratio_axis(evidence), y, np.ones(len(evidence.configurations), dtype=bool))


def _close_up(evidence: Evidence, whole: View) -> View | None:
    """The part of the plane around the front, where it is small enough for that to help."""
    front, quality, columns = evidence.front, evidence.quality, evidence.columns
    if len(front) < 2 or len(front) == len(evidence.configurations):
        return None
    means = [trial.mean(metric) for trial in front for metric in (quality.final, quality.during)]
    y = quality_scale(quality, [mean for mean in means if mean is not None], front, FRAME.y)
    if abs(whole.y(y.domain[1]) - whole.y(y.domain[0])) > CLOSE_UP_BELOW * (FRAME.y[0] - FRAME.y[1]):
        return None
    x = Log(padded_log([trial.ratio for trial in front], 0.08), FRAME.x)
    inside = _are_within(x, columns["compression_ratio"]) & _are_within(y, columns[quality.final])
    return View(f"{NAME}-close-up", x, y, inside)


def _are_within(scale: Linear | Log, values: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (scale.domain[0] <= values) & (values <= scale.domain[1])


def _within(scale: Linear | Log, value: float) -> bool:
    return scale.domain[0] <= value <= scale.domain[1]


def _draw(evidence: Evidence, answer: Answer, untrained: float | None, view: View) -> Markup:
    quality = evidence.quality
    columns = evidence.columns
    is_member, is_single = columns.among(evidence.on_front), columns.among(evidence.singled_out)
    front = sorted(columns.where(view.shown & is_member), key=lambda trial: (trial.ratio, trial.number))
    others = columns.where(view.shown & is_single & ~is_member)
    members = [(point.x, point.y) for point in _points(evidence, view, front, quality.final, titled=False)]
    parts = [
        axes(FRAME, view.x, view.y, X_LABEL, f"{quality.word}, mean over seeds"),
        *_references(view, untrained),
        _crowd(evidence, view, view.shown & ~is_single),
        *_series(evidence, view, others, "faint"),
        steps(members, "front-line") if evidence.front_is_tradeoff and members else EMPTY,
        *_series(evidence, view, front, "member"),
        callouts(FRAME, _labels(evidence, answer, view), members),
    ]
    size, is_dense = (FRAME.width, FRAME.height), view.shown.sum() > MANY / 2
    finding, caption = _finding(evidence, answer), _caption(evidence)
    return figure(view.name, size, finding, caption, parts, class_="dense" if is_dense else None, data_hover="trials")


def _references(view: View, untrained: float | None) -> list[Markup]:
    """Where nothing is compressed, and where nothing is learnt, as far as the view reaches."""
    lines = []
    if _within(view.x, 1.0):
        lines.append(vertical_line(FRAME, view.x(1.0), "ratio 1: as large as the target network"))
    if untrained is not None and _within(view.y, untrained):
        lines.append(horizontal_line(FRAME, view.y(untrained), f"untrained model: {significant(untrained)}"))
    return lines


def _series(evidence: Evidence, view: View, trials: Sequence[Trial], style: str) -> list[Markup]:
    """During below final, so that where both are equal a square frames a dot."""
    quality = evidence.quality
    titled = len(evidence.configurations if style == "faint" else trials) <= MANY
    during, final = (_points(evidence, view, trials, key, titled) for key in (quality.during, quality.final))
    allowed = [point for point in final if point.trial in evidence.feasible]
    refused = [point for point in final if point.trial not in evidence.feasible]
    return [
        *([bars(during, f"during {style}"), bars(final, f"final {style}")] if titled else []),
        points(during, f"during {style}", titled=titled),
        points(refused, f"final infeasible {style}", titled=titled),
        points(allowed, f"final {style}", titled=titled, name=f"{view.name}-front" if style == "member" else None),
    ]


def _crowd(evidence: Evidence, view: View, crowd: NDArray[np.bool_]) -> Markup:
    """The final means of configurations too many to be told apart."""
    finals = evidence.columns[evidence.quality.final]
    crowd = crowd & _are_within(view.y, finals)
    x = view.x.each(evidence.columns["compression_ratio"][crowd])
    return cloud(x, view.y.each(finals[crowd]), "final") if crowd.any() else EMPTY


def _points(evidence: Evidence, view: View, trials: Sequence[Trial], metric: str, titled: bool = True) -> list[Point]:
    placed = (
        place(trial.number, view.x(trial.ratio), view.y, trial[metric], words(evidence, trial) if titled else "")
        for trial in trials
        if trial.mean(metric) is None or _within(view.y, trial.value(metric))
    )
    return [point for point in placed if point is not None]


def _labels(evidence: Evidence, answer: Answer, view: View) -> list[Label]:
    """Names of the configurations the answer speaks of, where they are."""
    shown = set(evidence.columns.numbers[view.shown].tolist())
    return [
        Label(view.x(trial.ratio), view.y(trial.value(evidence.quality.final)), f"{role} #{trial.number}")
        for role, trial in answer.roles
        if trial.number in shown
    ]


def _finding(evidence: Evidence, answer: Answer) -> str:
    configurations = plural(len(evidence.configurations), "configuration")
    return f"{configurations}, {len(evidence.front)} on the front. {answer.headline}"


def _caption(evidence: Evidence) -> str:
    quality = evidence.quality
    better = "up" if quality.higher_is_better else "down"
    text = (
        f"Better is {better} and to the left. Each dot is the mean of one configuration over its seeds, on the test "
        f"split after the last task; the square is the same right after each task was trained, so the gap between them "
        f"is what was forgotten. Bars are 95 % t intervals."
    )
    if not evidence.front_is_tradeoff:
        goals = ", ".join(f"{goal} {metric}" for metric, goal in evidence.record.objectives.items())
        return f"{text} The study has other objectives ({goals}), so no line joins its front here."
    if len(evidence.configurations) > MANY:
        text += f" Above {MANY} configurations only the front keeps its bars."
    if len(evidence.singled_out) < len(evidence.configurations):
        text += f" Only {len(evidence.singled_out)} are drawn one by one; the others are a cloud, denser where darker."
    if evidence.has_too_many_runs:
        text += f" Views of single seeds are left out above {MAX_RUNS:,} runs."
    if quality.has_validation:
        text += " The front is decided on the validation split and drawn on the test split, where it may step back."
    return text


def _table(evidence: Evidence, exact: Columns) -> Table:
    quality = evidence.quality
    columns = [
        Column("number", "trial", lambda row: str(row["number"])),
        size_column("compression_ratio", "ratio"),
        *mean_columns(quality.final, "final"),
        *mean_columns(quality.during, "during"),
        Column("n", "n", lambda row: str(row["n"])),
        *parameter_columns(evidence.parameters, exact),
    ]
    shown = _most_telling(evidence)
    rows = [{name: values[place] for name, values in exact.items()} for place in shown]
    return Table(
        NAME, "Every configuration of the figure; those on the front are marked.", columns, rows,
        evidence.on_front, len(evidence.configurations) - len(rows), "number",
    )  # fmt: skip


def _most_telling(evidence: Evidence) -> list[int]:
    """Places of the front and the best of the rest, when there are too many configurations to read; else of all."""
    import numpy as np

    is_other = ~evidence.columns.among(evidence.on_front)
    if len(is_other) <= MAX_TABLE_ROWS:
        return list(range(len(is_other)))
    ranked = np.lexsort((evidence.losses(evidence.quality.final), is_other))
    return sorted(ranked[:MAX_TABLE_ROWS].tolist())
