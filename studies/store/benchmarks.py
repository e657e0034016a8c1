"""Keeps published tables of one's own in a database."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine, insert, select, update

from hnet_core.errors import ConfigInvalid
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
