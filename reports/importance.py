"""How much each searched parameter matters, by two methods of Optuna that can disagree.

fANOVA: share of the variance a random forest explains by the parameter alone; Hutter, Hoos and Leyton-Brown, "An
efficient approach for assessing hyperparameter importance" (ICML 2014), https://proceedings.mlr.press/v32/hutter14.html.
PED-ANOVA: how much the good configurations concentrate in it; Watanabe, Bansal and Hutter, "PED-ANOVA: efficiently
quantifying hyperparameter importance in arbitrary subspaces" (IJCAI 2023), https://arxiv.org/abs/2304.10255.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reports.evidence import Evidence, Trial, evenly

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
        ratio: fANOVA of the compression ratio (its logarithm).
        best: PED-ANOVA of the best tenth by the final measure.
    """

    name: str
    final: float
    ratio: float
    best: float


def importances(evidence: Evidence, names: Sequence[str]) -> list[Importance]:
    """The parameters by falling importance; empty where there are too few configurations or parameters to tell."""
    trials = [trial for trial in evidence.configurations if all(trial.params[name] is not None for name in names)]
    if len(names) < 2 or len(trials) < MIN_CONFIGURATIONS:
        return []
    import math

    from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator

    final, higher = evidence.quality.final, evidence.quality.higher_is_better
    spaces = {name: _distribution(evidence.record.spec["search"][name], trials, name) for name in names}
    few = evenly(trials, MAX_USED)
    forest = FanovaImportanceEvaluator(seed=0)
    of_final = _shares(few, spaces, [trial.value(final) for trial in few], higher, forest)
    of_ratio = _shares(few, spaces, [math.log(trial.ratio) for trial in few], False, forest)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna calls this evaluator experimental
        top = PedAnovaImportanceEvaluator(target_quantile=max(TOP, MIN_TOP / len(few)))
        of_best = _shares(few, spaces, [trial.value(final) for trial in few], higher, top)
    found = [Importance(name, of_final[name], of_ratio[name], of_best[name]) for name in names]
    return sorted(found, key=lambda one: (-one.final, one.name))


def _shares(
    trials: Sequence[Trial],
    spaces: Mapping[str, BaseDistribution],
    values: Sequence[float],
    higher_is_better: bool,
    evaluator: Any,
) -> dict[str, float]:
    import optuna

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # else every study in memory is announced
    study = optuna.create_study(direction="maximize" if higher_is_better else "minimize")
    optuna.logging.set_verbosity(verbosity)
    study.add_trials([
        optuna.trial.create_trial(
            params={name: _plain(trial.params[name], space) for name, space in spaces.items()},
            distributions=dict(spaces),
            value=value,
        )
        for trial, value in zip(trials, values, strict=True)
    ])  # fmt: skip
    return optuna.importance.get_param_importances(study, evaluator=evaluator)


def _distribution(space: Mapping[str, Any], trials: Sequence[Trial], name: str) -> BaseDistribution:
    """The range that was searched, widened to what was tried: seeded trials may lie outside."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    values = [trial.params[name] for trial in trials]
    if "choice" in space:
        return CategoricalDistribution(sorted({json.dumps(value) for value in (*space["choice"], *values)}))
    kind = "int" if "int" in space else "float"
    low, high = min([*values, space[kind][0]]), max([*values, space[kind][1]])
    is_log = bool(space.get("log")) and low > 0
    return IntDistribution(low, high, log=is_log) if kind == "int" else FloatDistribution(low, high, log=is_log)


def _plain(value: Any, space: BaseDistribution) -> Any:
    from optuna.distributions import CategoricalDistribution

    return json.dumps(value) if isinstance(space, CategoricalDistribution) else value
