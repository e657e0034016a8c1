"""A sweep driven in a thread, read in the same process and from two others, and killed at random, loses no commit.

The short form is among the slow tests; `make chaos` runs it for five minutes on each database.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import studies

REPOSITORY = Path(__file__).parents[2]
WATCHERS = 2

# A driver in a thread, and all that opens the database beside it. A trial is logged once its commit has returned.
DRIVE = """
import itertools, os, sys, threading
from pathlib import Path
import studies
from perf.noop import no_work, noop_spec
from reports.pages import tradeoff
from studies.database import connect
from studies.database.backup import backup
from studies.database.integrity import check_database
from studies.store.store import Store
from sweeps.runner import run_sweep

url, folder, trials = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
log = os.open(folder / "committed.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
complete = Store.complete_trial

def complete_and_log(self, study_id, number, *arguments, **values):
    complete(self, study_id, number, *arguments, **values)
    os.write(log, b"%d\\n" % number)

def backend(driver, workers, address, on_message):
    while (job := driver.next_job()) is not None:
        for message in no_work(job):
            on_message(job.number, message)

Store.complete_trial = complete_and_log
connect(url, create=True)
sweep = threading.Thread(target=lambda: run_sweep(noop_spec("random", trials), url, backend=backend))
sweep.start()
looks = (
    lambda: studies.open(url).studies(),
    lambda: list(studies.open(url).trial_rows("noop").dicts()),
    lambda: connect(url, create=True).dispose(),
    lambda: check_database(connect(url)),
    lambda: ((folder / "copy.db").unlink(missing_ok=True), backup(connect(url), folder / "copy.db")),
    lambda: tradeoff.write(studies.open(url), "noop", folder / "report"),
)
for look in itertools.cycle(looks):
    if not sweep.is_alive():
        break
    try:
        look()
    except studies.errors.StudyNotFound:
        pass  # not made yet
"""

WATCH = """
import sys, time
from hnet_core.errors import HnetError
from studies.database import connect
from studies.queries import Studies
while True:
    try:
        engine = connect(sys.argv[1])
        Studies(engine).studies()
        engine.dispose()
    except HnetError as error:
        if error.exit_code != 5 or "run a sweep first" not in str(error):
            raise
    time.sleep(0.05)
"""


def commits(folder: Path) -> set[int]:
    """Numbers of the trials whose commit has returned; a killed driver may have left half a line."""
    log = folder / "committed.log"
    lines = log.read_text().split("\n")[:-1] if log.exists() else []
    return {int(line) for line in lines if line}


def wait_for(is_reached: Callable[[], bool]) -> None:
    """Wait for a driver's first commit, which takes a minute on a busy machine."""
    end = time.monotonic() + 300
    while not is_reached():
        assert time.monotonic() < end, "no commit in 300 s"
        time.sleep(0.1)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    "seconds",
    [pytest.param(20, marks=pytest.mark.slow), pytest.param(300, marks=pytest.mark.chaos)],
)
def test_every_commit_that_returned_is_there_however_the_database_is_watched(
    seconds: int, database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = str(tmp_path / "hnet.db") if database == "sqlite" else request.getfixturevalue("empty_postgres")
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    watchers = [subprocess.Popen([sys.executable, "-c", WATCH, url], env=environment) for _ in range(WATCHERS)]
    chance, end, kills = random.Random(seconds), time.monotonic() + seconds, 0
    try:
        while time.monotonic() < end or kills < 2:
            arguments = [sys.executable, "-c", DRIVE, url, str(tmp_path), "100000"]
            driver = subprocess.Popen(arguments, env=environment, stderr=subprocess.PIPE, text=True)
            known = commits(tmp_path)
            wait_for(lambda known=known, driver=driver: commits(tmp_path) > known or driver.poll() is not None)  # type: ignore[misc]
            time.sleep(min(chance.uniform(1, 8), max(0.0, end - time.monotonic()) + 1))
            assert driver.poll() is None, driver.communicate()[1]
            driver.send_signal(signal.SIGKILL)
            driver.communicate()
            kills += 1
        assert all(watcher.poll() is None for watcher in watchers)
    finally:
        for watcher in watchers:
            watcher.kill()
            watcher.wait()
    committed = commits(tmp_path)
    stored = {row["number"] for row in studies.open(url).ledger("noop") if row["state"] == "COMPLETE"}
    assert kills >= 2
    assert len(committed) >= kills
    assert committed <= stored
    code = "import sys; from sweeps.cli import main; sys.argv = ['hnet', 'db', 'check', '--db', sys.argv[1]]; main()"
    subprocess.run([sys.executable, "-c", code, url], env=environment, check=True)
