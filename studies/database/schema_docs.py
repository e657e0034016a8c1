"""Generator of docs/schema.md: `python -m studies.database.schema_docs > docs/schema.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Table, UniqueConstraint
from sqlalchemy.dialects import postgresql

from studies.database.schema import VERSION_TABLE, metadata
from studies.database.views import VIEWS, View

HEAD = f"""# The study database

Generated from `studies/database/schema.py` and `studies/database/views.py` by `python -m studies.database.schema_docs`;
do not edit.

The same on SQLite and PostgreSQL. Raw measurements are in the tables; for reading, start with the views `run_metrics`
and `trial_metrics`. Optuna keeps its own tables (`studies`, `trials`, ...) in the same database: they hold the
state of its samplers, not results. The schema revision is in `{VERSION_TABLE}`.

```sh
hnet study sql "SELECT number, final_accuracy, compression_ratio FROM trial_metrics WHERE study = 'quickstart'"
```

A searched value in the JSON column `params` is `params ->> '$."method.beta_output"'` on SQLite and
`params ->> 'method.beta_output'` on PostgreSQL.

`trial_summary` holds the plain t interval of a metric. `hnet study` and the reports cut it off at the bounds of the
metric: an accuracy and its interval are in [0, 1], a forgetting in [-1, 1], and no cost is below 0. The true mean is
within these bounds, so the interval covers it as often.

Types are those of PostgreSQL; SQLite holds moments as UTC text, JSON as text and booleans as 0 and 1.
"""


def schema_markdown() -> str:
    """Return the text of docs/schema.md."""
    parts = [HEAD, "## Tables\n"]
    parts += ["\n".join(_table(table)) for table in metadata.sorted_tables]
    parts += ["## Views\n", *("\n".join(_view(view)) for view in VIEWS)]
    return "\n".join(parts)


def _table(table: Table) -> Iterator[str]:
    yield f"### {table.name}\n\n{table.comment}\n"
    yield "| column | type | holds |\n|---|---|---|"
    yield from (_column(column) for column in table.columns)
    yield ""
    yield f"- primary key: {', '.join(column.name for column in table.primary_key)}"
    yield from sorted(_constraints(table))
    yield ""


def _column(column: Column[object]) -> str:
    kind = column.type.compile(dialect=postgresql.dialect()).lower()  # type: ignore[no-untyped-call]
    optional = " or NULL" if column.nullable else ""
    return f"| `{column.name}` | {kind}{optional} | {column.comment} |"


def _constraints(table: Table) -> Iterator[str]:
    for constraint in table.constraints:
        if isinstance(constraint, ForeignKeyConstraint):
            names = ", ".join(constraint.column_keys)
            targets = ", ".join(element.target_fullname for element in constraint.elements)
            yield f"- {names} refers to {targets}"
        elif isinstance(constraint, UniqueConstraint):
            yield f"- unique: {', '.join(column.name for column in constraint.columns)}"
        elif isinstance(constraint, CheckConstraint):
            yield f"- {constraint.sqltext}"


def _view(view: View) -> Iterator[str]:
    yield f"### {view.name}\n\n{view.comment}\n"
    yield "| column | holds |\n|---|---|"
    yield from (f"| `{name}` | {comment.replace('|', chr(92) + '|')} |" for name, comment in view.columns.items())
    yield f"\n```sql\n{view.select}\n```\n"


if __name__ == "__main__":
    sys.stdout.write(schema_markdown())
