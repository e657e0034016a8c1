"""Studies in SQL: the schema, its one writer and its one reader, and every number derived from what is stored.

import studies

found = studies.open("hnet.db")
found.trials("digits-tradeoff", where="compression_ratio < 0.5", sort="-final_accuracy")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from studies.comparing.configurations import compare, differences
    from studies.database.open_database import connect
    from studies.queries.studies import Studies
    from studies.statistics.paired_tests import by_seed
    from studies.statistics.verdicts import judge

__all__ = ["DEFAULT_URL", "Studies", "by_seed", "compare", "connect", "differences", "judge", "open"]

DEFAULT_URL = "sqlite:///hnet.db"

_HOMES = {
    "Studies": "studies.queries.studies",
    "by_seed": "studies.statistics.paired_tests",
    "compare": "studies.comparing.configurations",
    "connect": "studies.database.open_database",
    "differences": "studies.comparing.configurations",
    "judge": "studies.statistics.verdicts",
}


def open(url: str) -> Studies:
    """The studies of the database at `url`, for reading; see `studies.database.connect` for what it may raise."""
    from studies.database.open_database import connect
    from studies.queries.studies import Studies

    return Studies(connect(url))


def __getattr__(name: str) -> Any:
    """Import a name of this package when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'studies' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
