"""Runs a driver's jobs as Ray Tune trials, by a Searcher that hands them out and receives their results.

Internal API of Ray Tune (checked with 2.60.0): `Trial.temporary_state.ray_actor` and `Trial.run_metadata`, to find the
process of a trial that has to be killed.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.exceptions import RayTaskError
from ray.tune.experiment import Trial
from ray.tune.search import Searcher

from hnet_core.errors import HnetError
from sweeps.checkpoints import Checkpoints, open_checkpoints
from sweeps.driver.driver import Driver
from sweeps.failures import failure_of
from sweeps.jobs import Failure, Message, Success
from sweeps.ray_backend.head_address import no_cluster
from sweeps.ray_backend.scheduler import DriverScheduler
from sweeps.ray_backend.scratch_folder import scratch_folder
from sweeps.ray_backend.trainable import JobTrainable, messages_of
from sweeps.ray_backend.watchdog import Watchdog

log = logging.getLogger("hnet")


class JobSearcher(Searcher):
    """Hands out jobs while fewer than `workers` run, forwards each message, and kills overdue workers.

    It has no state to restore: a study resumes from its database, never from a Tune snapshot.
    An error of the driver aborts the driver: raised here, Tune would take it as a failure of the trial.
    """

    def __init__(self, driver: Driver, workers: int, on_message: Callable[[int, Message], bool]) -> None:
        super().__init__()
        self._driver = driver
        self._workers = workers
        self._on_message = on_message
        self._numbers: dict[str, int] = {}
        self._trials: dict[str, Trial] = {}
        self._stopped: set[str] = set()
        self._failures: dict[str, Failure] = {}
        self._folders: dict[int, Checkpoints] = {}
        self._watchdog = Watchdog(driver.spec.limits)

    def suggest(self, trial_id: str) -> Any:
        try:
            if len(self._numbers) >= self._workers and not self._driver.stopping:
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
        config: dict[str, Any] = {"job": json.dumps(job.to_dict(), allow_nan=False)}
        if job.via_driver:
            self._folders[job.number] = folder = open_checkpoints(job.checkpoints)
            config["saved"] = folder.read_all()
        return config

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Do nothing: messages come through `receive`, from the scheduler, which can stop the trial."""

    # The scheduler's receiver.

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
        self._failures.setdefault(trial.trial_id, _worker_failure(trial.get_pickled_error()))

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        number = self._numbers.pop(trial_id)
        self._trials.pop(trial_id, None)
        if error or result is None or "messages" not in result:
            messages: list[Message] = [self._failures.pop(trial_id, _worker_failure(None))]
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
        return self._driver.aborted is not None

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


def _worker_failure(error: Exception | None) -> Failure:
    """Failure of a dead worker, from Ray's error; one that raised an error itself is alive."""
    if isinstance(error, RayTaskError) and isinstance(error.cause, Exception):
        return replace(failure_of(error.cause), traceback=str(error))
    text = "" if error is None else str(error)
    if "memory" in type(error).__name__.lower() or "OOM" in text or "low memory" in text:
        return Failure("the worker ran out of memory and was killed", text or None, "worker")
    return Failure("the worker process died", text or None, "worker")


def run_with_ray(
    driver: Driver,
    workers: int,
    address: str | None,
    on_message: Callable[[int, Message], bool],
    trainable: type[JobTrainable] = JobTrainable,
) -> None:
    """Train until the driver has no more jobs.

    Args:
        workers: training processes at a time, one CPU each; 0 for as many as the cluster has.
        address: of a running Ray cluster; None starts one here for the duration of the sweep.
        on_message: called in this process with every message of every job; an exception it raises aborts the driver.
    """
    with scratch_folder() as folder:
        try:
            _start_ray(workers, address, folder)
            _tune(driver, workers, on_message, trainable, folder)
        finally:
            ray.shutdown()


def _tune(
    driver: Driver,
    workers: int,
    on_message: Callable[[int, Message], bool],
    trainable: type[JobTrainable],
    folder: Path,
) -> None:
    workers = workers or max(1, int(ray.cluster_resources().get("CPU", 1)))  # type: ignore[no-untyped-call]
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(workers)  # else workers start one after the other
    searcher = JobSearcher(driver, workers, on_message)
    tuner = tune.Tuner(
        tune.with_resources(trainable, _resources(workers)),
        tune_config=tune.TuneConfig(
            search_alg=searcher, scheduler=DriverScheduler(searcher, workers), num_samples=-1, reuse_actors=True
        ),
        run_config=tune.RunConfig(
            name="sweep",
            storage_path=str(folder),
            verbose=0,
            checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),  # the worker writes its own
            stop=StopWhenAborted(driver, searcher),
        ),
    )
    tuner.fit()


QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # no ping home, no prompt
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # no csv, json and TensorBoard file per trial
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # our handler lets the running trials finish
    "TUNE_GLOBAL_CHECKPOINT_S": "1e9",  # Tune's own snapshot, which grows with the trials, is never read
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}


def _start_ray(workers: int, address: str | None, folder: Path) -> None:
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address is None:
        quiet |= {"include_dashboard": False, "_temp_dir": str(folder)}
        _start_local(workers, quiet)
    else:
        _join(address, quiet)
    if threading.current_thread() is threading.main_thread():
        for number, handler in handlers.items():  # Ray installs its own, which print native stack traces
            signal.signal(number, handler)
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)  # the failure of a trial is in its row


def _start_local(workers: int, options: dict[str, Any]) -> None:
    """Start Ray here, again where its processes do not answer within its 30 s: the machine is busy.

    Raises:
        HnetError: they did not three times.
    """
    for n_left in (2, 1, 0):
        try:
            ray.init(address="local", num_cpus=workers, object_store_memory=200 * 2**20, **options)
        except Exception as error:  # Ray has no class of its own for it
            ray.shutdown()
            why = (str(error).strip() or type(error).__name__).splitlines()[0]
            if n_left and "timed out" in why:
                log.warning("Ray does not start in time; trying again.")
                continue
            raise HnetError(
                f"Ray must be able to start its processes here, got: {why} Where the machine is overloaded, start the "
                "same command again: it resumes the study."
            ) from error
        return


def _join(address: str, options: dict[str, Any]) -> None:
    try:
        ray.init(address=address, **options)
    except Exception as error:  # Ray has no common class for what may be wrong with an address
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise no_cluster(address, why) from None


def _resources(workers: int) -> dict[str, float]:
    """One CPU per worker, and an equal share of the GPUs where there are any."""
    gpus = ray.cluster_resources().get("GPU", 0.0)  # type: ignore[no-untyped-call]
    return {"cpu": 1, "gpu": min(1.0, gpus / workers)} if gpus else {"cpu": 1}
