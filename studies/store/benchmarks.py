"""Published tables of one's own in a database: kept and removed."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine, delete, insert, select, update

from hnet_core.errors import ConfigInvalid, NotFound
from hnet_core.registry import did_you_mean
from studies.database.schema import benchmark
from studies.database.storable_text import storable


def keep_benchmark(engine: Engine, name: str, content: str, cells: str, replace: bool = False) -> bool:
    """Add the tables of a paper and return True; False if just these are there already.

    Args:
        content, cells: the text of the YAML and the CSV file, checked by the caller.
        replace: put them in the place of others of that name.

    Raises:
        ConfigInvalid: others have that name, and `replace` is false.
    """
    row = {"content": storable(content), "cells": storable(cells)}
    with engine.execution_options(hnet_writes=True).begin() as connection:
        of_name = benchmark.c.name == name
        known = (
            connection.execute(select(benchmark.c.content, benchmark.c.cells).where(of_name)).mappings().one_or_none()
        )
        if known is not None and dict(known) == row:
            return False
        moment = {"added_at": datetime.now(UTC)}
        if known is None:
            connection.execute(insert(benchmark), {"name": name, **row, **moment})
        elif replace:
            connection.execute(update(benchmark).where(of_name).values(**row, **moment))
        else:
            raise ConfigInvalid(
                f"{name!r} names tables of this database already, with other contents; replace them with --replace, "
                "or give the file another name."
            )
    return True


def remove_benchmark(engine: Engine, name: str) -> None:
    """Remove the tables of a paper; studies that were trained for them stay.

    Raises:
        NotFound: the database has no tables of that name.
    """
    with engine.execution_options(hnet_writes=True).begin() as connection:
        if not connection.execute(delete(benchmark).where(benchmark.c.name == name)).rowcount:
            known = list(connection.scalars(select(benchmark.c.name)))
            raise NotFound(f"no tables of {name!r} were added to this database{did_you_mean(name, known)}.")
