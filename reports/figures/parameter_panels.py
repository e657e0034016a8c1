"""One small chart per searched parameter: final quality against its values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from hnet_core.dotted_keys import short_names
from reports.analysis.main_effects import Effect, well_supported
from reports.data.study_data import StudyData
from reports.data.thinning import evenly_spaced
from reports.data.trial import Trial
from reports.data.trial_arrays import Parameter
from reports.drawing.axes import Frame, axes
from reports.drawing.color_scale import color_edges, color_of
from reports.drawing.marks import MAX_TITLED, Point, bars, cloud, line, points
from reports.drawing.scales import ContinuousScale, LinearScale, LogScale, OrdinalScale, Scale, padded, padded_log
from reports.drawing.svg import figure
from reports.exact_values import exact_json
from reports.figures.figure import Figure
from reports.figures.quality_axis import interval_ends, measured_points, place, quality_scale, trial_text
from reports.formatting import parameter, plural
from reports.table import Table, columns_of, cost_column, integer_column, mean_columns, parameter_columns
from reports.tables.trial_rows import trial_row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME = "parameters"
FRAME = Frame(width=470, height=270, left=50, right=10, top=32, bottom=46)
MAX_TABLE_ROWS = 100
STROKE = 0.5  # of its slot: the mean of a value that has no neighbours
ADAPTIVE_SAMPLERS = ("tpe", "nsga2", "gp")


def parameter_panels(data: StudyData, effects: Mapping[str, Sequence[Effect]]) -> Figure:
    """Draw a panel for each parameter that varies, in the order of the spec; the others are named with their values.

    Args:
        effects: the main effects of each parameter that varies.
    """
    edges = color_edges(data.x, data.cost_ends)
    ends = interval_ends(trial[data.quality.final] for trial in data.front)
    y = quality_scale(data.quality, data.mean_range, FRAME.y, ends)
    panels = [
        (label, _panel(data, name, label, edges, y, effects[name]))
        for name, label in short_names(data.parameters).items()
        if name in effects
    ]
    final, shown = data.quality.final, data.configurations
    if len(shown) > MAX_TABLE_ROWS:
        shown = tuple(sorted(evenly_spaced(data.front, MAX_TABLE_ROWS), key=lambda trial: trial.number))
    rows = [trial_row(trial, [data.x.metric, final]) for trial in shown]
    columns = [
        integer_column("number", "trial"),
        *parameter_columns(data.parameters, columns_of(rows)),
        cost_column(data.x),
        *mean_columns(final, "final"),
        integer_column("n", "n"),
    ]
    caption = "Searched values and what they reached."
    table = Table(NAME, caption, columns, rows, data.on_front, len(data.configurations) - len(rows), "number")
    return Figure(NAME, _finding(data), _caption(data), tuple(panels), table, rows, "tradeoff")


def _caption(data: StudyData) -> str:
    dashed = "; the dashed one is the same right after each task (during)" if data.has_during else ""
    text = (
        f"Each dot is one configuration: its value on the x axis, its final {data.quality.word} on the y axis. Its "
        f"shade is its {data.x.name}; ringed dots are on the front. The line is the "
        f"main effect: the mean over configurations at each value, or in each fifth of them, with its 95 % t interval "
        f"over configurations{dashed}."
    )
    sampler = data.record.spec.get("sampler")
    if sampler in ADAPTIVE_SAMPLERS:
        text += " The search favours promising regions and varies everything at once: read associations, not effects."
    elif sampler == "random":
        text += " Everything varies at once: read associations, not effects."
    if len(data.configurations) > MAX_TITLED:
        text += f" Above {MAX_TITLED} configurations only the front keeps its interval bars."
    return text


def _panel(
    data: StudyData,
    name: str,
    label: str,
    edges: Sequence[float],
    y: ContinuousScale,
    effects: Sequence[Effect],
) -> Markup:
    drawing = f"parameter-{data.parameters.index(name)}"
    size = (FRAME.width, FRAME.height)
    columns = data.columns
    values = columns.parameter(name)
    x = _scale(data.space(name), values)
    is_single = columns.among(data.drawn_individually)
    single = columns.where(values.is_known & is_single)
    n_known = int(values.is_known.sum())
    with_bars = values.is_known if n_known <= MAX_TITLED else values.is_known & columns.among(data.on_front)
    parts = [
        axes(FRAME, x, y, label, f"final {data.quality.word}"),
        bars(_place(data, name, x, y, columns.where(with_bars)), "faint"),
    ]
    titled = len(data.configurations) <= MAX_TITLED
    in_cloud = values.is_known & ~is_single
    if in_cloud.any():
        parts.append(cloud(_across(values, x)[in_cloud], y.each(columns[data.quality.final][in_cloud]), "final"))
    for color in range(len(edges)):
        inside = [trial for trial in single if color_of(data.cost(trial), edges) == color]
        on_front = [trial for trial in inside if trial.number in data.on_front]
        parts.append(points(_place(data, name, x, y, on_front), "ring", titled=False))
        parts.append(points(_place(data, name, x, y, inside), f"shade-{color}", titled=titled))
    parts += _effect_lines(effects, x, y)
    description = f"Final {data.quality.word} of {plural(n_known, 'configuration')} against {name}."
    return figure(drawing, size, _panel_finding(data, name, label), description, parts, data_hover="trials")


def _effect_lines(effects: Sequence[Effect], x: Scale, y: ContinuousScale) -> list[Markup]:
    """Draw the main effect on during and final, joined where the axis has an order, else a stroke at each value."""
    if len(effects) < 2:
        return []
    parts = []
    for style in ("during", "final"):
        placed = (place(None, x(_key(effect.position, x)), y, getattr(effect, style), "") for effect in effects)
        means = [(point.x, point.y) for point in measured_points(placed)]
        if isinstance(x, OrdinalScale) and not x.is_ordered:
            half = STROKE * x.slot / 2
            parts += [line([(at - half, mean), (at + half, mean)], f"effect {style}-line") for at, mean in means]
        else:
            parts.append(line(means, f"effect {style}-line"))
    several = (place(None, x(_key(effect.position, x)), y, effect.final, "") for effect in well_supported(effects))
    return [*parts, bars(measured_points(several), "effect")]


def _place(data: StudyData, name: str, x: Scale, y: ContinuousScale, trials: Sequence[Trial]) -> list[Point]:
    final, titled = data.quality.final, len(data.configurations) <= MAX_TITLED
    return measured_points(
        place(trial.number, x(_key(trial.params[name], x)), y, trial[final], trial_text(data, trial) if titled else "")
        for trial in trials
    )


def _across(values: Parameter, x: Scale) -> NDArray[np.float64]:
    """Return the pixel of each configuration on the axis, (n_configurations,)."""
    import numpy as np

    if isinstance(x, OrdinalScale):
        return np.array([x(key) for key in values.distinct])[values.which]
    return x.each(values.numbers)


def _scale(space: Mapping[str, Any], values: Parameter) -> Scale:
    """Return an ordinal scale for choices and text, else a linear or logarithmic one over the searched range."""
    if "choice" in space or not values.is_number:
        keys = [exact_json(value) for value in space.get("choice", [])]
        keys = [key for key in dict.fromkeys([*keys, *values.distinct]) if key != "null"]
        is_ordered = all(_is_number(json.loads(key)) for key in keys)
        if is_ordered:
            keys.sort(key=float)
        return OrdinalScale(tuple(keys), FRAME.x, tuple(parameter(json.loads(key))[:14] for key in keys), is_ordered)
    bounds = [bound for kind in ("float", "int") for bound in space.get(kind, [])[:2] if _is_number(bound)]
    numbers = values.numbers[values.is_known].tolist()
    low, high = min([*numbers, *bounds]), max([*numbers, *bounds])
    if space.get("log") and low > 0:
        return LogScale(padded_log([low, high]), FRAME.x)
    return LinearScale(padded(low, high), FRAME.x)


def _key(value: Any, scale: Scale) -> Any:
    return exact_json(value) if isinstance(scale, OrdinalScale) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _panel_finding(data: StudyData, name: str, label: str) -> str:
    best = data.configurations[int(data.losses(data.quality.final).argmin())]
    values = sorted({exact_json(trial.params[name]) for trial in data.front if trial.params[name] is not None})
    spread = f"; the front holds {plural(len(values), 'value')}" if values else ""
    return f"{label}: the best final {data.quality.word} was measured at {parameter(best.params[name])[:40]}{spread}."


def _finding(data: StudyData) -> str:
    labels = short_names(data.parameters)
    text = f"{plural(len(data.varied), 'parameter')} varied"
    text += f": {', '.join(labels[name] for name in data.varied)}." if data.varied else "."
    constant = [
        f"{labels[name]} {parameter(data.configurations[0].params[name])[:40]}"
        for name in labels
        if name not in data.varied
    ]
    return f"{text} Not varied: {', '.join(constant)}." if constant else text
