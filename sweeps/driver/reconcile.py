"""Makes our rows and Optuna's record of a study agree after an interruption, and queues what is unfinished."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from studies.database.row_types import TrialState
from studies.metrics.definitions import METRICS
from studies.queries.studies import Studies
from studies.spec.conditions import FAMILY
from sweeps.driver.driver import Driver
from sweeps.driver.state import TrialMetrics
from sweeps.driver.trial_recorder import GAVE_UP, PREEMPTED, noted_rungs
from sweeps.search.objectives import compared_metrics
from sweeps.search.warm_start import PAST

# Attempts that did not end with their node. High, so that repeated preemption of the driver does not fail a long trial;
# finite, because a trial may itself kill the driver.
MAX_ATTEMPTS = 20

Ledger = Mapping[int, TrialState]


def reconcile(driver: Driver, studies: Studies) -> int:
    """Fill the driver's state from the database, and finish or requeue each trial that one record lacks.

    - ours finished, Optuna's RUNNING (killed before tell): tell.
    - ours RUNNING (killed while training): a further attempt of the same number, from its checkpoints.
    - Optuna's RUNNING without a row of ours (killed while or after asking): finish asking, then start it.
    - ours COMPLETE with fewer seeds than the study now wants: train the missing ones.

    Returns:
        The number of interrupted trials that are trained again.
    """
    ledger = {row.number: row for row in studies.trial_states(driver.study.name)}
    _fill_state(driver, studies, ledger)
    n_requeued = 0
    for trial in driver.optuna.get_trials(deepcopy=False):
        if PAST in trial.user_attrs or trial.state.name == "WAITING":
            continue  # of another study, or enqueued and not asked for yet
        row = ledger.get(trial.number)
        if row is None or row.state == "RUNNING":
            n_requeued += row is not None
            _requeue(driver, trial.number, row, trial.user_attrs.get(PREEMPTED, 0))
        elif not trial.state.is_finished():
            _tell_stored_result(driver, row)
    _fill_rungs(driver, studies)
    _queue_missing_seeds(driver, studies, ledger)
    return n_requeued


def _fill_state(driver: Driver, studies: Studies, ledger: Ledger) -> None:
    metrics = _metrics_by_trial(driver, studies)
    for number, row in ledger.items():
        duplicate = _is_duplicate(row)
        if row.state == "RUNNING":
            continue
        if row.state == "COMPLETE" and not duplicate:
            driver.state.add_complete(driver.spec, number, row.config_hash, metrics[number])
            driver.rules.add_finished(number, metrics[number])
        else:
            driver.state.add_finished(row.state, duplicate)
    unfinished = {row.config_hash for row in ledger.values() if row.state == "RUNNING" and not _is_duplicate(row)}
    for number, row in ledger.items():
        reason = row.reason or ""
        by_itself = row.state == "FAILED" and not _is_duplicate(row) and not reason.startswith(GAVE_UP)
        if by_itself and row.config_hash not in unfinished:  # else it was queued again under another number
            driver.state.add_failure(number, row.config_hash, reason)


def _metrics_by_trial(driver: Driver, studies: Studies) -> dict[int, TrialMetrics]:
    """Read the metrics that the driver compares trials by: those that a hundred thousand trials need fit in memory."""
    names = compared_metrics(driver.spec)
    runs = itertools.groupby(studies.run_values(driver.study.name, names), key=itemgetter(0))
    return {number: dict(zip(names, _columns(rows), strict=True)) for number, rows in runs}


def _columns(rows: Iterable[Sequence[Any]]) -> Iterator[list[float | None]]:
    _, *columns = zip(*rows, strict=True)
    return ([None if value is None else float(value) for value in column] for column in columns)


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


def _is_duplicate(row: TrialState) -> bool:
    return row.duplicate_of is not None


def _plain(values: Any) -> list[float | None]:
    return [None if value != value else float(value) for value in values]


def _requeue(driver: Driver, number: int, row: TrialState | None, n_preempted: int) -> None:
    attempt = 1 if row is None else row.attempt + 1
    driver.preemptions[number] = n_preempted
    if attempt - n_preempted > MAX_ATTEMPTS:
        driver.state.add_finished("FAILED", duplicate=False)
        driver.recorder.fail(number, attempt - 1, f"{GAVE_UP}{MAX_ATTEMPTS} attempts: the driver died each time")
    else:
        driver.begin(number, driver.recorder.suggest(number), attempt)


def _tell_stored_result(driver: Driver, row: TrialState) -> None:
    import optuna

    number, source = row.number, row.duplicate_of
    if row.state == "COMPLETE":
        driver.recorder.tell_metrics(number, driver.state.metrics[number if source is None else source])
        return
    state = optuna.trial.TrialState.FAIL if row.state == "FAILED" else optuna.trial.TrialState.PRUNED
    driver.recorder.tell(number, state)


def _queue_missing_seeds(driver: Driver, studies: Studies, ledger: Ledger) -> None:
    state, wanted = driver.state, range(driver.spec.seeds)
    missing = {
        number: [seed for seed in wanted if seed not in row.seeds]
        for number, row in ledger.items()
        if row.state == "COMPLETE" and not _is_duplicate(row) and len(row.seeds) < len(wanted)
    }
    open_races = [number for number in missing if not driver.rules.ends_race(number, state.metrics[number])]
    for number, (config, params) in studies.configs(driver.study.name, open_races).items():
        more: dict[str, Any] = {
            "purpose": "more_seeds",
            "request": driver.spec.request(driver.spec.config(params), params.get(FAMILY)),
        }
        state.waiting.append(driver.job(number, ledger[number].attempt, config, missing[number], **more))
