"""Importance of each searched parameter, by two methods that can disagree.

fANOVA: share of the variance a random forest explains by the parameter alone (`fanova.py`). PED-ANOVA, by Optuna: how
much the good configurations concentrate in it; Watanabe, Bansal and Hutter, "PED-ANOVA: efficiently quantifying
hyperparameter importance in arbitrary subspaces" (IJCAI 2023), https://arxiv.org/abs/2304.10255.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports.analysis.fanova import Choices, Range, shares
from reports.data.study_data import StudyData
from reports.data.thinning import evenly_spaced
from reports.exact_values import exact_json, map_distinct

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

MIN_CONFIGURATIONS = 20
MAX_USED = 500
TOP = 0.1
MIN_TOP = 5


@dataclass(frozen=True)
class Importance:
    """Shares over the varied parameters, each sums to 1.

    Attributes:
        final: fANOVA of the final measure.
        cost: fANOVA of the cost (its logarithm, where none is 0).
        best: PED-ANOVA of the best tenth by the final measure.
    """

    name: str
    final: float
    cost: float
    best: float


def importances(data: StudyData, names: Sequence[str]) -> list[Importance]:
    """Rank parameters by falling importance; empty for too few configurations or parameters."""
    import numpy as np

    is_whole = np.logical_and.reduce([data.columns.parameter(name).is_known for name in names])
    if len(names) < 2 or is_whole.sum() < MIN_CONFIGURATIONS:
        return []
    trials = data.columns.where(is_whole)
    spaces = [_space(data.space(name), [trial.params[name] for trial in trials]) for name in names]
    few = evenly_spaced(trials, MAX_USED)
    columns = [[_plain(trial.params[name], space) for trial in few] for name, space in zip(names, spaces, strict=True)]
    final = [trial.value(data.quality.final) for trial in few]
    of_final = _normalised(shares(spaces, columns, final))
    costs = [math.log(data.cost(trial)) if data.has_log_costs else data.cost(trial) for trial in few]
    of_cost = _normalised(shares(spaces, columns, costs))
    of_best = _ped_anova(names, spaces, columns, final, data.quality.higher_is_better)
    found = [Importance(*each) for each in zip(names, of_final, of_cost, of_best, strict=True)]
    return sorted(found, key=lambda one: (-one.final, one.name))


def _space(space: Mapping[str, Any], values: Sequence[Any]) -> Range | Choices:
    """Return the searched range, widened to the values tried: warm-start trials may be outside."""
    if "choice" in space:
        return Choices(tuple(sorted({*map_distinct(exact_json, [*space["choice"], *values])})))
    ends = space["int"] if "int" in space else space["float"]
    low, high = min([*values, ends[0]]), max([*values, ends[1]])
    return Range(low, high, bool(space.get("log")) and low > 0)


def _plain(value: Any, space: Range | Choices) -> Any:
    return exact_json(value) if isinstance(space, Choices) else value


def _normalised(found: Sequence[float]) -> list[float]:
    total = sum(found)
    return [share / total for share in found] if total else list(found)


def _ped_anova(
    names: Sequence[str],
    spaces: Sequence[Range | Choices],
    columns: Sequence[Sequence[Any]],
    values: Sequence[float],
    higher_is_better: bool,
) -> list[float]:
    """Compute how much the best tenth concentrates in each parameter."""
    import optuna

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # else Optuna logs a line for this study
    study = optuna.create_study(direction="maximize" if higher_is_better else "minimize")
    optuna.logging.set_verbosity(verbosity)
    distributions = {name: _distribution(space) for name, space in zip(names, spaces, strict=True)}
    study.add_trials([
        optuna.trial.create_trial(
            params=dict(zip(names, params, strict=True)), distributions=distributions, value=value
        )
        for params, value in zip(zip(*columns, strict=True), values, strict=True)
    ])  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna calls this evaluator experimental
        top = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=max(TOP, MIN_TOP / len(values)))
        found = optuna.importance.get_param_importances(study, evaluator=top)
    return [found[name] for name in names]


def _distribution(space: Range | Choices) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(space, Choices):
        return CategoricalDistribution(space.values)
    if isinstance(space.low, int) and isinstance(space.high, int):
        return IntDistribution(space.low, space.high, log=space.is_log)
    return FloatDistribution(space.low, space.high, log=space.is_log)
