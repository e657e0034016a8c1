"""A driver in a PID namespace of its own, as in a container, keeps its lease against one outside on the same host."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from studies.database.open_database import connect
from studies.store.leases import LEASE_SECONDS, is_dead
from studies.store.store import Store
from sweeps.driver.lease_heartbeat import StudyHeld, study_lease
from tests.sweeps.tiny import tiny_spec

REPOSITORY = Path(__file__).parents[3]
NAMESPACE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
HOLD = """
import sys, threading
from studies.database.open_database import connect
from studies.store.store import Store
from sweeps.driver.lease_heartbeat import study_lease

store = Store(connect(sys.argv[1]))
with study_lease(store, int(sys.argv[2]), "tiny", lambda: print("stop", flush=True), print):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[tuple[str, Store, int]]:
    if shutil.which("unshare") is None or subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode:
        pytest.skip("this user may not make PID namespaces (unshare --pid)")
    url = str(tmp_path / "runs.db")
    engine = connect(url, create=True)
    store = Store(engine)
    yield url, store, store.create_study("tiny", tiny_spec().to_dict(), 1)
    engine.dispose()


def holder_in_a_namespace(url: str, study_id: int) -> subprocess.Popen[str]:
    command = [*NAMESPACE, sys.executable, "-c", HOLD, url, str(study_id)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    holder = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    return holder


@pytest.mark.slow
def test_a_driver_in_another_pid_namespace_is_alive_and_is_asked_to_stop(database: tuple[str, Store, int]) -> None:
    url, store, study_id = database
    with holder_in_a_namespace(url, study_id) as holder:
        lease = store.lease_holder(study_id)
        assert lease is not None and not is_dead(lease)
        with pytest.raises(StudyHeld), study_lease(store, study_id, "tiny", lambda: None, print):
            pass
        store.request_stop(study_id)
        assert holder.stdout is not None and holder.stdout.readline() == "stop\n"
        holder.communicate("")
    with study_lease(store, study_id, "tiny", lambda: None, print):
        pass


@pytest.mark.slow
def test_one_that_was_killed_there_keeps_its_lease_until_that_ends(database: tuple[str, Store, int]) -> None:
    """Nobody outside can see that it is dead; within its namespace nothing is left to ask."""
    url, store, study_id = database
    with holder_in_a_namespace(url, study_id) as holder:
        holder.kill()
        holder.wait()  # before its standard input is closed, at the end of which it would give the lease back
    again = pytest.raises(StudyHeld, match=f"try again in {LEASE_SECONDS:.0f} seconds")
    with again, study_lease(store, study_id, "tiny", lambda: None, print):
        pass
    lease = store.lease_holder(study_id)
    assert lease is not None and not is_dead(lease)
