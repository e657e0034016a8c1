"""The schema, connections, migrations, backup and integrity of a study database."""

from studies.database.connections import DatabaseUnreachable, despite_races, errors_explained, tune_sqlite
from studies.database.open_database import DatabaseForeign, SchemaOutdated, connect

__all__ = [
    "DatabaseForeign",
    "DatabaseUnreachable",
    "SchemaOutdated",
    "connect",
    "despite_races",
    "errors_explained",
    "tune_sqlite",
]
