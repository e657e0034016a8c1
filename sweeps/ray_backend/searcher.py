"""Runs a driver's jobs as Ray Tune trials, by a Searcher that hands them out and receives their results.

Internal API of Ray Tune (checked with 2.60.0): `Trial.temporary_state.ray_actor` and `Trial.run_metadata`, to find the
process of a trial that has to be killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.experiment import Trial
from ray.tune.search import Searcher

from hnet_core.errors import HnetError
from sweeps.allocation import default_workers, this_machine
from sweeps.checkpoints import Checkpoints, open_checkpoints
from sweeps.driver.driver import Driver
from sweeps.jobs import Failure, Job, Message, Success
from sweeps.ray_backend.cluster_room import ClusterRoom
from sweeps.ray_backend.lost_workers import error_of, failure_of_worker
from sweeps.ray_backend.scheduler import DriverScheduler
from sweeps.ray_backend.scratch_folder import scratch_folder
from sweeps.ray_backend.session import join_ray, start_ray
from sweeps.ray_backend.trainable import JobTrainable, messages_of
from sweeps.ray_backend.watchdog import Watchdog
from sweeps.ray_backend.worker_ends import all_ends_known

MAX_STARTING = 10_000  # workers at a time; the searcher hands out no more jobs than there is room for


class JobSearcher(Searcher):
    """Hands out jobs while fewer run than there is room for, forwards each message, and kills overdue workers.

    It has no state to restore: a study resumes from its database, never from a Tune snapshot.
    An error of the driver aborts the driver: raised here, Tune would take it as a failure of the trial.
    """

    def __init__(self, driver: Driver, room: ClusterRoom, on_message: Callable[[int, Message], bool]) -> None:
        super().__init__()
        self._driver = driver
        self._room = room
        self._on_message = on_message
        self._numbers: dict[str, int] = {}
        self._trials: dict[str, Trial] = {}
        self._stopped: set[str] = set()
        self._failures: dict[str, Failure] = {}
        self._folders: dict[int, Checkpoints] = {}
        self._watchdog = Watchdog(driver.spec.limits)

    def suggest(self, trial_id: str) -> Any:
        try:
            if not self._driver.finished and len(self._numbers) >= self._room.workers(self._driver.n_left):
                self._driver.ask_ahead()  # all workers are busy, so a slow sampler delays none
                return None
            job = self._driver.next_job()
        except Exception as error:
            self._driver.abort(error)
            return Searcher.FINISHED
        if job is None:
            # A running job may fail and be queued again, but after FINISHED Tune does not call suggest any more.
            return Searcher.FINISHED if self._driver.finished and not self._numbers else None
        self._numbers[trial_id] = job.number
        self._watchdog.expect(job.number, job.config["method"]["name"])
        config: dict[str, Any] = {"job": json.dumps(job.to_dict(), allow_nan=False), "bundle": self._bundle(job)}
        if job.via_driver:
            self._folders[job.number] = folder = open_checkpoints(job.checkpoints)
            config["saved"] = folder.read_all()
        return config

    def _bundle(self, job: Job) -> str:
        """Resources of a job as Ray names them, for `placement`, as JSON."""
        return json.dumps(self._room.bundle(job.request))

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Do nothing: messages come through `receive`, from the scheduler, which can stop the trial."""

    # The scheduler's receiver.

    def idle_workers(self) -> int:
        if not self._driver.finished:
            return self._room.workers(self._driver.n_left)
        self._room.workers(0)  # the last trials keep their nodes by running; a request might keep an idle one
        return 0

    def add(self, trial: Trial) -> None:
        self._trials[trial.trial_id] = trial

    def receive(self, trial: Trial, result: dict[str, Any]) -> bool:
        """Forward the messages of a job; return whether it continues."""
        number = self._numbers[trial.trial_id]
        self._watchdog.message_received(number)
        continues = self._store_checkpoint(number, result) and self._forward(number, messages_of(result))
        if not continues:
            self._stopped.add(trial.trial_id)
        return continues

    def worker_died(self, trial: Trial) -> None:
        """Note the failure of a trial whose worker has died."""
        self._failures.setdefault(trial.trial_id, failure_of_worker(error_of(trial)))

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        number = self._numbers.pop(trial_id)
        self._trials.pop(trial_id, None)
        if error or result is None or "messages" not in result:
            messages: list[Message] = [self._failures.pop(trial_id, failure_of_worker(None))]
        else:
            messages = messages_of(result)
        (self._watchdog.complete if isinstance(messages[-1], Success) else self._watchdog.stop)(number)
        self._folders.pop(number, None)
        if trial_id in self._stopped:
            self._stopped.discard(trial_id)
        else:
            self._forward(number, messages)

    def end_overdue(self) -> None:
        """Kill the workers of jobs that exceed a limit; called repeatedly while the sweep runs."""
        running = {self._numbers[trial_id]: trial for trial_id, trial in self._trials.items() if _is_running(trial)}
        for number in running:
            self._watchdog.start(number)
        for number, failure in self._watchdog.overdue().items():
            trial = running.get(number)
            if trial is not None and trial.trial_id not in self._failures:
                self._failures[trial.trial_id] = failure
                kill_worker(trial)

    def kill_workers(self) -> None:
        """Kill the worker of every running job."""
        for trial in self._trials.values():
            if _is_running(trial):
                kill_worker(trial)

    def _store_checkpoint(self, number: int, result: dict[str, Any]) -> bool:
        """Store a checkpoint that came with a message; return False if that failed."""
        if "checkpoint" not in result:
            return True
        try:
            self._folders[number].write(*result["checkpoint"])
        except OSError as error:
            reason = f"the checkpoint of trial {number} cannot be written: {error}; free space and start again."
            self._driver.abort(HnetError(reason))
            return False
        return True

    def _forward(self, number: int, messages: Sequence[Message]) -> bool:
        if self._driver.aborted is not None:
            return False
        try:
            return all(self._on_message(number, message) for message in messages)
        except Exception as error:
            self._driver.abort(error)
            return False

    def save(self, checkpoint_path: str) -> None:
        """Save nothing; see the class."""

    def restore(self, checkpoint_path: str) -> None:
        raise NotImplementedError("a study resumes from its database: start the same sweep again.")

    def __getstate__(self) -> dict[str, Any]:
        return {}


