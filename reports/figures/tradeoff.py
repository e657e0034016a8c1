"""Quality against a cost, with the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from reports.analysis.recommendation import Recommendation
from reports.data.study_data import MAX_RUNS, StudyData
from reports.data.trial import Trial
from reports.drawing.axes import Frame, axes, horizontal_line, vertical_line
from reports.drawing.cost_scale import cost_scale, with_reference
from reports.drawing.labels import Label, draw_labels
from reports.drawing.marks import MAX_TITLED, Point, bars, cloud, points, steps
from reports.drawing.scales import ContinuousScale
from reports.drawing.svg import EMPTY, figure
from reports.figures.close_up import are_within, fills_little, is_within
from reports.figures.figure import Figure
from reports.figures.quality_axis import error_scale, interval_ends, measured_points, place, quality_scale, trial_text
from reports.formatting import plural, significant
from reports.table import Columns, Table, cost_column, integer_column, mean_columns, parameter_columns
from reports.tables.trial_rows import trial_table
from studies.metrics.cost_axes import COMPRESSION

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME = "tradeoff"
FRAME = Frame(width=960, height=500, left=52, right=16, top=34, bottom=52)
MAX_TABLE_ROWS = 200


@dataclass(frozen=True)
class TradeoffView:
    """One drawing of the figure: which configurations it shows, (n_configurations,), on which scales.

    Attributes:
        is_titled: its points may have titles; of many configurations those of one view suffice, to keep the page small.
    """

    name: str
    label: str
    x: ContinuousScale
    y: ContinuousScale
    y_label: str
    shown: NDArray[np.bool_]
    is_titled: bool = True


def tradeoff_figure(data: StudyData, recommendation: Recommendation, untrained: float | None) -> Figure:
    """Draw all configurations, a close-up of the front where it fills a small part of that, and an axis of errors.

    Args:
        untrained: mean test accuracy of the model before any training (the chance level), None where not measured.
    """
    full = _all_configurations(data)
    views = [view for view in (full, _close_up(data, full), _errors(data)) if view is not None]
    exact = _exact(data)
    return Figure(
        NAME,
        _finding(data, recommendation),
        _caption(data),
        tuple((view.label, _draw(data, recommendation, untrained, view)) for view in views),
        _table(data, exact),
        exact,
    )


def x_scale(data: StudyData) -> ContinuousScale:
    """Return the x axis that all views of one study share."""
    return cost_scale(data.x, with_reference(data.x, data.cost_ends), FRAME.x)


def _exact(data: StudyData) -> Columns:
    """Return the plotted numbers of every configuration, by trial number."""
    return {
        **trial_table(data, _metrics(data)),
        "on_front": data.columns.among(data.on_front).tolist(),
        "feasible": data.columns.among(data.feasible).tolist(),
    }


def _metrics(data: StudyData) -> list[str]:
    quality = data.quality
    return list(dict.fromkeys([
        data.x.metric, COMPRESSION.metric, "hypernet_ratio", "model_weights", "hypernet_weights", "target_weights",
        quality.final, quality.during, quality.selection, "forgetting", "seconds", "peak_memory_mib",
    ]))  # fmt: skip


def _all_configurations(data: StudyData) -> TradeoffView:
    import numpy as np

    y = _y_scale(data, data.mean_range)
    shown = np.ones(len(data.configurations), dtype=bool)
    return TradeoffView(NAME, "All configurations", x_scale(data), y, data.quality.axis_label, shown)


def _errors(data: StudyData) -> TradeoffView | None:
    """Return all configurations on a logarithmic axis of errors, which tells apart accuracies close to 1."""
    import numpy as np

    if not data.quality.higher_is_better:
        return None
    y = error_scale(data.mean_range, FRAME.y)
    if y is None:
        return None
    shown = np.ones(len(data.configurations), dtype=bool)
    y_label = f"1 − {data.quality.axis_label} (log scale)"
    is_titled = len(shown) <= MAX_TITLED
    return TradeoffView(f"{NAME}-errors", "By error", x_scale(data), y, y_label, shown, is_titled)


def _close_up(data: StudyData, full: TradeoffView) -> TradeoffView | None:
    """Return the part of the plane around the front, None where it is too large for a close-up."""
    front, quality, columns = data.front, data.quality, data.columns
    if len(front) < 2:
        return None
    means = [trial.mean(metric) for trial in front for metric in (quality.final, quality.during)]
    y = _y_scale(data, [mean for mean in means if mean is not None])
    x = cost_scale(data.x, [data.cost(trial) for trial in front], FRAME.x, 0.08)
    if not fills_little((full.x, full.y), (x, y)):
        return None
    inside = are_within(x, data.costs) & are_within(y, columns[quality.final])
    return TradeoffView(f"{NAME}-close-up", "The front, close up", x, y, data.quality.axis_label, inside)


def _y_scale(data: StudyData, means: Sequence[float]) -> ContinuousScale:
    """Return the y axis over some means and the intervals of the front."""
    ends = interval_ends(trial[data.quality.final] for trial in data.front)
    return quality_scale(data.quality, means, FRAME.y, ends)


def _draw(data: StudyData, recommendation: Recommendation, untrained: float | None, view: TradeoffView) -> Markup:
    quality = data.quality
    columns = data.columns
    is_member, is_single = columns.among(data.on_front), columns.among(data.drawn_individually)
    front = data.by_cost(columns.where(view.shown & is_member))
    others = columns.where(view.shown & is_single & ~is_member)
    members = [(point.x, point.y) for point in _points(data, view, front, quality.final, titled=False)]
    named = [trial for _, trial in recommendation.roles if trial.number not in data.on_front]
    marked = [
        point
        for metric in (quality.final, quality.during)
        for point in _points(data, view, [*front, *named], metric, titled=False)
    ]
    parts = [
        axes(FRAME, view.x, view.y, data.x.label, view.y_label),
        *_references(data, view, untrained),
        _cloud(data, view, view.shown & ~is_single),
        *_series(data, view, others, "faint"),
        steps(members, "front-line") if data.front_is_tradeoff and members else EMPTY,
        *_series(data, view, front, "member"),
        draw_labels(FRAME, _labels(data, recommendation, view), [(point.x, point.y) for point in marked]),
    ]
    size, is_dense = (FRAME.width, FRAME.height), view.shown.sum() > MAX_TITLED / 2
    finding, caption = _finding(data, recommendation), _caption(data)
    return figure(view.name, size, finding, caption, parts, class_="dense" if is_dense else None, data_hover="trials")


def _references(data: StudyData, view: TradeoffView, untrained: float | None) -> list[Markup]:
    """Draw the lines at the reference of the cost and at the untrained model, where they are inside the view."""
    lines = []
    if data.x.reference is not None and is_within(view.x, data.x.reference[0]):
        cost, label = data.x.reference
        lines.append(vertical_line(FRAME, view.x(cost), label))
    if untrained is not None and is_within(view.y, untrained):
        lines.append(horizontal_line(FRAME, view.y(untrained), f"untrained model: {significant(untrained)}"))
    return lines


def _series(data: StudyData, view: TradeoffView, trials: Sequence[Trial], style: str) -> list[Markup]:
    """Draw during below final, so that where both are equal a square frames a dot."""
    quality = data.quality
    has_bars = len(data.configurations if style == "faint" else trials) <= MAX_TITLED
    titled = has_bars and view.is_titled
    during, final = (_points(data, view, trials, key, titled) for key in (quality.during, quality.final))
    allowed = [point for point in final if point.trial in data.feasible]
    refused = [point for point in final if point.trial not in data.feasible]
    return [
        *([bars(during, f"during {style}"), bars(final, f"final {style}")] if has_bars else []),
        points(during, f"during {style}", titled=titled),
        points(refused, f"final infeasible {style}", titled=titled),
        points(allowed, f"final {style}", titled=titled, name=f"{view.name}-front" if style == "member" else None),
    ]


def _cloud(data: StudyData, view: TradeoffView, in_cloud: NDArray[np.bool_]) -> Markup:
    """Draw the final means of those configurations that are not drawn individually, as a density."""
    finals = data.columns[data.quality.final]
    in_cloud = in_cloud & are_within(view.y, finals)
    x = view.x.each(data.costs[in_cloud])
    return cloud(x, view.y.each(finals[in_cloud]), "final") if in_cloud.any() else EMPTY


def _points(
    data: StudyData, view: TradeoffView, trials: Sequence[Trial], metric: str, titled: bool = True
) -> list[Point]:
    return measured_points(
        place(trial.number, view.x(data.cost(trial)), view.y, trial[metric], trial_text(data, trial) if titled else "")
        for trial in trials
        if trial.mean(metric) is None or is_within(view.y, trial.value(metric))
    )


def _labels(data: StudyData, recommendation: Recommendation, view: TradeoffView) -> list[Label]:
    """Label the recommended configurations inside the view."""
    shown = set(data.columns.numbers[view.shown].tolist())
    return [
        Label(view.x(data.cost(trial)), view.y(trial.value(data.quality.final)), f"{role} #{trial.number}")
        for role, trial in recommendation.roles
        if trial.number in shown
    ]


def _finding(data: StudyData, recommendation: Recommendation) -> str:
    configurations = plural(len(data.configurations), "configuration")
    return f"{configurations}, {len(data.front)} on the front. {recommendation.headline}"


def _caption(data: StudyData) -> str:
    quality = data.quality
    better = "up" if quality.higher_is_better else "down"
    square = (
        "; the square is the same right after each task was trained, so the gap between them is what was forgotten"
        if data.has_during
        else ""
    )
    text = (
        f"Better is {better} and to the left. Each dot is the mean of one configuration over its seeds, on the test "
        f"split after the last task{square}. Bars are 95 % t intervals; an arrow ends one that goes "
        f"on beyond the axis."
    )
    if not data.front_is_tradeoff:
        goals = ", ".join(f"{goal} {metric}" for metric, goal in data.record.objectives.items())
        kind = "one objective" if len(data.record.objectives) == 1 else "other objectives"
        return (
            f"{text} The study has {kind} ({goals}), so no line joins its front here; --x {data.x.metric} draws the "
            f"front of {quality.word} and {data.x.name}."
        )
    if len(data.configurations) > MAX_TITLED:
        text += f" Above {MAX_TITLED} configurations only the front keeps its bars."
    if len(data.drawn_individually) < len(data.configurations):
        text += (
            f" Only {len(data.drawn_individually)} are drawn one by one; the others are a cloud, denser where darker."
        )
    if data.has_too_many_runs:
        text += f" Views of single seeds are left out above {MAX_RUNS:,} runs."
    if quality.has_validation:
        text += " The front is decided on the validation split and drawn on the test split, where it may step back."
    return text


def _table(data: StudyData, exact: Columns) -> Table:
    quality = data.quality
    columns = [
        integer_column("number", "trial"),
        cost_column(data.x),
        *mean_columns(quality.final, "final"),
        *(mean_columns(quality.during, "during") if data.has_during else []),
        integer_column("n", "n"),
        *parameter_columns(data.parameters, exact),
    ]
    shown = _table_places(data)
    rows = [{name: values[place] for name, values in exact.items()} for place in shown]
    return Table(
        NAME, "Every configuration of the figure; those on the front are marked.", columns, rows,
        data.on_front, len(data.configurations) - len(rows), "number",
    )  # fmt: skip


def _table_places(data: StudyData) -> list[int]:
    """Return the indices of the rows to show: all, or the front and the best others where there are too many."""
    import numpy as np

    is_other = ~data.columns.among(data.on_front)
    if len(is_other) <= MAX_TABLE_ROWS:
        return list(range(len(is_other)))
    ranked = np.lexsort((data.losses(data.quality.final), is_other))
    return sorted(ranked[:MAX_TABLE_ROWS].tolist())
