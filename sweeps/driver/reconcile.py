"""Brings our rows and Optuna's memory together when a study is started again, whatever was cut off when it stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hnet_core.build import stream_shape
from studies.metrics.definitions import METRICS
from studies.queries.studies import Studies
from sweeps.driver.driver import Driver
from sweeps.driver.trial_recorder import noted_rungs
from sweeps.search.distributions import suggest
from sweeps.search.warm_start import PAST

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

# A machine that is taken away often must not fail a long trial; one that dies of a trial must not do so for ever.
MAX_ATTEMPTS = 20

Ledger = Mapping[int, Mapping[str, Any]]


def reconcile(driver: Driver, studies: Studies) -> int:
    """Finish or queue again every trial that is not finished on both sides; how many will run again.

    - ours finished, Optuna's RUNNING (killed before tell): tell.
    - ours RUNNING (killed while training): a further attempt of the same number, from its checkpoints.
    - Optuna's RUNNING without a row of ours (killed while or after asking): finish asking, then start it.
    - ours COMPLETE with fewer seeds than the study now wants: train the missing ones.
    """
    ledger = {row["number"]: row for row in studies.ledger(driver.study.name)}
    _remember(driver, studies, ledger)
    again = 0
    for trial in driver.optuna.get_trials(deepcopy=False):
        if PAST in trial.user_attrs or trial.state.name == "WAITING":
            continue  # of another study, or enqueued and not asked for yet
        row = ledger.get(trial.number)
        if row is None or row["state"] == "RUNNING":
            again += row is not None
            _run_again(driver, trial, row)
        elif not trial.state.is_finished():
            _tell_what_is_stored(driver, row)
    _remember_rungs(driver, studies)
    for row in ledger.values():
        _add_missing_seeds(driver, row)
    return again


def _remember(driver: Driver, studies: Studies, ledger: Ledger) -> None:
    runs = studies.runs(driver.study.name)
    metrics = {
        number: {name: _plain(of_trial[name]) for name in METRICS} for number, of_trial in runs.groupby("number")
    }
    for number, row in ledger.items():
        duplicate = row["duplicate_of"] is not None
        if row["state"] == "COMPLETE" and not duplicate:
            driver.remember_complete(number, row["config_hash"], metrics[number])
        elif row["state"] != "RUNNING":
            driver.remember_other(row["state"], duplicate)


def _remember_rungs(driver: Driver, studies: Studies) -> None:
    if driver.rules.rung_unit == "iterations":
        for trial in driver.optuna.get_trials(deepcopy=False):
            for rung, score in noted_rungs(trial).items():
                driver.rules.remember(trial.number, rung, score)
        return
    config = driver.spec.config()
    shape = stream_shape(config, driver.study.data_root)
    for rung in driver.rules.rungs(shape.n_tasks, config.training.iterations):
        runs = studies.runs_after(driver.study.name, rung)
        first = runs[runs["seed"] == 0]
        for number, values in zip(first["number"], first[list(METRICS)].itertuples(index=False), strict=True):
            metrics = dict(zip(METRICS, ([value] for value in _plain(values)), strict=True))
            driver.rules.remember(int(number), rung, metrics)


def _plain(values: Any) -> list[float | None]:
    return [None if value != value else float(value) for value in values]


def _run_again(driver: Driver, trial: FrozenTrial, row: Mapping[str, Any] | None) -> None:
    import optuna

    attempt = 1 if row is None else row["attempt"] + 1
    if attempt > MAX_ATTEMPTS:
        driver.give_up(trial.number, attempt - 1, f"gave up after {MAX_ATTEMPTS} attempts: the driver died each time")
        return
    original = None if row is None else row["duplicate_of"]
    if original is not None and not driver.knows(original):
        driver.give_up(trial.number, attempt - 1, f"the same configuration failed as trial {original}", duplicate=True)
        return
    asked = optuna.trial.Trial(driver.optuna, trial._trial_id)
    driver.begin(asked, suggest(driver.spec.space, asked), attempt)


def _tell_what_is_stored(driver: Driver, row: Mapping[str, Any]) -> None:
    import optuna

    number, source = row["number"], row["duplicate_of"]
    if row["state"] == "COMPLETE":
        driver.tell(number, driver.metrics_of(number if source is None else source))
        return
    state = optuna.trial.TrialState.FAIL if row["state"] == "FAILED" else optuna.trial.TrialState.PRUNED
    driver.recorder.tell(number, state)


def _add_missing_seeds(driver: Driver, row: Mapping[str, Any]) -> None:
    if row["state"] != "COMPLETE" or row["duplicate_of"] is not None:
        return
    missing = [seed for seed in range(driver.spec.seeds) if seed not in row["seeds"]]
    if missing and not driver.is_dominated(row["number"]):
        driver.queue(driver.job(row["number"], row["attempt"], row["config"], missing, purpose="more_seeds"))
