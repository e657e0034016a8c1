"""Runs a sweep from a checked spec to its last trial, or resumes an interrupted one."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hnet_core.build import read_stream
from hnet_core.data import data_root
from hnet_core.errors import ConfigInvalid, HnetError
from hnet_core.optimization.task_course import check_validation
from hnet_core.runtime.devices import device_name, pick_device
from hnet_core.runtime.garbage_collection import collection_paused
from hnet_core.trial import TrialConfig
from reports.formatting import plural
from studies.comparing.comparability import differences
from studies.database.open_database import connect
from studies.database.row_types import StudyRow
from studies.queries.studies import Studies
from studies.spec.continuation import as_read_today, fixed_part
from studies.spec.spec import SweepSpec
from studies.store.store import Store, StudyExists
from sweeps import checkpoints
from sweeps.allocation import lacking, this_machine
from sweeps.driver.counters import Counters
from sweeps.driver.driver import Driver
from sweeps.driver.failure_guard import Verdict
from sweeps.driver.lease_heartbeat import study_lease
from sweeps.driver.notification import notifications
from sweeps.driver.progress import SweepProgress
from sweeps.driver.reconcile import reconcile
from sweeps.driver.stop_signals import StopSignals
from sweeps.driver.tasks_done import TasksDone
from sweeps.driver.trial_recorder import StudyHandle
from sweeps.jobs import Message
from sweeps.provenance import provenance
from sweeps.ray_backend.head_address import check_head
from sweeps.search.optuna_studies import optuna_name
from sweeps.search.samplers import open_optuna_study
from sweeps.search.warm_start import check_past, prepare_first_trials

MANY_TRIALS = 5_000  # they take more than about a second to read

log = logging.getLogger("hnet")

# Called with driver, workers, cluster address and a callback for every message; where that returns False, the job ends.
Backend = Callable[[Driver, int, str | None, Callable[[int, Message], bool]], None]


@dataclass(frozen=True)
class Outcome:
    """Result of a sweep.

    Attributes:
        stopped: a stop was requested before the budget was spent.
        interrupted: the request was Ctrl-C.
        guarded: why the guard against failing trials has ended it before the budget was spent.
    """

    study: str
    counters: Counters
    stopped: bool
    interrupted: bool
    guarded: Verdict | None = None


def run_sweep(
    spec: SweepSpec,
    url: str,
    data: Path | None = None,
    workers: int | None = None,
    address: str | None = None,
    storage: str | None = None,
    spec_text: str = "",
    backend: Backend | None = None,
) -> Outcome:
    """Start a study, or resume it if it exists.

    Args:
        spec: what to run.
        url: database; created if it does not exist.
        data: data root, see hnet_core.data.data_root.
        workers: training processes at a time, by default as many as this machine, or the cluster at any time, has room
            for; see `sweeps.allocation`.
        address: of a running Ray cluster; None starts Ray here.
        storage: path or URI that all workers reach, for checkpoints; without it those of a cluster are sent to the
            driver with the messages, and those of one machine are in the user's cache.
        spec_text: the spec as it was written, for provenance.
        backend: runs the jobs; Ray Tune by default.

    Raises:
        ConfigInvalid: the study exists with another spec, or training selects on a validation split it does not have.
        ConfigInvalid: checkpoints cannot be written, nothing listens at `address`, or one trial asks for a GPU or for
            memory that this machine does not have; no database is created then.
        StudyHeld: another driver runs it.
        DatasetMissing, DatasetCorrupt: the data cannot be read; nothing is written.
        DatabaseUnreachable, DatabaseForeign, SchemaOutdated: see studies.database.open_database.connect.
    """
    place = _place(data, address, storage, checks_head=backend is None)
    launch = _checked_provenance(spec, place, spec_text)
    engine = connect(url, create=True)
    store, studies = Store(engine), Studies(engine)
    if store.find_study(spec.study) is None:
        check_past(spec, studies)
    study = _find_or_create(store, spec)
    tasks = TasksDone()
    with (
        StopSignals() as signals,
        study_lease(store, study["id"], spec.study, signals.stop, signals.lease_lost, tasks),
    ):
        _check_is_current(studies, spec.study)
        study = _update_study(store, spec)
        n_known = studies.trial_counts(spec.study).total
        if n_known >= MANY_TRIALS:
            log.info("Study %s: reading its %d trials.", spec.study, n_known)
        with collection_paused():
            optuna_url = engine.url.render_as_string(hide_password=False)
            driver = _open_driver(spec, study, store, launch, place, optuna_url)
            prepare_first_trials(driver.optuna, spec, studies)
            n_requeued = reconcile(driver, studies)
        driver.delete_unneeded_checkpoints()
        signals.attach(driver)
        _announce(driver, n_requeued)
        if driver.aborted is not None:
            raise driver.aborted
        if not driver.finished:
            _drive(driver, workers or 0, address, backend or _ray(), tasks)
        if not driver.stopping:
            driver.delete_unneeded_checkpoints()
    return Outcome(spec.study, driver.counters, signals.stopped, signals.interrupted, driver.guarded)


@dataclass(frozen=True)
class _Place:
    """The data root of a sweep, its Ray cluster and its storage for checkpoints, None for this machine."""

    data: Path
    address: str | None
    storage: str | None


def _place(data: Path | None, address: str | None, storage: str | None, *, checks_head: bool) -> _Place:
    """Check the place before a database is created: the cluster answers, and checkpoints can be written."""
    root = data_root(data)
    if address is not None and checks_head:
        check_head(address)
    storage = None if storage is None else checkpoints.prepare(storage)
    if storage is None:
        checkpoints.prepare(str(_checkpoint_root()))
    return _Place(root, address, storage)


def _checked_provenance(spec: SweepSpec, place: _Place, spec_text: str) -> dict[str, Any]:
    """Return the provenance of this start; the data can be read, and this machine has what a trial asks for."""
    config = spec.config()
    stream = read_stream(config, place.data)
    check_validation(config.training, has_validation=stream.tasks[0].validation is not None)
    if place.address is None:
        _refuse_lacking(spec)
    return provenance(_device(config, place.address), config.training.threads, stream.checksum, spec_text)


def _open_driver(
    spec: SweepSpec, study: StudyRow, store: Store, launch: dict[str, Any], place: _Place, optuna_url: str
) -> Driver:
    """Record the start of a study and open its Optuna study."""
    handle = StudyHandle(
        id=study["id"],
        name=spec.study,
        launch_id=store.record_launch(study["id"], launch),
        data_root=str(place.data),
        checkpoints=checkpoints.prepare(checkpoint_location(study["uuid"], place.storage)),
        via_driver=place.address is not None and place.storage is None,
    )
    optuna_study = open_optuna_study(optuna_name(spec.study, study["uuid"]), optuna_url, spec)
    return Driver(spec, handle, store, optuna_study, deadline=_deadline(spec, study["driver_seconds"]))


def checkpoint_location(study_uuid: str, storage: str | None = None) -> str:
    """Path or URI of the checkpoints of a study: below --storage, or in the user's cache."""
    return f"{storage.rstrip('/')}/{study_uuid}" if storage else str(checkpoint_folder(study_uuid))


