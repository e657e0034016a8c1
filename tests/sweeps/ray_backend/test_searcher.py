"""Jobs that are handed out to Ray Tune."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from ray.tune.search import Searcher

from sweeps.jobs import Job
from sweeps.ray_backend.searcher import JobSearcher, placement
from tests.sweeps.tiny import tiny_spec


def searcher_of(workers: int, n_jobs: int) -> tuple[JobSearcher, list[str]]:
    """A searcher over so many jobs, and what it asked ahead."""
    jobs = [Job(number, 1, {"method": {"name": "hnet"}}, (0,), "", "") for number in range(n_jobs)]
    asked_ahead: list[str] = []

    class Driver:
        spec = tiny_spec()
        stopping = False
        aborted = None

        @property
        def finished(self) -> bool:
            return not jobs

        @property
        def n_left(self) -> int:
            return len(jobs)

        def next_job(self) -> Job | None:
            return jobs.pop(0) if jobs else None

        def ask_ahead(self) -> None:
            asked_ahead.append("asked")

    room: Any = SimpleNamespace(workers=Mock(return_value=workers), bundle=lambda request: {"CPU": 2.0, "GPU": 0.5})
    driver: Any = Driver()
    return JobSearcher(driver, room, lambda number, message: True), asked_ahead


def test_no_more_jobs_are_handed_out_than_there_is_room_for() -> None:
    searcher, asked_ahead = searcher_of(workers=2, n_jobs=3)
    assert [searcher.suggest(name) is None for name in "abc"] == [False, False, True]
    assert asked_ahead == ["asked"]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_search_with_nothing_left_ends_even_where_every_node_has_left(workers: int) -> None:
    searcher, _ = searcher_of(workers, n_jobs=0)
    assert searcher.suggest("a") == Searcher.FINISHED


def test_a_search_waits_while_there_is_no_room() -> None:
    searcher, _ = searcher_of(workers=0, n_jobs=1)
    assert searcher.suggest("a") is None


def test_the_room_follows_the_last_running_jobs_for_which_no_idle_worker_waits() -> None:
    searcher, _ = searcher_of(workers=2, n_jobs=0)
    assert searcher.idle_workers() == 0
    searcher._room.workers.assert_called_once_with(0)  # type: ignore[attr-defined]


def test_a_job_has_the_resources_that_the_room_gives_it() -> None:
    searcher, _ = searcher_of(workers=1, n_jobs=1)
    assert placement(searcher.suggest("a")).bundles == [{"CPU": 2.0, "GPU": 0.5}]
