"""Studies in SQL: the schema, its one writer and its one reader, and every number derived from what is stored.

import studies

found = studies.open("hnet.db")
found.trials("digits-tradeoff", where="compression_ratio < 0.5", sort="-final_accuracy")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studies.queries.studies import Studies

__all__ = ["DEFAULT_URL", "open"]

DEFAULT_URL = "sqlite:///hnet.db"


def open(url: str) -> Studies:
    """The studies of the database at `url`, for reading; see `studies.database.connect` for what it may raise."""
    from studies.database.open_database import connect
    from studies.queries.studies import Studies

    return Studies(connect(url))
