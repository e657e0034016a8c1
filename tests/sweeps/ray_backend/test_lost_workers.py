"""Failures of worker processes, by the errors of Ray."""

from __future__ import annotations

import pickle
from types import SimpleNamespace
from typing import Any

import pytest
from ray.core.generated.common_pb2 import Address
from ray.exceptions import (
    ActorDiedError,
    ActorUnavailableError,
    NodeDiedError,
    OutOfMemoryError,
    OwnerDiedError,
    RayActorError,
    RayTaskError,
)
from ray.tune.execution import tune_controller

from sweeps.jobs import Failure
from sweeps.ray_backend.lost_workers import WorkerBroken, failure_of_worker
from sweeps.ray_backend.worker_ends import ActorManager, WorkerEnded, all_ends_known, end_of_worker

# Texts of Ray 2.60.0.
NODE_DIED = (
    "The actor died unexpectedly before finishing this task.\n\tclass_name: JobTrainable\n\tactor_id: 37066329a131\n"
    "The actor died because its node has died. Node Id: 636b9dd005d9\n"
    "\tthe actor's node was terminated expectedly: received SIGTERM"
)
KILLED = (
    "The actor died unexpectedly before finishing this task.\n\tclass_name: JobTrainable\n"
    "The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR Worker exit detail: Worker "
    "unexpectedly exits with a connection error code 2. End of file. Some common causes include: (1) the process was "
    "killed by SIGKILL by OOM killer due to high memory usage. (2) ray stop --force is called."
)
NOT_BUILT = (
    "The actor died because of an error raised in its creation task, ray::JobTrainable()\n  File a.py\nKeyError: 'x'\n"
)
LOW = (
    "1 worker(s) were killed due to the node running low on memory. Memory on the node (IP: 10.0.0.2, ID: 0e4f) was "
    "15.2GB used / 16.0GB limit (0.95)\nOOM kill reason: Memory usage 16320875724B exceeded threshold ...\n"
    "Selected to kill: (Task: job ID=01000000, task name=JobTrainable.train, required resources={CPU: 1}, pid=6194, "
    "actual memory used=7.5GB, worker ID=f464)"
)
FOR_MEMORY = (
    "Ray killed the worker, which used 7.5 GiB, since its node ran low on memory (15.2 of 16.0 GiB in use); set"
)


def died(text: str) -> ActorDiedError:
    error = ActorDiedError()
    error.error_msg = text
    return error


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (None, "worker", "the worker process died"),
        (
            died(KILLED),
            "worker",
            "the worker process died (Worker unexpectedly exits with a connection error code 2. End",
        ),
        (died(NOT_BUILT), "worker", "the worker process died (KeyError: 'x')"),
        (died(NODE_DIED), "node", "the node of the worker was lost"),
        (NodeDiedError("The node is dead"), "node", "the node of the worker was lost"),
        (RayActorError(preempted=True), "node", "the node of the worker was preempted"),
        (ActorUnavailableError("RpcError: Socket closed rpc_code: 14", None), "node", "the connection to the worker"),
        (OutOfMemoryError(LOW), "worker", FOR_MEMORY),
        (died(LOW), "worker", FOR_MEMORY),
        (end_of_worker(OutOfMemoryError(LOW)), "worker", FOR_MEMORY),
        (OutOfMemoryError("low on memory"), "worker", "Ray killed the worker since its node ran low on memory; set"),
        (end_of_worker(NodeDiedError("The node is dead")), "node", "the node of the worker was lost"),
        (end_of_worker(OwnerDiedError("0" * 56, Address(), "")), "node", "a message of the worker was lost"),
    ],
)
def test_the_end_of_a_process_is_distinguished_from_that_of_its_node(
    error: Exception | None, kind: str, reason: str
) -> None:
    failure = failure_of_worker(error)
    assert (failure.kind, failure.reason.startswith(reason)) == (kind, True)
    assert failure.traceback == (None if error is None else str(error))


def raised(cause: Exception) -> RayTaskError:
    return RayTaskError("step", "a traceback", cause)


def test_a_worker_that_is_broken_brings_its_own_failure() -> None:
    broken = Failure("CUDA error: device-side assert triggered", "where", "worker")
    assert failure_of_worker(raised(WorkerBroken(broken))) == broken


def test_an_error_that_the_worker_raised_itself_is_of_the_trial() -> None:
    failure = failure_of_worker(raised(ValueError("no")))
    assert (failure.kind, failure.reason) == ("trial", "ValueError: no")


def test_ends_that_tune_does_not_know_reach_it_as_ends_of_an_actor_and_survive_its_pickle() -> None:
    found = pickle.loads(pickle.dumps(end_of_worker(OutOfMemoryError(LOW))))
    assert isinstance(found, WorkerEnded) and isinstance(found, RayActorError)
    assert str(found) == str(found.error) == LOW
    for known in (died(KILLED), raised(ValueError("no")), ValueError("no")):
        assert end_of_worker(known) is known


def test_the_process_of_a_step_that_ray_kills_for_memory_ends_its_trial_and_not_the_sweep() -> None:
    seen: list[Exception] = []
    actor = SimpleNamespace(actor_id=1, _on_error=lambda _, error: seen.append(error))
    task = SimpleNamespace(_tracked_actor=actor, _on_error=lambda _, error: seen.append(error))
    manager: Any = ActorManager.__new__(ActorManager)
    manager._failed_actor_ids, manager._cleanup_actor = set(), lambda **_: None
    manager._actor_task_failed(task, OutOfMemoryError(LOW))
    manager._actor_start_failed(actor, OutOfMemoryError(LOW))
    assert [type(error) for error in seen] == [WorkerEnded] * 3


def test_tune_has_its_own_manager_again_after_a_sweep() -> None:
    before = vars(tune_controller)["RayActorManager"]
    with all_ends_known():
        assert vars(tune_controller)["RayActorManager"] is ActorManager
    assert vars(tune_controller)["RayActorManager"] is before
