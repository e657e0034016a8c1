"""One small chart per searched parameter: what the final quality was at each of its values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from reports.analysis.main_effects import Effect, well_known
from reports.data.study_data import Evidence, evenly, is_varied
from reports.data.trial import Trial
from reports.data.trial_arrays import Parameter
from reports.drawing.axes import Frame, axes
from reports.drawing.color_scale import shade_edges, shade_of
from reports.drawing.marks import MANY, bars, cloud, line, points
from reports.drawing.scales import Linear, Log, Ordinal, Scale, padded, padded_log
from reports.drawing.svg import element, figure
from reports.figures.figure import Figure
from reports.figures.quality_axis import place, quality_scale, words
from reports.formatting import parameter, plural, short_names, spelled
from reports.table import Column, Table, columns_of, mean_columns, parameter_columns, size_column
from reports.tables.trial_rows import trial_row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME = "parameters"
FRAME = Frame(width=470, height=270, left=50, right=10, top=32, bottom=46)
MAX_TABLE_ROWS = 100
STROKE = 0.5  # of its slot: the mean of a value that has no neighbours
ADAPTIVE_SAMPLERS = ("tpe", "nsga2", "gp")


def parameter_panels(evidence: Evidence, effects: Mapping[str, Sequence[Effect]]) -> Figure:
    """Draws a panel for each parameter of the search, in the order of the spec.

    Args:
        effects: the main effects of each parameter that varies.
    """
    edges = shade_edges(evidence.ratio_range)
    y = quality_scale(evidence.quality, evidence.mean_range, evidence.front, FRAME.y)
    panels = [
        (label, _panel(evidence, name, label, edges, y, effects.get(name)))
        for name, label in short_names(evidence.parameters).items()
    ]
    final, told = evidence.quality.final, evidence.configurations
    if len(told) > MAX_TABLE_ROWS:
        told = tuple(sorted(evenly(evidence.front, MAX_TABLE_ROWS), key=lambda trial: trial.number))
    rows = [trial_row(trial, ["compression_ratio", final]) for trial in told]
    columns = [
        Column("number", "trial", lambda row: str(row["number"])),
        *parameter_columns(evidence.parameters, columns_of(rows)),
        size_column("compression_ratio", "ratio"),
        *mean_columns(final, "final"),
        Column("n", "n", lambda row: str(row["n"])),
    ]
    caption = "Searched values and what they reached."
    table = Table(NAME, caption, columns, rows, evidence.on_front, len(evidence.configurations) - len(rows), "number")
    return Figure(NAME, _finding(evidence), _caption(evidence), tuple(panels), table, rows, "tradeoff")


def _caption(evidence: Evidence) -> str:
    text = (
        f"Each dot is one configuration: its value on the x axis, its final {evidence.quality.word} on the y axis. Its "
        f"shade is its compression ratio; ringed dots are on the front. The line is the "
        f"main effect: the mean over configurations at each value, or in each fifth of them, with its 95 % t interval "
        f"over configurations; the dashed one is the same right after each task (during)."
    )
    sampler = evidence.record.spec.get("sampler")
    if sampler in ADAPTIVE_SAMPLERS:
        text += " The search favours promising regions and varies everything at once: read associations, not effects."
    elif sampler == "random":
        text += " Everything varies at once: read associations, not effects."
    if len(evidence.configurations) > MANY:
        text += f" Above {MANY} configurations only the front keeps its interval bars."
    return text


def _panel(
    evidence: Evidence,
    name: str,
    label: str,
    edges: Sequence[float],
    y: Linear | Log,
    effects: Sequence[Effect] | None,
) -> Markup:
    drawing = f"parameter-{evidence.parameters.index(name)}"
    size = (FRAME.width, FRAME.height)
    if effects is None:
        value = parameter(next((trial.params[name] for trial in evidence.configurations), None))
        note = f"not varied: {value[:40]} throughout"
        middle = element("text", note, x=FRAME.width / 2, y=FRAME.height / 2, text_anchor="middle", class_="label")
        return figure(drawing, size, f"{label}: {note}", "There is nothing to compare.", [middle])
    columns = evidence.columns
    values = columns.parameter(name)
    x = _scale(evidence.record.spec["search"][name], values)
    is_single = columns.among(evidence.singled_out)
    single = columns.where(values.is_known & is_single)
    n_known = int(values.is_known.sum())
    with_bars = values.is_known if n_known <= MANY else values.is_known & columns.among(evidence.on_front)
    parts = [
        axes(FRAME, x, y, label, f"final {evidence.quality.word}"),
        bars(_place(evidence, name, x, y, columns.where(with_bars)), "faint"),
    ]
    titled = len(evidence.configurations) <= MANY
    crowd = values.is_known & ~is_single
    if crowd.any():
        parts.append(cloud(_across(values, x)[crowd], y.each(columns[evidence.quality.final][crowd]), "final"))
    for shade in range(len(edges)):
        inside = [trial for trial in single if shade_of(trial.ratio, edges) == shade]
        on_front = [trial for trial in inside if trial.number in evidence.on_front]
        parts.append(points(_place(evidence, name, x, y, on_front), "ring", titled=False))
        parts.append(points(_place(evidence, name, x, y, inside), f"shade-{shade}", titled=titled))
    parts += _effect_lines(effects, x, y)
    description = f"Final {evidence.quality.word} of {plural(n_known, 'configuration')} against {name}."
    return figure(drawing, size, _panel_finding(evidence, name, label), description, parts, data_hover="trials")


def _effect_lines(effects: Sequence[Effect], x: Scale, y: Linear | Log) -> list[Markup]:
    """The main effect on during and final, joined where the axis has an order, else a stroke at each value."""
    if len(effects) < 2:
        return []
    parts = []
    for style in ("during", "final"):
        placed = [place(None, x(_key(effect.position, x)), y, getattr(effect, style), "") for effect in effects]
        means = [(point.x, point.y) for point in placed if point is not None]
        if isinstance(x, Ordinal) and not x.is_ordered:
            half = STROKE * x.slot / 2
            parts += [line([(at - half, mean), (at + half, mean)], f"effect {style}-line") for at, mean in means]
        else:
            parts.append(line(means, f"effect {style}-line"))
    several = [place(None, x(_key(effect.position, x)), y, effect.final, "") for effect in well_known(effects)]
    return [*parts, bars([point for point in several if point is not None], "effect")]


def _place(evidence: Evidence, name: str, x: Scale, y: Linear | Log, trials: Sequence[Trial]) -> list[Any]:
    final, titled = evidence.quality.final, len(evidence.configurations) <= MANY
    placed = (
        place(trial.number, x(_key(trial.params[name], x)), y, trial[final], words(evidence, trial) if titled else "")
        for trial in trials
    )
    return [point for point in placed if point is not None]


def _across(values: Parameter, x: Scale) -> NDArray[np.float64]:
    """Where each configuration stands on the axis, (n_configurations,)."""
    import numpy as np

    if isinstance(x, Ordinal):
        return np.array([x(key) for key in values.distinct])[values.which]
    return x.each(values.numbers)


def _scale(space: Mapping[str, Any], values: Parameter) -> Scale:
    """Ordinal for choices and words, else linear or logarithmic over the whole range that was searched."""
    if "choice" in space or not values.is_number:
        keys = [spelled(value) for value in space.get("choice", [])]
        keys = [key for key in dict.fromkeys([*keys, *values.distinct]) if key != "null"]
        is_ordered = all(_is_number(json.loads(key)) for key in keys)
        if is_ordered:
            keys.sort(key=float)
        return Ordinal(tuple(keys), FRAME.x, tuple(parameter(json.loads(key))[:14] for key in keys), is_ordered)
    bounds = [bound for kind in ("float", "int") for bound in space.get(kind, [])[:2] if _is_number(bound)]
    numbers = values.numbers[values.is_known].tolist()
    low, high = min([*numbers, *bounds]), max([*numbers, *bounds])
    if space.get("log") and low > 0:
        return Log(padded_log([low, high]), FRAME.x)
    return Linear(padded(low, high), FRAME.x)


def _key(value: Any, scale: Scale) -> Any:
    return spelled(value) if isinstance(scale, Ordinal) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _panel_finding(evidence: Evidence, name: str, label: str) -> str:
    best = evidence.configurations[int(evidence.losses(evidence.quality.final).argmin())]
    values = sorted({spelled(trial.params[name]) for trial in evidence.front if trial.params[name] is not None})
    spread = f"; the front holds {plural(len(values), 'value')}" if values else ""
    return (
        f"{label}: the best final {evidence.quality.word} was measured at {parameter(best.params[name])[:40]}{spread}."
    )


def _finding(evidence: Evidence) -> str:
    varied = [label for name, label in short_names(evidence.parameters).items() if is_varied(evidence, name)]
    return f"{plural(len(varied), 'parameter')} varied" + (f": {', '.join(varied)}." if varied else ".")
