"""Table of parameter importances and main-effect spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hnet_core.dotted_keys import short_names
from reports.analysis.importance import MAX_USED, MIN_CONFIGURATIONS, Importance
from reports.analysis.main_effects import MIN_SHARED, Effect, effect_span, well_supported
from reports.data.study_data import StudyData
from reports.formatting import MISSING, parameter
from reports.table import Column, Row, Table, number_column, text_column

NAME = "importance"


def parameter_table(
    data: StudyData, effects: Mapping[str, Sequence[Effect]], importances: Sequence[Importance]
) -> Table:
    """Build the table: one row per varied parameter, the most important first."""
    rows, cost = parameter_rows(data, effects, importances), _fanova(data)
    columns = [
        text_column("label", "parameter"),
        Column("fanova", "final (fANOVA)", lambda row: _share(row["fanova"]), "share of the variance it explains"),
        Column("ped_anova", "best tenth (PED-ANOVA)", lambda row: _share(row["ped_anova"]),
               "how much the best tenth of the configurations concentrates in it"),
        Column(cost, f"{data.x.word} (fANOVA)", lambda row: _share(row[cost]),
               f"variance of {'the logarithm of ' if data.has_log_costs else ''}the {data.x.name} it explains"),
        number_column("span", "main effect",
                      f"best minus worst mean, of values that {MIN_SHARED} configurations share", digits=2),
        Column("best", "best on average", lambda row: row["best"] or MISSING, is_number=False),
    ]  # fmt: skip
    if not importances:
        columns = [column for column in columns if "anova" not in column.key]
    return Table(NAME, _caption(data, importances), columns, rows)


def parameter_rows(
    data: StudyData, effects: Mapping[str, Sequence[Effect]], importances: Sequence[Importance]
) -> list[Row]:
    """List the exact values of the table."""
    by_name = {one.name: one for one in importances}
    labels = short_names(data.parameters)
    order = [*by_name, *(name for name in effects if name not in by_name)]
    sign = 1 if data.quality.higher_is_better else -1
    rows: list[Row] = []
    for name in order:
        best = max(well_supported(effects[name]), key=lambda effect: sign * (effect.final.mean or 0.0), default=None)
        one = by_name.get(name)
        rows.append({
            "parameter": name, "label": parameter(labels[name]), "fanova": one.final if one else None,
            "ped_anova": one.best if one else None, _fanova(data): one.cost if one else None,
            "span": effect_span(effects[name]), "best": best.label if best else None,
        })  # fmt: skip
    return rows


def _fanova(data: StudyData) -> str:
    return f"fanova_{data.x.key}"


def _caption(data: StudyData, importances: Sequence[Importance]) -> str:
    if not importances:
        return (
            "Main effects of the varied parameters. Importances need two of them and "
            f"{MIN_CONFIGURATIONS} configurations."
        )
    text = "Which parameters matter. Shares sum to 1 over the parameters; the two methods answer different questions."
    if len(data.configurations) > MAX_USED:
        text += f" Shares go by {MAX_USED} of the configurations, evenly chosen."
    return text


def _share(value: float | None) -> str:
    return MISSING if value is None else f"{value:.2f}"
