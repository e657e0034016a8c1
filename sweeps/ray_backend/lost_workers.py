"""Failures of worker processes, from the errors of Ray: their own, or those of their node."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import ray
from ray.exceptions import (
    ActorUnavailableError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayTaskError,
)
from ray.tune.experiment import Trial

from sweeps.failures import failure_of
from sweeps.jobs import Failure
from sweeps.ray_backend.worker_ends import WorkerEnded

MOST_DETAIL = 200  # characters

# Texts of Ray 2.60.0 in the error of an actor that died; only preemption has an attribute.
_NODE_DIED = ("its node has died", "node was terminated")
_LOW_ON_MEMORY = ("low on memory", "memory pressure")
_USED_BY_WORKER = re.compile(r"memory used=([\d.]+)GB")  # which are GiB
_USED_ON_NODE = re.compile(r"was ([\d.]+)GB(?: used)? / ([\d.]+)GB")


class WorkerBroken(Exception):
    """Raised in a worker process that can train no more, so that Tune starts another one instead of using it again.

    Attributes:
        failure: of the job it had.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure


def error_of(trial: Trial) -> Exception | None:
    """Read the error that ended the worker of a trial; None if it has none, or one that cannot be read here.

    `Trial.get_pickled_error` of Ray 2.60.0 returns None: it looks in the storage, to which Tune copies the file later.
    """
    path = trial.pickled_error_file
    try:
        error = None if path is None else ray.cloudpickle.loads(Path(path).read_bytes())
    except Exception:  # that of a plug-in which this process cannot import
        return None
    return error if isinstance(error, Exception) else None


def failure_of_worker(error: Exception | None) -> Failure:
    """Describe the end of a worker process as a failure of its job.

    Kind "node" is for the end of its node, by preemption too. A lost connection counts so as well, since Ray notices
    the death of a node only some seconds after it.

    Args:
        error: of Tune's trial; None if it has none.
    """
    if isinstance(error, RayTaskError) and isinstance(error.cause, Exception):
        if isinstance(error.cause, WorkerBroken):
            return error.cause.failure
        return replace(failure_of(error.cause), traceback=str(error))
    text = "" if error is None else str(error)
    if isinstance(error, WorkerEnded):
        error = error.error
    if isinstance(error, OutOfMemoryError) or any(part in text for part in _LOW_ON_MEMORY):
        return Failure(_killed_for_memory(text), text or None, "worker")
    if isinstance(error, RayActorError) and error.preempted:
        return Failure("the node of the worker was preempted", text, "node")
    if isinstance(error, NodeDiedError) or any(part in text for part in _NODE_DIED):
        return Failure("the node of the worker was lost", text, "node")
    if isinstance(error, ActorUnavailableError):
        return Failure("the connection to the worker was lost", text, "node")
    if isinstance(error, ObjectLostError):
        return Failure("a message of the worker was lost with its node", text, "node")
    return Failure(f"the worker process died{_detail(text)}", text or None, "worker")


def _detail(text: str) -> str:
    """Return the last line of an error, which says how the process ended, without Ray's guesses at the cause."""
    line = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
    line = line.partition("Worker exit detail: ")[2] or line
    line = line.partition(" Some common causes include")[0].rstrip(".")
    return f" ({line[:MOST_DETAIL]})" if line else ""


def _killed_for_memory(text: str) -> str:
    """Return the reason for a process that Ray has killed, with the numbers that its text gives."""
    of_worker, of_node = _USED_BY_WORKER.search(text), _USED_ON_NODE.search(text)
    used = f", which used {of_worker[1]} GiB," if of_worker else ""
    low = f" ({of_node[1]} of {of_node[2]} GiB in use)" if of_node else ""
    return (
        f"Ray killed the worker{used} since its node ran low on memory{low}; set resources.memory to what a trial "
        "needs, so that fewer train at a time"
    )
