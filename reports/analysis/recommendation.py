"""The recommended configurations: the best, the smallest one near it, and the knee of the front.

They are chosen on the selection split; the numbers in the text are those of the test split.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.analysis.machines import machines_remark
from reports.data.study_data import StudyData
from reports.data.trial import Trial
from reports.formatting import cost_text, mean_text, numbered, phrase, plural, significant
from studies.metrics.cost_axes import COMPRESSION
from studies.metrics.definitions import METRICS
from studies.spec.conditions import FAMILY
from studies.statistics.interval import Interval
from studies.statistics.intervals import TWO_SEEDS
from studies.statistics.selection import Candidates, least

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ONE_POINT = 0.01 + 1e-12  # exactly one point is within it, whatever the rounding
MSE_FACTOR = 1.1
MIN_KNEE_POINTS = 3
MAX_NUMBERS = 5
MAX_FIELDS = 3
SPARSITY = "mask_sparsity"
SPARSITY_REMARK = (
    "Mask sparsity stores no less: a weight that is masked out is stored and counted like any other. It saves "
    "multiply-adds, see --x inference_multiply_adds."
)


@dataclass(frozen=True)
class Recommendation:
    """The recommended configurations of a study; one is None where the data do not determine it.

    Attributes:
        headline: the recommendation in one sentence.
        remarks: what a careful reader must know about it, one sentence each.
        best: best configuration by the selection metric, the cheaper one of equals.
        near: configuration of the least cost within one point of the best (mean squared error: within 10 %).
        knee: front member furthest above the chord between the ends of the front (log cost, where none is 0).
        smallest: the superlative of a low cost, smallest or cheapest.
    """

    headline: str
    remarks: tuple[str, ...]
    best: Trial | None = None
    near: Trial | None = None
    knee: Trial | None = None
    smallest: str = COMPRESSION.smallest

    @property
    def by_role(self) -> dict[str, Trial | None]:
        """The recommended configurations by the names of their fields."""
        return {"best": self.best, "near": self.near, "knee": self.knee}

    @property
    def roles(self) -> list[tuple[str, Trial]]:
        """Each recommended configuration once, with all its roles: `("smallest near best · knee", trial)`."""
        near = None if self.near is self.best else self.near
        named: dict[int, tuple[list[str], Trial]] = {}
        for role, trial in (("best", self.best), (f"{self.smallest} near best", near), ("knee", self.knee)):
            if trial is not None:
                named.setdefault(trial.number, ([], trial))[0].append(role)
        return [(" · ".join(roles), trial) for roles, trial in named.values()]


def recommend(data: StudyData, incomplete: str | None = None, different_tasks: Sequence[str] = ()) -> Recommendation:
    """Find the recommended configurations of a study and describe them; with a reason where there are none.

    Args:
        incomplete: complete trials that lack a value, see `incomplete_trials`; None if there are none.
        different_tasks: see `fields_of_different_tasks`; where there are some, nothing is recommended.
    """
    candidates = data.columns.among(data.feasible)
    if not candidates.any():
        return Recommendation(_nothing(data, incomplete), ())
    if different_tasks:
        return Recommendation(_different_tasks(data, different_tasks), ())
    best = _best(data, candidates)
    near = _near(data, candidates, best)
    knee = _knee(data)
    headline = _headline(data, best, near, knee, _best_that_compresses(data, candidates))
    return Recommendation(headline, tuple(_remarks(data, best)), best, near, knee, data.x.smallest)


def _different_tasks(data: StudyData, fields: Sequence[str]) -> str:
    shown = ", ".join(fields[:MAX_FIELDS]) + (", ..." if len(fields) > MAX_FIELDS else "")
    verb = "differs" if len(fields) == 1 else "differ"
    by = FAMILY if FAMILY in data.parameters else fields[0]
    return (
        f"The configurations do not learn the same tasks ({shown} {verb}): a better {data.quality.word} may be due to "
        f"easier tasks, so none is recommended. Show them apart with --by {by}."
    )


def _best(data: StudyData, candidates: NDArray[np.bool_]) -> Trial:
    columns = data.columns
    losses = data.losses(data.quality.selection)
    return data.configurations[least(candidates, losses, data.costs, columns.numbers)]


def _near(data: StudyData, candidates: NDArray[np.bool_], best: Trial) -> Trial:
    columns = data.columns
    losses = data.losses(data.quality.selection)
    loss = _loss(data, best)
    limit = loss + ONE_POINT if data.quality.higher_is_better else loss * MSE_FACTOR
    return data.configurations[least(candidates & (losses <= limit), data.costs, losses, columns.numbers)]


def _knee(data: StudyData) -> Trial | None:
    """Return the point furthest above the straight line between the ends of the front, both axes scaled to [0, 1]."""
    if not data.front_is_tradeoff or len(data.front) < MIN_KNEE_POINTS:
        return None
    first, last = data.front[0], data.front[-1]

    def distance(trial: Trial) -> float:
        if data.has_log_costs:
            return math.log(data.cost(trial) / data.cost(first))
        return data.cost(trial) - data.cost(first)

    width = distance(last)
    height = _loss(data, first) - _loss(data, last)
    if width <= 0 or height <= 0:
        return None

    def above_chord(trial: Trial) -> float:
        gained = (_loss(data, first) - _loss(data, trial)) / height
        return gained - distance(trial) / width

    knee = max(data.front[1:-1], key=above_chord)
    return knee if above_chord(knee) > 0 else None


def _loss(data: StudyData, trial: Trial) -> float:
    """Return the selection metric, negated where higher is better."""
    value = trial.value(data.quality.selection)
    return -value if data.quality.higher_is_better else value


def _best_that_compresses(data: StudyData, candidates: NDArray[np.bool_]) -> Trial | None:
    """Return the best configuration with fewer weights than the target network, None where cost is something else."""
    compressing = candidates & (data.costs < 1)
    return _best(data, compressing) if data.x == COMPRESSION and compressing.any() else None


def _headline(data: StudyData, best: Trial, near: Trial, knee: Trial | None, compressing: Trial | None) -> str:
    final, word = data.quality.final, data.quality.word
    text = f"The best configuration reaches a final {word} of {phrase(best[final])} at {_at(data, best)}"
    if near is not best:
        text += f"; {_cost(data, best, near)}"
    elif compressing is None or compressing is best:
        text += f"; {_no_smaller(data)}"
    else:  # the best is a reference of the full size or larger
        text += f"; the best that compresses reaches {phrase(compressing[final])} at {_at(data, compressing)}"
        if knee is compressing:
            return f"{text}, the knee of the front."
    if knee is near and knee is not best:
        text += ", and this is also the knee of the front"
    elif knee is best:
        text += ", and it is also the knee of the front"
    elif knee is not None:
        text += f"; the knee of the front is at {_at(data, knee)} with {phrase(knee[final])}"
    return text + "."


def _cost(data: StudyData, best: Trial, near: Trial) -> str:
    final = data.quality.final
    move = f"going down to {data.x.word} {cost_text(data.x, data.cost(near))}"
    overlap = "" if _clearly_apart(best[final], near[final]) else " (the intervals overlap)"
    if not data.quality.higher_is_better:
        return f"{move} gives {mean_text(near[final])}{overlap}"
    lost = best.value(final) - near.value(final)
    return f"{move} costs {significant(lost * 100, 2)} points{overlap}" if lost > 0 else f"{move} costs nothing on test"


def _clearly_apart(one: Interval, other: Interval) -> bool:
    """Return whether two intervals do not overlap; unknown ones count as apart."""
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return True
    return one.low > other.high or other.low > one.high


def _no_smaller(data: StudyData) -> str:
    margin = "one point" if data.quality.higher_is_better else "10 %"
    return f"no {data.x.smaller} configuration is within {margin} of it"


def _at(data: StudyData, trial: Trial) -> str:
    return f"{data.x.name} {cost_text(data.x, data.cost(trial))}"


def _remarks(data: StudyData, best: Trial) -> list[str]:
    remarks = []
    if data.front and (_has_one_objective(data) or len(data.front) == 1):
        remarks.append(_no_tradeoff(data, best))
    if data.x == COMPRESSION and data.cost(best) > 1:
        remarks.append("The best configuration needs more weights than the target network: it does not compress.")
    if best.n == 1:
        remarks.append("It rests on 1 seed, so it has no interval: do not read small differences.")
    if best[data.quality.final].n == 2:
        remarks.append(f"It rests on 2 seeds: {TWO_SEEDS}.")
    if not data.quality.has_validation:
        remarks.append(
            "There is no validation split: configurations were chosen on the test split they are reported on, "
            "so the best value is optimistic."
        )
    if data.x.is_storage and has_mask_sparsity(data):
        remarks.append(SPARSITY_REMARK)
    machines = machines_remark(data.x, data.machines)
    return remarks if machines is None else [*remarks, machines]


def _has_one_objective(data: StudyData) -> bool:
    return len(data.record.objectives) == 1 and not data.is_front_of_axis


def has_mask_sparsity(data: StudyData) -> bool:
    """Return whether a method of the study leaves out weights by masks."""
    spec = data.record.spec
    blocks = [spec.get("trial") or {}, *(spec.get("families") or {}).values()]
    fixed = any(SPARSITY in (block.get("method") or {}) for block in blocks)
    return fixed or f"method.{SPARSITY}" in data.parameters


def _no_tradeoff(data: StudyData, best: Trial) -> str:
    """Describe a front without a trade-off by the objectives it was decided by."""
    numbers = [trial.number for trial in data.front]
    members = numbered("trial", numbers, MAX_NUMBERS)
    goals = " and ".join(
        f"{'highest' if goal == 'maximize' else 'lowest'} {METRICS[name].label.lower() if name in METRICS else name}"
        for name, goal in data.goals.items()
    )
    if _has_one_objective(data):
        only = "its front is its best configuration" if numbers == [best.number] else f"its front is {members}"
        return f"The study has a single objective, the {goals}, so {only} and shows no trade-off."
    if data.front_is_tradeoff and numbers == [best.number]:
        return (
            f"The front has a single point: the best configuration is also the {data.x.smallest} one worth having, "
            "so this study shows no trade-off."
        )
    return f"The front has a single point, {members}: it has the {goals}, so this study shows no trade-off."


def _nothing(data: StudyData, incomplete: str | None) -> str:
    """Explain why there is no recommendation."""
    if not data.trials:
        return "There is no answer yet: no trial of this study has started."
    if data.configurations:
        from studies.queries.choice import why_none_meets

        candidates = Candidates(data.columns.numbers, data.columns.__getitem__, data.record.objectives)
        return f"There is no answer: {why_none_meets(candidates, data.record.constraints)}."
    states = Counter(trial.state for trial in data.trials)
    parts = ", ".join(f"{count} {state.lower()}" for state, count in sorted(states.items()))
    trials = f"{plural(len(data.trials), 'trial')}: {parts}"
    if incomplete is not None:
        return f"There is no answer: no configuration has all the values it needs ({trials}): {incomplete}."
    return f"There is no answer: no configuration has finished ({trials})."
