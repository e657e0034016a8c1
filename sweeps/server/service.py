"""The database behind every address, with what is kept of it until it changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from reports.data.study_map import StudyMap, read_map
from studies.database.open_database import connect
from studies.database.reading import connect_for_reading
from studies.errors import StudyNotFound
from studies.queries.studies import Studies
from sweeps.launch.detached import DetachedSweeps, state_folder
from sweeps.server.guard import WRITE
from sweeps.server.settings import ServerSettings

STARTING = "starting"  # the version of a study that was started from here and has no row yet
QUERY_SECONDS = 10.0
PATIENT_SECONDS = 60.0
MAX_MAPS = 8
MAX_KEPT = 1000
MAX_BYTES = 64 * 2**20  # of the selections that are kept
Value = TypeVar("Value")


class HasStatus(Protocol):
    """What a request brings along: the access of its token."""

    @property
    def state(self) -> Any: ...


class Service:
    """Reads the studies of one database, and writes notes, tags and the archive.

    Attributes:
        studies: for reading alone, with a time limit on every query.
        changes: the version of each study.
        started: the sweeps that were started from here.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.engine = connect_for_reading(settings.db, QUERY_SECONDS)
        self.studies = Studies(self.engine)
        self.changes = self.studies.changes()
        self.started = DetachedSweeps(state_folder(settings.db))
        _load_packages()
        self._kept = Kept(MAX_MAPS)
        self._others = Kept(MAX_KEPT)
        self._matching = Kept(MAX_BYTES, lambda numbers: int(numbers.nbytes) + 100)

    def version(self, name: str) -> str:
        """Return the version of a study; raises StudyNotFound."""
        found = self.changes.versions().get(name)
        if found is None:
            self.studies.study(name)  # raises, unless it was made this moment
            return "new"
        return found

    def live_version(self, name: str) -> str:
        """Return the version of a study, and after a colon what changes with its progress and its log, if it has any.

        Raises:
            StudyNotFound: there is no such study, and none was started under that name.
        """
        started = self.started.find(name)
        try:
            version = self.version(name)
        except StudyNotFound:
            if started is None:
                raise
            version = STARTING
        progress = self.changes.progress(name)
        if started is not None:
            progress += f".{self.started.log_size(started):x}{'' if started.is_alive else '-'}"
        return f"{version}:{progress}" if progress else version

    def map(self, name: str, x: str | None = None) -> StudyMap:
        """Return the configurations of a study as arrays, see `read_map`; raises StudyNotFound, ConfigInvalid."""
        found: StudyMap = self._kept.get((name, x), self.version(name), lambda: read_map(self.studies, name, x))
        return found

    def matching(self, name: str, where: str) -> NDArray[np.int_]:
        """Return the numbers of the trials that meet a condition, ascending; raises ConfigInvalid."""
        version = self.version(name)
        found: NDArray[np.int_] = self._matching.get((name, where), version, lambda: self.studies.matching(name, where))
        return found

    def keep(self, what: str, name: str, make: Callable[[], Value]) -> Value:
        """Return what `make` made before of this version of a study, or makes now; raises StudyNotFound."""
        found: Value = self._others.get((what, name), self.version(name), make)
        return found

    @cached_property
    def patient(self) -> Studies:
        """A reader for the pages that read every trial of the database."""
        return Studies(connect_for_reading(self.settings.db, PATIENT_SECONDS))

    @cached_property
    def writer(self) -> Any:
        """The engine for notes, tags and the archive; opened when the first is written."""
        return connect(self.settings.db)

    def may_write(self, request: HasStatus) -> bool:
        return not self.settings.read_only and bool(request.state.access == WRITE)

    def close(self) -> None:
        self.changes.close()
        self.engine.dispose()
        if "writer" in self.__dict__:
            self.writer.dispose()


def _load_packages() -> None:
    """Import what pages need on first use, so that the first reader does not wait for it."""
    import pandas  # noqa: F401
    import scipy.special
    import scipy.stats  # noqa: F401


class Kept:
    """The values used last by key, as many as fit; of each the version that was asked for last.

    So a study that changes all the time takes no more memory than one at rest. Several threads that want one value wait
    for a single making.

    Args:
        capacity: the most that all values may weigh together.
        weigh: weight of a value; by default each weighs 1.
    """

    def __init__(self, capacity: int, weigh: Callable[[Any], int] = lambda value: 1) -> None:
        self._capacity = capacity
        self._weigh = weigh
        self._weight = 0
        self._lock = threading.Lock()
        self._making: dict[Any, threading.Lock] = {}
        self._values: OrderedDict[Any, tuple[str, Any]] = OrderedDict()

    def get(self, key: Any, version: str, make: Callable[[], Any]) -> Any:
        with self._lock:
            if (found := self._find(key, version)) is not None:
                return found[1]
            own = self._making.setdefault((key, version), threading.Lock())
        with own:
            with self._lock:
                if (found := self._find(key, version)) is not None:
                    return found[1]
            try:
                value = make()
                with self._lock:
                    self._add(key, version, value)
            finally:
                with self._lock:
                    self._making.pop((key, version), None)
        return value

    def _find(self, key: Any, version: str) -> tuple[str, Any] | None:
        found = self._values.get(key)
        if found is None or found[0] != version:
            return None
        self._values.move_to_end(key)
        return found

    def _add(self, key: Any, version: str, value: Any) -> None:
        if key in self._values:
            self._weight -= self._weigh(self._values.pop(key)[1])
        self._values[key] = version, value
        self._weight += self._weigh(value)
        while self._weight > self._capacity and self._values:
            _, (_, oldest) = self._values.popitem(last=False)
            self._weight -= self._weigh(oldest)
