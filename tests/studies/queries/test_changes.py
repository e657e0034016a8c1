"""Versions of studies: another one after every change that can be seen, the same one otherwise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import Engine

from studies.queries.studies import Studies
from studies.store import admin
from studies.store.store import Store
from tests.studies.sample import PROVENANCE, describe, sample_params, sample_result, sample_study

NAME = "sample-tradeoff"


def change(engine: Engine, what: str) -> None:
    store, found = Store(engine), Studies(engine)
    study_id = found.study(NAME).id
    params = sample_params(np.random.default_rng(9))
    changes: dict[str, Callable[[], object]] = {
        "launch": lambda: store.record_launch(study_id, PROVENANCE),
        "start": lambda: start(store, study_id, params),
        "finish": lambda: (start(store, study_id, params), finish(store, study_id, params)),
        "tag": lambda: admin.tag_study(engine, NAME, ["new"]),
        "note": lambda: admin.note_study(engine, NAME, "new"),
        "trial note": lambda: admin.note_trial(engine, NAME, 1, "new"),
        "archive": lambda: admin.archive_study(engine, NAME),
        "retry": lambda: admin.retry_trials(engine, NAME, [4]),
        "stop": lambda: store.request_stop(study_id),
        "drive": lambda: store.acquire_lease(study_id, "me", "host", 1, 60.0),
    }
    changes[what]()


def start(store: Store, study_id: int, params: dict[str, object]) -> None:
    store.start_trial(study_id, 50, describe(params, 3), launch_id=1, attempt=1)


def finish(store: Store, study_id: int, params: dict[str, object]) -> None:
    store.complete_trial(study_id, 50, 1, [sample_result(params, 3, seed) for seed in range(2)])


@pytest.mark.parametrize(
    "what", ["launch", "start", "finish", "tag", "note", "trial note", "archive", "retry", "stop", "drive"]
)
def test_a_change_gives_its_study_another_version_and_no_other(sqlite_engine: Engine, what: str) -> None:
    sample_study(sqlite_engine, n_trials=6, seeds=2, n_tasks=3)
    sample_study(sqlite_engine, n_trials=2, seeds=2, n_tasks=3, name="other")
    changes = Studies(sqlite_engine).changes()
    before, all_before = dict(changes.versions()), changes.of_all()
    assert changes.of_all() == all_before
    change(sqlite_engine, what)
    after = dict(changes.versions())
    assert after[NAME] != before[NAME]
    assert after["other"] == before["other"]
    assert changes.of_all() != all_before
    changes.close()


def test_a_renewed_lease_is_no_change(engine: Engine) -> None:
    sample_study(engine, n_trials=2, seeds=2, n_tasks=3)
    store, found = Store(engine), Studies(engine)
    study_id = found.study(NAME).id
    store.acquire_lease(study_id, "me", "host", 1, 60.0)
    changes = found.changes()
    before = dict(changes.versions())
    store.renew_lease(study_id, "me", 60.0, 2.0)
    assert changes.versions() == before
    store.release_lease(study_id, "me")
    assert changes.versions() != before
    changes.close()


def test_tasks_finished_change_the_progress_of_their_study_and_no_version(engine: Engine) -> None:
    sample_study(engine, n_trials=2, seeds=2, n_tasks=3)
    store, found = Store(engine), Studies(engine)
    study_id = found.study(NAME).id
    store.acquire_lease(study_id, "me", "host", 1, 60.0)
    changes = found.changes()
    before, seen = dict(changes.versions()), [changes.progress(NAME)]
    for tasks in ({1: (1, 6)}, {1: (2, 6)}, {1: (2, 6), 4: (1, 6)}, {}):
        store.renew_lease(study_id, "me", 60.0, 2.0, tasks)
        seen.append(changes.progress(NAME))
    assert len(set(seen)) == 4
    assert seen[0] == seen[-1] == changes.progress("other") == ""
    assert changes.versions() == before
    changes.close()
