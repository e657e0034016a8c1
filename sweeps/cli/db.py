"""`hnet db`: creates, upgrades, checks and copies study databases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hnet_core.errors import HnetError
from studies import DEFAULT_URL
from studies.output.formats import say, write
from sweeps.cli.options import Database, Output, RowsFormat
from sweeps.cli.usage import App

app = App(name="db", help="Create, upgrade, check and back up study databases.")


class DatabaseInconsistent(HnetError):
    """Rows of a database contradict each other, or the measurements they are derived from."""


@app.command()
def init(db: Database = DEFAULT_URL) -> None:
    """Create an empty study database; an existing one is left unchanged."""
    from studies.database.open_database import connect

    connect(db, create=True)
    say("the database is ready.")


@app.command()
def upgrade(db: Database = DEFAULT_URL) -> None:
    """Upgrade a database of an older hnet to the current schema; a current one is left unchanged."""
    from studies.database.open_database import SchemaOutdated, connect

    try:
        connect(db)
        say("the database is up to date.")
    except SchemaOutdated:
        connect(db, create=True)
        say("the database was upgraded.")


@app.command()
def check(
    db: Database = DEFAULT_URL,
    format: RowsFormat = "table",
    output: Output = None,
    repair: Annotated[bool, typer.Option(help="First recompute all summaries from the raw measurements.")] = False,
) -> None:
    """Look for damage and contradictions, and recompute every metric; exit code 1 if anything is wrong."""
    from reports.formatting import plural
    from studies.database.integrity import check_database, repair_summaries
    from studies.database.open_database import connect

    engine = connect(db)
    if repair:
        repair_summaries(engine)
    found = check_database(engine)
    studies = f"{found.studies} stud{'y' if found.studies == 1 else 'ies'}"
    rows = [plural(found.trials, "trial"), plural(found.runs, "run"), plural(found.evaluations, "evaluation")]
    problems = plural(len(found.problems), "problem") if found.problems else "no problems"
    say(f"checked {studies}, {', '.join(rows)}: {problems}.")
    if found.problems or format != "table":
        write([{"problem": line} for line in found.problems], ["problem"], format, output, "Problems")
    if found.problems:
        raise DatabaseInconsistent("the database must hold together, got the problems above.")


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="New SQLite file.", show_default=False)], db: Database = DEFAULT_URL
) -> None:
    """Copy a database to a new SQLite file, even while a sweep writes to it."""
    from studies.database.backup import backup as copy
    from studies.database.open_database import connect

    copy(connect(db), target)
    say(f"wrote {target}")
