"""The schema, connections, migrations, backup and integrity of a study database."""
