"""Studies in SQL: the schema, its one writer and its one reader, and every number derived from what is stored.

import studies

found = studies.open("hnet.db")
found.trials("digits-tradeoff", where="compression_ratio < 0.5", sort="-final_accuracy")
configurations = [studies.find_configuration(found, name) for name in ("digits-tradeoff:3", "baseline")]
studies.compare(found, configurations, "final_accuracy")

The names in `__all__` are imported on first use, so that `import studies` loads neither SQLAlchemy nor NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from studies.comparing.comparability import differences
    from studies.comparing.configurations import Configuration, compare, find_configuration
    from studies.database.open_database import DatabaseForeign, SchemaOutdated, connect
    from studies.errors import StudyBusy, StudyNotFound, TrialNotFound
    from studies.metrics.definitions import METRICS, Metric
    from studies.queries.studies import Studies
    from studies.statistics.interval import Interval
    from studies.statistics.paired_tests import by_seed
    from studies.statistics.verdicts import judge
    from studies.store.store import Store

__all__ = [
    "DEFAULT_URL",
    "METRICS",
    "Configuration",
    "DatabaseForeign",
    "Interval",
    "Metric",
    "SchemaOutdated",
    "Store",
    "Studies",
    "StudyBusy",
    "StudyNotFound",
    "TrialNotFound",
    "by_seed",
    "compare",
    "connect",
    "differences",
    "find_configuration",
    "judge",
    "open",
]

DEFAULT_URL = "sqlite:///hnet.db"

_MODULES = {
    "METRICS": "studies.metrics.definitions",
    "Configuration": "studies.comparing.configurations",
    "DatabaseForeign": "studies.database.open_database",
    "Interval": "studies.statistics.interval",
    "Metric": "studies.metrics.definitions",
    "SchemaOutdated": "studies.database.open_database",
    "Store": "studies.store.store",
    "Studies": "studies.queries.studies",
    "StudyBusy": "studies.errors",
    "StudyNotFound": "studies.errors",
    "TrialNotFound": "studies.errors",
    "by_seed": "studies.statistics.paired_tests",
    "compare": "studies.comparing.configurations",
    "connect": "studies.database.open_database",
    "differences": "studies.comparing.comparability",
    "find_configuration": "studies.comparing.configurations",
    "judge": "studies.statistics.verdicts",
}


def open(url: str) -> Studies:
    """Open the studies of the database at `url` for reading; raises what `connect` raises."""
    from studies.database.open_database import connect
    from studies.queries.studies import Studies

    return Studies(connect(url))


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'studies' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