def checkpoint_folder(study_uuid: str) -> Path:
    """Folder for the checkpoints of a study in the user's cache."""
    return _checkpoint_root() / study_uuid


def _checkpoint_root() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "hnet" / "checkpoints"


def _drive(driver: Driver, workers: int, address: str | None, backend: Backend, tasks: TasksDone) -> None:
    with notifications(driver.spec.notify, driver) as message_received:
        with SweepProgress(driver, sys.stderr, tasks) as progress:

            def on_message(number: int, message: Message) -> bool:
                message_received()
                continues = driver.receive(number, message)
                progress.note(number, message, continues)
                return continues

            backend(driver, workers, address, on_message)
        if driver.aborted is not None:
            raise driver.aborted


def _refuse_lacking(spec: SweepSpec) -> None:
    lines = [f"{line}." for line in lacking(spec, this_machine())]
    if lines:
        raise ConfigInvalid("\n".join(lines))


def _device(config: TrialConfig, address: str | None) -> str:
    """Device of the launch: what is found here; of a cluster what is asked for, since each run records its own.

    Raises:
        ConfigInvalid: a GPU is asked for, and this machine, which trains, has none.
    """
    if address is not None:
        return f"{config.training.device}, as the workers of a cluster find it"
    return device_name(pick_device(config.training.device))


def _ray() -> Backend:
    from sweeps.ray_backend.searcher import run_with_ray

    return run_with_ray


def _find_or_create(store: Store, spec: SweepSpec) -> StudyRow:
    """Return the row of the study, created if missing; an existing one is not changed before the lease is held."""
    with contextlib.suppress(StudyExists):
        store.create_study(spec.study, spec.to_dict(), spec.seeds)
    return _row(store, spec.study)


def _update_study(store: Store, spec: SweepSpec) -> StudyRow:
    """Update a study whose lease is held to this spec's budget and seeds, and return its row.

    Raises:
        ConfigInvalid: it differs from the spec in a key that may not change.
    """
    wanted, study = spec.to_dict(), _row(store, spec.study)
    differ = [
        f"{row['key']}: {row['a']!r} in the study, {row['b']!r} now"
        for row in differences(fixed_part(as_read_today(study["spec"])), fixed_part(wanted))
    ]
    if spec.seeds < study["seeds"]:
        differ.append(f"seeds: {study['seeds']} in the study, {spec.seeds} now (more is possible, fewer is not)")
    if differ:
        raise ConfigInvalid(
            f"study {spec.study!r} exists with another spec; choose another name with --study. "
            f"Differences: {'; '.join(differ)}."
        )
    store.update_study(study["id"], spec=wanted, seeds=spec.seeds)
    return study


def _check_is_current(studies: Studies, name: str) -> None:
    """Refuse to mix results with those that an earlier version computed in a wrong way.

    Raises:
        ConfigInvalid: the study has such results.
    """
    for fault, n_trials in studies.outdated_results(name).items():
        raise ConfigInvalid(
            f"study {name!r} cannot go on: in {plural(n_trials, 'trial')} of an earlier version {fault}; run the sweep "
            "again under another name with --study."
        )


def _row(store: Store, name: str) -> StudyRow:
    study = store.find_study(name)
    if study is None:
        raise HnetError(f"study {name!r} was deleted while it was opened; start it again.")
    return study


def _deadline(spec: SweepSpec, seconds_so_far: float) -> float:
    if spec.budget.hours is None:
        return math.inf
    return time.monotonic() + 3600 * spec.budget.hours - seconds_so_far


def _announce(driver: Driver, n_requeued: int) -> None:
    counters, planned = driver.counters, driver.spec.planned_trials
    wanted = "until its hours are spent" if planned is None else f"{plural(planned, 'trial')} wanted"
    known = f", {counters.complete} done" if counters.complete else ""
    requeued = f", {n_requeued} interrupted and resumed" if n_requeued else ""
    log.info("Study %s: %s%s%s.", driver.study.name, wanted, known, requeued)
