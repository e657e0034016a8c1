"""Table of families: best configuration and hypervolume of each."""

from __future__ import annotations

from collections.abc import Sequence

from reports.analysis.families import Family
from reports.formatting import cost_text
from reports.table import (
    Row,
    Table,
    cost_column,
    integer_column,
    interval_cells,
    mean_columns,
    number_column,
    text_column,
)
from studies.statistics.hypervolume import REFERENCE_POINT


def family_table(families: Sequence[Family]) -> Table:
    """Build the table of families that share a cost, in their order."""
    data = families[0].data
    x, rows = data.x, [_family_row(family) for family in families]
    area = _area(families[0])
    columns = [
        text_column("family", "family"),
        integer_column("configurations", "configurations"),
        integer_column("front", "on the front"),
        *mean_columns("best", "best final"),
        integer_column("n", "n", "seeds of the best"),
        cost_column(x, f"best_{x.key}", label=f"at {x.heading}"),
        cost_column(
            x, f"near_{x.key}", f"{x.smallest} {x.word} within one point of the best", label=f"{x.smallest} near best"
        ),
        number_column("hypervolume", "hypervolume", f"share of {area} that the front dominates"),
    ]
    kind = (
        "is fixed, so that reports can be compared"
        if x.metric in REFERENCE_POINT
        else f"is a tenth above the largest {x.name} here, so that it holds for this report only"
    )
    caption = f"Hypervolume is the share of {area} that a front dominates; the reference {kind}."
    return Table("families", caption, columns, rows, key="place")


def _family_row(family: Family) -> Row:
    found, data = family.recommendation, family.data
    best = None if found.best is None else found.best[data.quality.final]
    return {
        "place": family.index,
        "family": family.label,
        "study": data.record.name,
        "streams": sorted(family.streams),
        "configurations": len(data.configurations),
        "front": len(data.front),
        **interval_cells("best", best),
        "n": best.n if best else 0,
        **{
            f"{role}_{data.x.key}": None if trial is None else data.cost(trial) for role, trial in found.by_role.items()
        },
        "hypervolume": family.hypervolume,
    }


def _area(family: Family) -> str:
    """Name the area that a hypervolume is a share of."""
    data = family.data
    if family.reference is None:
        return f"no area, as every {data.x.name} is 0,"
    cost = f"{family.reference:g}" if data.x.metric in REFERENCE_POINT else cost_text(data.x, family.reference)
    return f"the area up to {data.x.word} {cost} and {data.quality.word} {REFERENCE_POINT[data.quality.final]:g}"
