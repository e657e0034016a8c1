from __future__ import annotations

import time
from pathlib import Path

from studies.database.open_database import connect
from studies.queries.studies import Studies
from studies.store.store import Store
from sweeps.driver import lease_heartbeat
from sweeps.driver.lease_heartbeat import study_lease
from sweeps.driver.tasks_done import TasksDone
from sweeps.jobs import Failure, JobProgress, Success
from tests.sweeps.tiny import tiny_spec


def test_a_trial_has_the_tasks_of_its_last_message_until_it_ends_or_is_stopped() -> None:
    tasks = TasksDone()
    for done in (1, 2):
        tasks.note(7, JobProgress(7, seed=0, tasks_done=done, tasks_in_all=8), continues=True)
        tasks.note(9, JobProgress(9, seed=0, tasks_done=done, tasks_in_all=4), continues=True)
    assert tasks.by_trial() == {7: (2, 8), 9: (2, 4)}
    assert tasks.trials == 0.75
    tasks.note(7, Failure("its node was lost", None, "node"), continues=False)
    tasks.note(9, JobProgress(9, seed=0, tasks_done=3, tasks_in_all=4), continues=False)
    assert tasks.by_trial() == {}
    tasks.note(7, JobProgress(7, seed=1, tasks_done=1, tasks_in_all=8), continues=True)
    tasks.note(7, Success(()), continues=False)
    assert tasks.by_trial() == {}


def test_the_lease_carries_the_tasks_of_running_trials_and_takes_them_along(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(lease_heartbeat, "RENEW_SECONDS", 0.01)
    engine = connect(str(tmp_path / "runs.db"), create=True)
    store, studies, tasks = Store(engine), Studies(engine), TasksDone()
    study_id = store.create_study("tiny", tiny_spec().to_dict(), 1)

    def wait_for(expected: dict[int, tuple[int, int]]) -> None:
        end = time.monotonic() + 10
        while studies.study("tiny").progress != expected:
            assert time.monotonic() < end
            time.sleep(0.01)

    with study_lease(store, study_id, "tiny", lambda: None, print, tasks):
        assert studies.study("tiny").progress == {}
        tasks.note(3, JobProgress(3, seed=0, tasks_done=1, tasks_in_all=5), continues=True)
        wait_for({3: (1, 5)})
        tasks.note(3, Success(()), continues=False)
        wait_for({})
        tasks.note(4, JobProgress(4, seed=0, tasks_done=2, tasks_in_all=5), continues=True)
        wait_for({4: (2, 5)})
    assert studies.study("tiny").progress == {}
    row = store.find_study("tiny")
    assert row is not None and row["progress"] is None
    engine.dispose()
