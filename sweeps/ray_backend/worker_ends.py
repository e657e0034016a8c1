"""Ends of worker processes that Ray Tune takes for a bug of its own, handed to it as those that it knows.

Internal API of Ray (checked with 2.60.0): `RayActorManager._actor_start_failed` and `_actor_task_failed`, and its name
in the module of `TuneController`. For an error of Ray that is neither a RayActorError nor a RayTaskError the second one
raises RuntimeError, which ends the sweep, and Tune keeps no error of the first. Such is OutOfMemoryError, of a process
that Ray has killed since its node ran low on memory; others are those of a node that is lost with an unread result.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

from ray.air.execution._internal import RayActorManager
from ray.exceptions import RayActorError, RayError, RayTaskError
from ray.tune.execution import tune_controller


class WorkerEnded(RayActorError):
    """The end of a worker process by an error of Ray that is no RayActorError.

    Attributes:
        error: that error.
    """

    def __init__(self, error: RayError) -> None:
        super().__init__()
        self.args = (error,)  # which it is unpickled with
        self.error = error
        self.error_msg = str(error)


class ActorManager(RayActorManager):
    """That of Ray Tune, for which every end of a process is one of an actor."""

    def _actor_start_failed(self, tracked_actor: Any, exception: Exception) -> None:
        super()._actor_start_failed(tracked_actor, end_of_worker(exception))

    def _actor_task_failed(self, tracked_actor_task: Any, exception: Exception) -> None:
        super()._actor_task_failed(tracked_actor_task, end_of_worker(exception))


def end_of_worker(exception: Exception) -> Exception:
    """Return the error itself if Ray Tune knows its kind, else a WorkerEnded of it."""
    if isinstance(exception, RayError) and not isinstance(exception, (RayActorError, RayTaskError)):
        return WorkerEnded(exception)
    return exception


@contextlib.contextmanager
def all_ends_known() -> Iterator[None]:
    """Let Ray Tune use ActorManager inside of the block."""
    with mock.patch.object(tune_controller, "RayActorManager", ActorManager):
        yield
