"""Values that are kept: made once, also by many threads at a time, and never more than fit."""

from __future__ import annotations

import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sweeps.server.pages import studies
from sweeps.server.service import Kept, Service
from sweeps.server.settings import make_settings
from tests.sweeps.server.conftest import STRANGE


def test_a_value_is_made_once_for_all_threads_that_want_it() -> None:
    kept, made = Kept(4), []

    def make() -> str:
        time.sleep(0.05)
        made.append(threading.get_ident())
        return "value"

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: kept.get("key", "1", make), range(16))) == {"value"}
    assert len(made) == 1


def test_what_was_used_longest_ago_goes_first() -> None:
    kept = Kept(2)
    for key in ("a", "b"):
        kept.get(key, "1", lambda key=key: key.upper())  # type: ignore[misc]
    kept.get("a", "1", pytest.fail)
    kept.get("c", "1", lambda: "C")
    assert kept.get("a", "1", lambda: "again") == "A"
    assert kept.get("b", "1", lambda: "again") == "again"


def test_values_together_weigh_no_more_than_the_capacity() -> None:
    kept = Kept(100, len)
    for n in range(50):
        kept.get(n, "1", lambda: b"x" * 30)
    assert kept.get(49, "1", lambda: b"new") != b"new"
    assert kept.get(46, "1", lambda: b"new") == b"new"
    assert kept.get("huge", "1", lambda: b"x" * 1000) == b"x" * 1000
    assert kept.get("huge", "1", lambda: b"again") == b"again"


def test_of_a_value_that_changes_one_version_is_kept() -> None:
    kept, alive = Kept(1000), []

    class Page:
        def __init__(self) -> None:
            alive.append(self)
            weakref.finalize(self, lambda: ended.append(1))

    ended: list[int] = []
    for version in range(20):
        kept.get("study", str(version), Page)
        alive.clear()
    assert len(ended) == 19
    newest = kept.get("study", "19", pytest.fail)
    assert kept.get("study", "18", Page) is not newest, "an older version was asked for again"
    assert kept.get("other", "19", Page) is not kept.get("study", "18", pytest.fail)


def test_an_error_is_not_kept() -> None:
    kept = Kept(2)
    with pytest.raises(ZeroDivisionError):
        kept.get("key", "1", lambda: 1 / 0)
    assert kept.get("key", "1", lambda: 5) == 5


def test_what_was_prepared_is_not_read_again_when_a_study_is_opened(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(make_settings(str(database)))
    try:
        studies.prepare(service)
        monkeypatch.setattr("sweeps.server.service.read_map", lambda *_: pytest.fail("read again"))
        for name in ("sample-tradeoff", STRANGE, "empty"):
            service.map(name)
        with pytest.raises(pytest.fail.Exception):
            service.map("archived")
    finally:
        service.close()
