"""Alembic migrations of the study database; run by `studies.database.connect`, packaged with the code."""
