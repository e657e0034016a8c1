"""Failures of worker processes, by the errors of Ray."""

from __future__ import annotations

import pytest
from ray.exceptions import (
    ActorDiedError,
    ActorUnavailableError,
    NodeDiedError,
    OutOfMemoryError,
    RayActorError,
    RayTaskError,
)

from sweeps.jobs import Failure
from sweeps.ray_backend.lost_workers import WorkerBroken, failure_of_worker

# Texts of Ray 2.60.0.
NODE_DIED = (
    "The actor died unexpectedly before finishing this task.\n\tclass_name: JobTrainable\n\tactor_id: 37066329a131\n"
    "The actor died because its node has died. Node Id: 636b9dd005d9\n"
    "\tthe actor's node was terminated expectedly: received SIGTERM"
)
KILLED = (
    "The actor died unexpectedly before finishing this task.\n\tclass_name: JobTrainable\n"
    "The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR"
)
LOW = "Task was killed due to the node running low on memory.\nMemory on the node (IP: 10.0.0.2) was 15.2GB / 16GB"


def died(text: str) -> ActorDiedError:
    error = ActorDiedError()
    error.error_msg = text
    return error


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (None, "worker", "the worker process died"),
        (died(KILLED), "worker", "the worker process died"),
        (died(NODE_DIED), "node", "the node of the worker was lost"),
        (NodeDiedError("The node is dead"), "node", "the node of the worker was lost"),
        (RayActorError(preempted=True), "node", "the node of the worker was preempted"),
        (ActorUnavailableError("RpcError: Socket closed rpc_code: 14", None), "node", "the connection to the worker"),
        (OutOfMemoryError(LOW), "node", "the worker was killed, since its node ran low on memory"),
        (died(LOW), "node", "the worker was killed, since its node ran low on memory"),
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
