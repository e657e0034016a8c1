"""Optuna samplers by their names in a spec."""

from __future__ import annotations

import hashlib
import warnings
from typing import TYPE_CHECKING, Any

from studies.spec.ranges import encode
from studies.spec.spec import SweepSpec
from sweeps.search.optuna_studies import open_sampler_study

if TYPE_CHECKING:
    import optuna
    from optuna.samplers import BaseSampler


def open_optuna_study(name: str, url: str, spec: SweepSpec) -> optuna.Study:
    """Open the Optuna study of a spec with its sampler.

    Args:
        name: unique in the database, see `optuna_name`.
        url: of the database, as SQLAlchemy reads it.
    """
    study = open_sampler_study(name, url, list(spec.objectives.values()))
    study.sampler = make_sampler(spec, n_drawn=sum(len(trial.params) for trial in study.get_trials(deepcopy=False)))
    return study


def make_sampler(spec: SweepSpec, n_drawn: int) -> BaseSampler:
    """Create the sampler of a spec, seeded by the spec's seed and the number of parameters drawn so far.

    The state of a sampler is not in the database, so a constant seed would make a resumed sweep draw the same
    parameters again (optuna issue 3255). So would the number of trials, after a start that was killed before it asked
    for a trial of its own but drew the parameters of one that an earlier start had asked for.
    """
    from optuna import samplers

    text = f"{spec.sampler_seed}:{n_drawn}".encode()
    seed = int.from_bytes(hashlib.sha256(text).digest()[:4], "big")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ExperimentalWarning: multivariate TPE and GP have been there for years
        if spec.sampler == "tpe":
            if len(spec.objectives) > 1:  # parameters apart, as is Optuna's choice; perf.samplers measures both
                return samplers.TPESampler(multivariate=False, seed=seed)
            return samplers.TPESampler(multivariate=True, group=_has_gaps(spec), seed=seed)
        if spec.sampler == "nsga2":
            return samplers.NSGAIISampler(seed=seed)
        if spec.sampler == "gp":
            return samplers.GPSampler(seed=seed)
        if spec.sampler == "grid":
            return _grid_sampler(spec)
        return samplers.RandomSampler(seed=seed)


def _has_gaps(spec: SweepSpec) -> bool:
    """Return whether some trials lack parameters that others have."""
    return spec.space.is_conditional or any(spec.space.unsearched_family(params) for params in spec.enqueue)


def _grid_sampler(spec: SweepSpec) -> BaseSampler:
    from optuna.samplers import RandomSampler

    points = spec.grid_order or []  # the spec was checked to have steps everywhere

    class NumberedGridSampler(RandomSampler):
        """Point i of the grid for trial i, enqueued points first: each is used once, also in a resumed sweep."""

        def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
            return encode(points[trial.number % len(points)][param_name])

    return NumberedGridSampler()
