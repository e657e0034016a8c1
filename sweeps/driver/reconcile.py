"""Makes our rows and Optuna's record of a study agree after an interruption, and queues what is unfinished."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studies.metrics.definitions import METRICS
from studies.queries.studies import Studies
from sweeps.driver.driver import Driver
from sweeps.driver.state import TrialMetrics
from sweeps.driver.trial_recorder import noted_rungs
from sweeps.search.objectives import measured
from sweeps.search.warm_start import PAST

# High, so that repeated preemption does not fail a long trial; finite, because a trial may itself kill the driver.
MAX_ATTEMPTS = 20

Ledger = Mapping[int, Mapping[str, Any]]


def reconcile(driver: Driver, studies: Studies) -> int:
    """Fill the driver's state from the database, and finish or requeue each trial that one record lacks.

    - ours finished, Optuna's RUNNING (killed before tell): tell.
    - ours RUNNING (killed while training): a further attempt of the same number, from its checkpoints.
    - Optuna's RUNNING without a row of ours (killed while or after asking): finish asking, then start it.
    - ours COMPLETE with fewer seeds than the study now wants: train the missing ones.

    Returns:
        The number of interrupted trials that are trained again.
    """
    ledger = {row["number"]: row for row in studies.ledger(driver.study.name)}
    _fill_state(driver, studies, ledger)
    n_requeued = 0
    for trial in driver.optuna.get_trials(deepcopy=False):
        if PAST in trial.user_attrs or trial.state.name == "WAITING":
            continue  # of another study, or enqueued and not asked for yet
        row = ledger.get(trial.number)
        if row is None or row["state"] == "RUNNING":
            n_requeued += row is not None
            _requeue(driver, trial.number, row)
        elif not trial.state.is_finished():
            _tell_stored_result(driver, row)
    _fill_rungs(driver, studies)
    for row in ledger.values():
        _queue_missing_seeds(driver, row)
    return n_requeued


def _fill_state(driver: Driver, studies: Studies, ledger: Ledger) -> None:
    runs = studies.runs(driver.study.name)
    metrics: dict[Any, TrialMetrics] = {
        number: {name: _plain(of_trial[name]) for name in METRICS} for number, of_trial in runs.groupby("number")
    }
    for number, row in ledger.items():
        duplicate = row["duplicate_of"] is not None
        if row["state"] == "COMPLETE" and not duplicate:
            objectives = measured(driver.spec, metrics[number])
            driver.state.add_complete(number, row["config_hash"], metrics[number], objectives)
        elif row["state"] != "RUNNING":
            driver.state.add_finished(row["state"], duplicate)


def _fill_rungs(driver: Driver, studies: Studies) -> None:
    if driver.rules.rung_unit == "iterations":
        for trial in driver.optuna.get_trials(deepcopy=False):
            for rung, score in noted_rungs(trial).items():
                driver.rules.remember(trial.number, rung, score)
        return
    lengths = driver.rules.lengths(driver.spec.config(), Path(driver.study.data_root))
    for rung in driver.rules.rungs(lengths):
        runs = studies.runs_after(driver.study.name, rung)
        first = runs[runs["seed"] == 0]
        for number, values in zip(first["number"], first[list(METRICS)].itertuples(index=False), strict=True):
            metrics = dict(zip(METRICS, ([value] for value in _plain(values)), strict=True))
            driver.rules.remember(int(number), rung, metrics)


def _plain(values: Any) -> list[float | None]:
    return [None if value != value else float(value) for value in values]


def _requeue(driver: Driver, number: int, row: Mapping[str, Any] | None) -> None:
    attempt = 1 if row is None else row["attempt"] + 1
    original = None if row is None else row["duplicate_of"]
    if attempt > MAX_ATTEMPTS:
        driver.state.add_finished("FAILED", duplicate=False)
        driver.recorder.fail(number, attempt - 1, f"gave up after {MAX_ATTEMPTS} attempts: the driver died each time")
    elif original is not None and not driver.state.is_trained(original):
        driver.state.add_finished("FAILED", duplicate=True)
        driver.recorder.fail(number, attempt - 1, f"the same configuration failed as trial {original}")
    else:
        driver.begin(number, driver.recorder.suggest(number), attempt)


def _tell_stored_result(driver: Driver, row: Mapping[str, Any]) -> None:
    import optuna

    number, source = row["number"], row["duplicate_of"]
    if row["state"] == "COMPLETE":
        driver.recorder.tell_metrics(number, driver.state.metrics[number if source is None else source])
        return
    state = optuna.trial.TrialState.FAIL if row["state"] == "FAILED" else optuna.trial.TrialState.PRUNED
    driver.recorder.tell(number, state)


def _queue_missing_seeds(driver: Driver, row: Mapping[str, Any]) -> None:
    if row["state"] != "COMPLETE" or row["duplicate_of"] is not None:
        return
    number, state = row["number"], driver.state
    missing = [seed for seed in range(driver.spec.seeds) if seed not in row["seeds"]]
    if missing and not driver.rules.ends_race(state.metrics[number], state.metrics_of_others(number)):
        state.waiting.append(driver.job(number, row["attempt"], row["config"], missing, purpose="more_seeds"))
