"""Alembic migrations of the study database; run by `studies.database.open_database.connect`, packaged with the code.

After a change to `studies.database.schema`, write the next file in `versions` by hand: `revision`, `down_revision`,
`upgrade`. tests/studies/database/test_schema.py compares the result with the schema. There is no downgrade: copy the
database before.
"""
