"""Acquires the lease of a study, renews it in a thread, and polls for requests to stop."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator

from hnet_core.errors import HnetError
from studies.store.leases import LEASE_SECONDS, is_dead, new_owner
from studies.store.store import LeaseLost, Store
from sweeps.driver.database_retry import RETRY_SECONDS
from sweeps.driver.tasks_done import TasksDone

RENEW_SECONDS = 2.0


class StudyHeld(HnetError):
    """Another driver holds the study."""

    exit_code = 6


@contextlib.contextmanager
def study_lease(
    store: Store,
    study_id: int,
    name: str,
    on_stop: Callable[[], None],
    on_lease_lost: Callable[[BaseException], None],
    tasks: TasksDone | None = None,
) -> Iterator[None]:
    """Hold the lease of a study inside the block; each renewal adds to its driver seconds.

    Args:
        tasks: tasks finished of the running trials, which each renewal writes beside the lease.
        on_stop: called once (in a thread) when a stop is requested.
        on_lease_lost: called (in a thread) if another driver has the lease, or it could not be renewed for too long.

    Raises:
        StudyHeld: another process holds it and is not known to be dead.
    """
    owner = new_owner()
    _acquire(store, study_id, name, owner)
    ended = threading.Event()
    tasks = TasksDone() if tasks is None else tasks
    arguments = (store, study_id, owner, tasks, ended, on_stop, on_lease_lost)
    renewal = threading.Thread(target=_renew, args=arguments, daemon=True)
    renewal.start()
    try:
        yield
    finally:
        ended.set()
        renewal.join()
        store.release_lease(study_id, owner)


def _acquire(store: Store, study_id: int, name: str, owner: str) -> None:
    host, pid = socket.gethostname(), os.getpid()
    if store.acquire_lease(study_id, owner, host, pid, LEASE_SECONDS):
        return
    holder = store.lease_holder(study_id)
    if holder is not None and is_dead(holder):
        if store.acquire_lease(study_id, owner, host, pid, LEASE_SECONDS, steal_from=holder["owner"]):
            return
    elif holder is None and store.acquire_lease(study_id, owner, host, pid, LEASE_SECONDS):
        return
    who = "another driver" if holder is None else f"process {holder['pid']} on {holder['host']}"
    raise StudyHeld(
        f"study {name!r} is driven by {who}; wait for it, stop it with: hnet sweep stop {name}, "
        f"or, if that machine is down, try again in {LEASE_SECONDS:.0f} seconds."
    )


def _renew(
    store: Store,
    study_id: int,
    owner: str,
    tasks: TasksDone,
    ended: threading.Event,
    on_stop: Callable[[], None],
    on_lease_lost: Callable[[BaseException], None],
) -> None:
    last, is_notified = time.monotonic(), False
    while not ended.wait(RENEW_SECONDS):
        now = time.monotonic()
        try:
            stop = store.renew_lease(study_id, owner, LEASE_SECONDS, now - last, tasks.by_trial())
        except LeaseLost as error:
            on_lease_lost(error)
            return
        except Exception as error:  # once it is reachable again, the lease is still valid unless another driver took it
            if now - last < RETRY_SECONDS:
                continue
            on_lease_lost(error)
            return
        last = now
        if stop and not is_notified:
            is_notified = True
            on_stop()
