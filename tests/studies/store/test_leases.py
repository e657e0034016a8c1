"""One driver per study, on SQLite and PostgreSQL."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from studies.queries.studies import Studies
from studies.store.leases import LeaseLost
from studies.store.store import Store


def take(store: Store, study_id: int, owner: str, seconds: float = 60, steal_from: str | None = None) -> bool:
    return store.acquire_lease(study_id, owner, f"host-{owner}", 42, seconds, steal_from=steal_from)


def test_second_driver_is_refused_while_the_first_holds_the_lease(store: Store, study_id: int) -> None:
    assert store.lease_holder(study_id) is None
    assert take(store, study_id, "a")
    assert not take(store, study_id, "b")
    holder = store.lease_holder(study_id)
    assert holder is not None
    assert (holder["owner"], holder["host"], holder["pid"]) == ("a", "host-a", 42)
    assert 50 < (holder["until"] - datetime.now(UTC)).total_seconds() < 70


def test_lease_can_be_taken_when_mine_released_ended_or_stolen(store: Store, study_id: int) -> None:
    assert take(store, study_id, "a")
    assert take(store, study_id, "a"), "mine"
    store.release_lease(study_id, "b")
    assert not take(store, study_id, "b"), "only the holder releases"
    store.release_lease(study_id, "a")
    assert take(store, study_id, "b", seconds=-1), "released"
    assert store.lease_holder(study_id) is None
    assert take(store, study_id, "c"), "ended"
    assert take(store, study_id, "d", steal_from="c")
    assert not take(store, study_id, "e", steal_from="c"), "two that saw the same dead driver cannot both follow it"


def test_renewing_extends_the_lease_adds_driver_time_and_returns_a_requested_stop(
    store: Store, engine: Engine, study_id: int
) -> None:
    take(store, study_id, "a", seconds=0.01)
    time.sleep(0.05)
    assert store.renew_lease(study_id, "a", 60, 2.5) is False, "nobody took it meanwhile"
    assert not take(store, study_id, "b")
    store.request_stop(study_id)
    assert store.renew_lease(study_id, "a", 60, 1.5) is True
    record = Studies(engine).study("s")
    assert record.driver_seconds == 4.0
    assert record.stop_requested
    assert record.driver is not None
    assert record.driver["owner"] == "a"
    take(store, study_id, "a")
    assert store.renew_lease(study_id, "a", 60, 0) is False, "a new start forgets the request"


def test_the_error_of_a_lost_lease_names_its_holder(store: Store, study_id: int) -> None:
    take(store, study_id, "a")
    take(store, study_id, "b", steal_from="a")
    with pytest.raises(LeaseLost, match="process 42 on host-b took it over") as lost:
        store.renew_lease(study_id, "a", 60, 1.0)
    assert lost.value.exit_code == 6


def test_one_of_many_drivers_wins_the_race(engine: Engine, store: Store, study_id: int) -> None:
    with ThreadPoolExecutor(6) as pool:
        won = list(pool.map(lambda i: take(Store(engine), study_id, f"driver-{i}"), range(12)))
    assert sum(won) == 1
