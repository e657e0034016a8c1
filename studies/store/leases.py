"""Leases that make one driver at a time the writer of a study.

A lease is taken and renewed by compare-and-set on the database's clock; that of a dead driver expires. Its owner is a
random token, followed by the identity of the process where there is one (`studies.processes`).
"""

from __future__ import annotations

import socket
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import Engine, and_, null, or_, select, update

from hnet_core.errors import HnetError
from studies.database.database_clock import epoch_now
from studies.database.row_types import Lease
from studies.database.schema import study
from studies.processes import is_dead as process_is_dead
from studies.processes import is_gone, own_identity

LEASE_SECONDS = 60.0


class LeaseLost(HnetError):
    """A lease that another driver has taken."""

    exit_code = 6


def new_owner() -> str:
    """Make a token for a lease of this process, of at most 64 characters."""
    identity = own_identity()
    return uuid.uuid4().hex if identity is None else f"{uuid.uuid4().hex[:16]}.{identity}"[:64]


def is_dead(holder: Lease) -> bool:
    """Return whether the process that holds a lease is known to be dead; False where that cannot be seen from here."""
    _, _, identity = holder["owner"].partition(".")
    if identity:
        return process_is_dead(holder["pid"], identity)
    return holder["host"] == socket.gethostname() and is_gone(holder["pid"])  # an owner without an identity


class Leases:
    """The lease of each study, in the columns of its row."""

    def __init__(self, engine: Engine) -> None:
        self._reader = engine
        self._writer = engine.execution_options(hnet_writes=True)

    def acquire_lease(
        self, study_id: int, owner: str, host: str, pid: int, seconds: float, *, steal_from: str | None = None
    ) -> bool:
        """Take the lease of a study for `seconds` and return whether it was free.

        It is free without an owner, after its end, or where `owner` holds it already or `steal_from` does, an owner
        known to be dead. An earlier request to stop is cleared.
        """
        mine = study.c.lease_owner.in_([owner] if steal_from is None else [owner, steal_from])
        free = or_(study.c.lease_owner.is_(None), mine, study.c.lease_until <= epoch_now())
        change = (
            update(study)
            .where(study.c.id == study_id, free)
            .values(
                lease_owner=owner,
                lease_host=host,
                lease_pid=pid,
                lease_until=epoch_now() + seconds,
                progress=null(),
                stop_requested=False,
            )
        )
        with self._writer.begin() as connection:
            return bool(connection.execute(change).rowcount)

    def lease_holder(self, study_id: int) -> Lease | None:
        """Return the current lease of a study, None without one or after its end."""
        columns = (study.c.lease_owner, study.c.lease_host, study.c.lease_pid, study.c.lease_until)
        query = select(*columns).where(study.c.id == study_id, study.c.lease_until > epoch_now())
        with self._reader.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        owner, host, pid, until = row
        return {"owner": owner, "host": host, "pid": pid, "until": datetime.fromtimestamp(until, UTC)}

    def renew_lease(
        self,
        study_id: int,
        owner: str,
        seconds: float,
        add_driver_seconds: float,
        progress: Mapping[int, Sequence[int]] | None = None,
    ) -> bool:
        """Extend the lease to `seconds` from now, add driver time, and return whether a stop was requested.

        A lease that ended is renewed too, unless another driver has taken it.

        Args:
            progress: tasks finished and tasks in all of each running trial, by number.

        Raises:
            LeaseLost: if another driver has it.
        """
        mine = and_(study.c.id == study_id, study.c.lease_owner == owner)
        change = (
            update(study)
            .where(mine)
            .values(
                lease_until=epoch_now() + seconds,
                driver_seconds=study.c.driver_seconds + add_driver_seconds,
                progress={str(number): list(tasks) for number, tasks in progress.items()} if progress else null(),
            )
        )
        with self._writer.begin() as connection:
            stop = connection.execute(change.returning(study.c.stop_requested)).scalar_one_or_none()
        if stop is None:
            raise LeaseLost(self._lost_to(study_id))
        return bool(stop)

    def release_lease(self, study_id: int, owner: str) -> None:
        """Give the lease back; does nothing where `owner` no longer holds it."""
        mine = and_(study.c.id == study_id, study.c.lease_owner == owner)
        cleared = {
            "lease_owner": None,
            "lease_host": None,
            "lease_pid": None,
            "lease_until": None,
            "progress": null(),
            "stop_requested": False,
        }
        with self._writer.begin() as connection:
            connection.execute(update(study).where(mine).values(**cleared))

    def request_stop(self, study_id: int) -> None:
        """Request that the driver stops after the running trials, which it reads when it renews its lease."""
        with self._writer.begin() as connection:
            connection.execute(update(study).where(study.c.id == study_id).values(stop_requested=True))

    def _lost_to(self, study_id: int) -> str:
        holder = self.lease_holder(study_id)
        who = "another driver" if holder is None else f"process {holder['pid']} on {holder['host']}"
        return f"this driver no longer holds the study, {who} took it over; nothing further is written from here."
