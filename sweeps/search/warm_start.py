"""Warm start of a sampler: fixed trials to train first, and results of a past study."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from hnet_core.errors import ConfigInvalid
from studies.queries.studies import Studies
from studies.spec.conditions import FAMILY
from studies.spec.ranges import encode
from studies.spec.spec import SweepSpec
from sweeps.search.distributions import distribution
from sweeps.search.objectives import compared_metrics, values_to_tell, violations

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

log = logging.getLogger("hnet")

# User attribute of an Optuna trial that was taken from another study: STUDY#NUMBER.
PAST = "warm_start"


def check_past(spec: SweepSpec, studies: Studies) -> None:
    """Check that the study to start from fits, before anything is written.

    Raises:
        StudyNotFound: there is no study of that name.
        ConfigInvalid: its objectives differ, or no trial of it fits the search space.
    """
    if spec.warm_start is not None and not list(_past_trials(spec, studies)):
        raise ConfigInvalid(
            f"warm_start: no finished trial of study {spec.warm_start!r} has exactly the fields of this search, within "
            "their ranges; start from another one or remove warm_start."
        )


def prepare_first_trials(study: optuna.Study, spec: SweepSpec, studies: Studies) -> None:
    """Add past trials and fixed trials to a study, or those missing after an interrupted start."""
    trials = study.get_trials(deepcopy=False)
    known = {trial.user_attrs[PAST] for trial in trials if PAST in trial.user_attrs}
    if any(PAST not in trial.user_attrs and trial.state.name != "WAITING" for trial in trials):
        return  # something was asked already, so all of this was done before
    fixed = [dict(params) for params in spec.enqueue]
    if spec.warm_start is not None:
        past = list(_past_trials(spec, studies))
        log.info("Starting from %d finished trials of study %s.", len(past), spec.warm_start)
        if spec.sampler == "nsga2":  # it learns only from its own generations, so the past front is the first one
            front = {f"{spec.warm_start}#{number}" for number in studies.front(spec.warm_start)["number"]}
            fixed += [trial.params for trial in past if trial.user_attrs[PAST] in front]
        else:
            study.add_trials([trial for trial in past if trial.user_attrs[PAST] not in known])
    for params in fixed[len(trials) - len(known) :]:
        family = spec.space.unsearched_family(params)  # its place is not among the choices of the sampler
        drawn = {name: encode(value) for name, value in params.items() if family is None or name != FAMILY}
        study.enqueue_trial(drawn, user_attrs=None if family is None else {FAMILY: family})


def _past_trials(spec: SweepSpec, studies: Studies) -> Iterator[FrozenTrial]:
    """Finished trials of the past study whose parameters fit this space, as Optuna trials."""
    from optuna.trial import create_trial

    name = str(spec.warm_start)
    record = studies.study(name)
    if record.objectives != spec.objectives:
        raise ConfigInvalid(
            f"warm_start: study {name!r} must have the objectives {spec.objectives}, got {record.objectives}; "
            "start from another one or set the same objectives."
        )
    drawn = {row["number"]: row["params"] for row in studies.ledger(name)}
    names = compared_metrics(spec)
    runs = {number: list(rows) for number, rows in groupby(studies.run_values(name, names), key=itemgetter(0))}
    for number, params in drawn.items():
        of_trial = runs.get(number, [])
        metrics = {metric: [row[place] for row in of_trial] for place, metric in enumerate(names, start=1)}
        values = values_to_tell(spec, metrics)
        if values is None or spec.space.misfit(params, complete=True) is not None:
            continue
        yield create_trial(
            params={key: encode(value) for key, value in params.items()},
            distributions={key: distribution(spec.search[key]) for key in params},
            values=values,
            user_attrs={PAST: f"{name}#{number}"},
            constraints=violations(spec, metrics),
        )