class StopWhenAborted(tune.Stopper):
    """Ends all trials at once when the driver is aborted; Tune calls it so often that it also checks time limits."""

    def __init__(self, driver: Driver, searcher: JobSearcher) -> None:
        self._driver = driver
        self._searcher = searcher

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return self._driver.aborted is not None

    def stop_all(self) -> bool:
        self._searcher.end_overdue()
        if self._driver.aborted is None:
            return False
        self._searcher.kill_workers()  # else Tune waits until they have finished their task
        return True

    def __getstate__(self) -> dict[str, Any]:
        return {}


def _is_running(trial: Trial) -> bool:
    return bool(trial.status == Trial.RUNNING and trial.temporary_state.ray_actor is not None)


def kill_worker(trial: Trial) -> None:
    """Kill the process of a trial with SIGKILL: one that is stopped (SIGSTOP) does not process a request of Ray."""
    last: dict[str, Any] = trial.run_metadata.last_result or {}  # trial.last_result would wait for a hung worker
    if last.get("hostname") == socket.gethostname() and last.get("pid"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(last["pid"], signal.SIGKILL)
    actor = trial.temporary_state.ray_actor
    if actor is not None:
        ray.kill(actor)


def run_with_ray(
    driver: Driver,
    workers: int,
    address: str | None,
    on_message: Callable[[int, Message], bool],
    trainable: type[JobTrainable] = JobTrainable,
) -> None:
    """Train until the driver has no more jobs.

    Args:
        workers: training processes at a time; 0 for as many as this machine, or the cluster at any time, has room for.
        address: of a running Ray cluster; None starts one here for the duration of the sweep.
        on_message: called in this process with every message of every job; an exception it raises aborts the driver.
    """
    requests = driver.spec.requests()
    with scratch_folder() as folder:
        try:
            if address is None:
                workers = workers or default_workers(driver.spec, this_machine())
                start_ray(requests, workers, folder)
            else:
                join_ray(address)
            room = ClusterRoom(requests, workers, elastic=address is not None)
            try:
                _tune(driver, room, on_message, trainable, folder)
            finally:
                room.close()
        finally:
            ray.shutdown()


def _tune(
    driver: Driver,
    room: ClusterRoom,
    on_message: Callable[[int, Message], bool],
    trainable: type[JobTrainable],
    folder: Path,
) -> None:
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(MAX_STARTING)
    searcher = JobSearcher(driver, room, on_message)
    tuner = tune.Tuner(
        tune.with_resources(trainable, placement),
        tune_config=tune.TuneConfig(
            search_alg=searcher, scheduler=DriverScheduler(searcher), num_samples=-1, reuse_actors=True
        ),
        run_config=tune.RunConfig(
            name="sweep",
            storage_path=str(folder),
            verbose=0,
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),  # the worker writes its own
            stop=StopWhenAborted(driver, searcher),
        ),
    )
    with all_ends_known():
        tuner.fit()


def placement(config: dict[str, Any]) -> tune.PlacementGroupFactory:
    """Return the resources that `JobSearcher` has put into the config of a trial."""
    return tune.PlacementGroupFactory([json.loads(config["bundle"])])
