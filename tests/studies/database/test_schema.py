"""The migrations make the schema that the code declares, and the documentation describes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from studies.database import row_types
from studies.database.schema import VERSION_TABLE, metadata
from studies.database.schema_docs import schema_markdown
from studies.database.views import VIEWS
from studies.store.store import Store


def test_migrations_make_the_declared_schema(engine: Engine) -> None:
    with engine.connect() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


@pytest.mark.parametrize("name", ["study", "launch", "trial", "run"])
def test_the_type_of_a_row_has_the_columns_of_its_table(name: str) -> None:
    kind = getattr(row_types, f"{name.title()}Row")
    table = metadata.tables[name]
    assert list(kind.__annotations__) == list(table.c.keys())
    optional = {column for column, annotation in get_type_hints(kind).items() if type(None) in get_args(annotation)}
    assert optional == {column.name for column in table.c if column.nullable}


def test_check_constraints_are_migrated_too(engine: Engine) -> None:
    """compare_metadata does not look at them."""
    with engine.connect() as connection:
        found = {
            constraint["name"]
            for table in metadata.tables
            for constraint in inspect(connection).get_check_constraints(table)
        }
    assert found == {"ck_trial_state", "ck_trial_measure", "ck_evaluation_split"}


def test_everything_has_a_comment() -> None:
    for table in metadata.sorted_tables:
        assert table.comment, table.name
        assert all(column.comment for column in table.columns), table.name


def test_views_have_the_columns_they_document(engine: Engine) -> None:
    with engine.connect() as connection:
        for view in VIEWS:
            assert list(connection.execute(text(f"SELECT * FROM {view.name}")).keys()) == list(view.columns)


def test_moments_come_back_in_utc(store: Store, engine: Engine, study_id: int) -> None:
    noon_in_tokyo = datetime(2026, 5, 1, 12, tzinfo=timezone(timedelta(hours=9)))
    store.record_launch(study_id, {"started_at": noon_in_tokyo})
    from studies.queries.studies import Studies

    started = Studies(engine).study("s").launches[0]["started_at"]
    assert started == noon_in_tokyo
    assert started.tzinfo == UTC


def test_schema_page_is_up_to_date() -> None:
    page = Path(__file__).parents[3] / "docs" / "schema.md"
    if not page.is_file():
        pytest.skip("docs are not part of this installation")
    assert page.read_text(encoding="utf-8") == schema_markdown(), (
        "run: python -m studies.database.schema_docs > docs/schema.md"
    )
