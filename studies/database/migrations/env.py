"""Runs the migrations on the connection `studies.database.open_database` hands over, and renews the views around them.

The views are dropped first because SQLite refuses to alter a table that a view reads.
Summaries that a migration made room for, or emptied, are derived from the raw measurements.
"""

from alembic import context
from sqlalchemy import text

from studies.database.schema import VERSION_TABLE, metadata
from studies.database.stored_metrics import fill_summaries
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
fill_summaries(connection)
for view in VIEWS:
    connection.exec_driver_sql(f"CREATE VIEW {view.name} AS\n{view.select}")
