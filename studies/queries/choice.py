"""The front and the best configurations of a study, and the reason where there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Engine, and_, select

from studies.database.schema import COMPLETE, trial
from studies.metrics.cost_axes import COMPRESSION, cost_axis
from studies.metrics.definitions import SELECTED_BY
from studies.queries.record import StudyRecord
from studies.queries.trial_columns import trial_columns, with_summary
from studies.spec.constraints import feasible, parse_bound, within
from studies.statistics.selection import Candidates, plane

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Choice:
    """The trials chosen from a study, by their numbers.

    Attributes:
        front: those no other one dominates under the objectives.
        best: the best by the quality of the study, the smaller (or cheaper) one of equals; None where there is none.
        best_of: the front member that is best by each objective; empty where the front is.
        why_none: the reason why the front is empty, else None.
    """

    front: list[int]
    best: int | None
    best_of: dict[str, int]
    why_none: str | None


def choose(engine: Engine, record: StudyRecord, x: str | None = None) -> Choice:
    """Choose among the finished trials of a study that are no duplicates and meet its constraints.

    Args:
        x: a cost that decides the front together with the quality of the study, in place of its objectives.

    Raises:
        ConfigInvalid: if `x` is no cost.
    """
    goals = record.objectives
    if x is not None:
        cost = cost_axis(x).metric
        goals = plane(_read(engine, record, {}, goals).final, cost)
    candidates = _read(engine, record, record.constraints, goals, COMPRESSION.metric if x is None else x)
    front = candidates.numbers[candidates.front].tolist()
    best_of = {name: candidates.best_on_front(name) for name in goals}
    return Choice(
        front=front,
        best=candidates.best(),
        best_of={name: number for name, number in best_of.items() if number is not None},
        why_none=None if front else why_no_front(_read(engine, record, {}, goals), record.constraints),
    )


def why_no_front(candidates: Candidates, constraints: Mapping[str, str]) -> str:
    """Explain why none of the finished configurations of a study is on its front."""
    n = len(candidates.numbers)
    if n == 0:
        return "no configuration has finished"
    if not feasible(candidates.values, constraints, n).any():
        return why_none_meets(candidates, constraints)
    which = "configuration that meets the constraints" if constraints else "finished configuration"
    return f"no {which} has a value of every objective ({', '.join(candidates.objectives)})"


def why_none_meets(candidates: Candidates, constraints: Mapping[str, str]) -> str:
    """Name the constraints that no configuration meets, or all if each is met by one, and the nearest configuration."""
    import numpy as np

    n = len(candidates.numbers)
    unmet = {
        name: bound for name, bound in constraints.items() if not feasible(candidates.values, {name: bound}, n).any()
    } or dict(constraints)
    rules = " and ".join(f"{name} {bound}" for name, bound in unmet.items())
    text = f"none of the {_finished(n)} meets the constraint{'s' if len(unmet) > 1 else ''} {rules}"
    distance = sum(_violation(candidates.values(name), name, bound) for name, bound in unmet.items())
    if not np.isfinite(distance).any():
        return f"{text}; not measured: {', '.join(unmet)}"
    nearest = int(np.nanargmin(distance))
    values = {name: f"{candidates.values(name)[nearest]:.4g}" for name in unmet}
    shown = (
        ", ".join(f"{name} {value}" for name, value in values.items()) if len(values) > 1 else "".join(values.values())
    )
    return f"{text}; the nearest is {shown} (trial {candidates.numbers[nearest]})"


def _violation(values: NDArray[np.float64], metric: str, bound: str) -> NDArray[np.float64]:
    """Return by how much each value violates a bound, in units of the bound, 0 where it does not; NaN stays."""
    import numpy as np

    sign, number = parse_bound(metric, bound)
    beyond = values - number if sign.startswith("<") else number - values
    return np.maximum(beyond, 0.0) / (abs(number) or 1.0)


def _finished(n: int) -> str:
    return f"{n} finished configuration{'' if n == 1 else 's'}"


def _read(
    engine: Engine,
    record: StudyRecord,
    constraints: Mapping[str, str],
    goals: Mapping[str, str],
    cost: str = COMPRESSION.metric,
) -> Candidates:
    import numpy as np

    columns = trial_columns()
    objectives = [name for metric in goals for name in (metric, SELECTED_BY.get(metric, metric))]
    qualities = [*SELECTED_BY, *SELECTED_BY.values()]
    names = list(dict.fromkeys([*objectives, *qualities, cost, *record.constraints]))
    is_candidate = and_(trial.c.study_id == record.id, trial.c.state == COMPLETE, trial.c.duplicate_of.is_(None))
    query = (
        select(trial.c.number, *(columns[name] for name in names))
        .select_from(with_summary())
        .where(is_candidate, *within(columns, constraints))
        .order_by(trial.c.number)
    )
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    found = np.array([tuple(row) for row in rows], dtype=float).reshape(-1, 1 + len(names)).T
    values = dict(zip(names, found[1:], strict=True)).__getitem__
    return Candidates(found[0].astype(int), values, goals, cost)
