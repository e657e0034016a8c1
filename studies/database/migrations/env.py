"""Runs the migrations on the connection of `studies.database.open_database`, and renews all that is derived.

The views are dropped first because SQLite refuses to alter a table that a view reads. The tables of summaries get the
columns of today's metrics, whatever the migrations made, and are filled from the raw measurements.
"""

from alembic import context
from sqlalchemy import text

from studies.database.schema import VERSION_TABLE, metadata
from studies.database.stored_metrics import rebuild_summaries
from studies.database.views import VIEWS

connection = context.config.attributes["connection"]
for view in reversed(VIEWS):
    connection.execute(text(f"DROP VIEW IF EXISTS {view.name}"))
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=connection.dialect.name == "sqlite",
)
context.run_migrations()
rebuild_summaries(connection)
for view in VIEWS:
    connection.exec_driver_sql(f"CREATE VIEW {view.name} AS\n{view.select}")
