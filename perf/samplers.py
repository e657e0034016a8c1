"""TPE with joint and independent parameters, and random search, on a model of recorded runs: `python -m perf.samplers`.

The search space is that of the 200 recorded runs of permuted digits (perf/record_curves.py). Accuracy is that of a
forest of regression trees fitted to the recorded validation accuracies; compression ratios are exact. One row per
sampler and number of trials: hypervolume of (accuracy, log10 ratio), reference accuracy 0.1 and the largest ratio of
the pool, mean over replays, and its paired difference from random search with a 95 % t interval; for independent TPE
also the difference from joint TPE.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import optuna
from optuna import samplers
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from sklearn.ensemble import ExtraTreesRegressor

from hnet_core.build import networks, stream_shape
from hnet_core.config_validation import parse_trial
from perf.record_curves import FILE, TRIAL
from studies.statistics.intervals import t_interval
from studies.statistics.pareto import hypervolume_2d

SIZES = (8, 12, 24, 36, 62, 96, 128)
SPACE: dict[str, BaseDistribution] = {
    "beta_output": FloatDistribution(10**-3.3, 1.0, log=True),
    "task_embedding": CategoricalDistribution(SIZES),
    "chunk_embedding": CategoricalDistribution(SIZES),
    "chunk_size": IntDistribution(50, 1585, log=True),
    "lr": FloatDistribution(10**-3.5, 10**-1.3, log=True),
}
DIRECTIONS: tuple[Literal["maximize"], Literal["minimize"]] = ("maximize", "minimize")
SAMPLERS: dict[str, Callable[[int], samplers.BaseSampler]] = {
    "random": lambda seed: samplers.RandomSampler(seed=seed),
    "tpe, joint": lambda seed: samplers.TPESampler(multivariate=True, seed=seed),
    "tpe, independent": lambda seed: samplers.TPESampler(multivariate=False, seed=seed),
}


@dataclass(frozen=True)
class SamplerComparison:
    sampler: str
    compared_with: str
    trials: int
    replays: int
    hypervolume: float
    difference: float
    low: float
    high: float


class Model:
    """Objectives of a configuration: accuracy by regression on the recorded runs, the compression ratio exactly."""

    def __init__(self) -> None:
        stored = np.load(FILE, allow_pickle=False)
        self._forest = ExtraTreesRegressor(n_estimators=100, min_samples_leaf=2, random_state=0)
        self._forest.fit(np.log(stored["parameters"]), stored["validation"][:, -1].mean(axis=1))
        self.reference = (0.1, float(np.log10(stored["ratio"].max())))

    def objectives(self, params: dict[str, Any]) -> tuple[float, float]:
        """Return accuracy and log10 of the compression ratio."""
        accuracy = self._forest.predict(np.log([[params[name] for name in SPACE]]))[0]
        return float(accuracy), float(np.log10(_compression_ratio(params)))


def _compression_ratio(params: dict[str, Any]) -> float:
    sizes = {name: params[name] for name in ("task_embedding", "chunk_embedding", "chunk_size")}
    hypernet = {"name": "chunked", "hidden": [10, 10], "activation": "relu", **sizes}
    config = parse_trial({**TRIAL, "method": {"name": "hnet"}, "hypernet": hypernet, "training": {"iterations": 1}})
    return networks(config, stream_shape(config)).counts.compression_ratio


def hypervolumes(model: Model, sampler: samplers.BaseSampler, checkpoints: list[int]) -> list[float]:
    """Return the hypervolume after each of these numbers of trials."""
    study, points, found = optuna.create_study(sampler=sampler, directions=DIRECTIONS), [], []
    for number in range(1, checkpoints[-1] + 1):
        trial = study.ask(SPACE)
        points.append(model.objectives(trial.params))
        study.tell(trial, points[-1])
        if number in checkpoints:
            found.append(hypervolume_2d(np.array(points), model.reference, DIRECTIONS))
    return found


def rows(checkpoints: list[int], replays: int) -> Iterator[SamplerComparison]:
    model = Model()
    found = {
        name: np.array([hypervolumes(model, make(seed), checkpoints) for seed in range(replays)])
        for name, make in SAMPLERS.items()
    }
    pairs = [("tpe, joint", "random"), ("tpe, independent", "random"), ("tpe, independent", "tpe, joint")]
    for column, trials in enumerate(checkpoints):
        for ours, theirs in pairs:
            interval = t_interval((found[ours] - found[theirs])[:, column].tolist())
            assert interval.mean is not None and interval.low is not None and interval.high is not None
            mean = float(found[ours][:, column].mean())
            yield SamplerComparison(ours, theirs, trials, replays, mean, interval.mean, interval.low, interval.high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, nargs="+", default=[30, 60, 120])
    parser.add_argument("--replays", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore")  # multivariate TPE is experimental
    found = [asdict(row) for row in rows(sorted(arguments.trials), arguments.replays)]
    if arguments.json:
        print(json.dumps({"rows": found}, indent=2))
    else:
        for row in found:
            print(
                "  ".join(
                    f"{key} {value:.3g}" if isinstance(value, float) else f"{value}" for key, value in row.items()
                )
            )


if __name__ == "__main__":
    main()
