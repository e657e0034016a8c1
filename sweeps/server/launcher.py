"""Sweeps checked, started, continued and stopped from the pages and the API.

A sweep is a process of its own (`hnet sweep run`, `hnet benchmark run`) that outlives the server; it is stopped by the
flag that `hnet sweep stop` sets. A request brings only the name of a source and settings that are checked against it.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hnet_core.errors import ConfigInvalid, HnetError, NotFound
from studies.database.urls import parse_url
from studies.errors import StudyBusy, StudyNotFound
from studies.store import admin
from studies.store.leases import is_dead
from studies.store.store import Store
from studies.store.working_copy import request_stop
from sweeps.launch.detached import StartedSweep
from sweeps.launch.requests import WHEN_CONTINUED, LaunchRequest, check_keys, make_request
from sweeps.launch.sources import Source, find_source, list_sources
from sweeps.server.service import Service

CHECK_SECONDS = 300.0
MAX_CHECKED = 100
MAX_PROBLEMS = 50
SECRETS = ("HNET_TOKEN", "HNET_READ_TOKEN")  # of this server; a sweep does not need them


class CheckRunning(HnetError):
    """A check is running; another one has to wait."""

    exit_code = 6


@dataclass(frozen=True)
class Checked:
    """The result of a check.

    Attributes:
        found: of `hnet sweep check` or `hnet benchmark check`; None where something is wrong.
        problems: what is wrong, one line each, with file, line and key where there is a file.
        studies: that a start would create or continue.
    """

    found: Mapping[str, Any] | None
    problems: Sequence[str]
    studies: Sequence[str] = ()


class Launcher:
    """Starts and stops the sweeps of one server."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._settings = service.settings
        self.sweeps = service.started
        self._is_checking = threading.Lock()
        self._starting = threading.Lock()
        self._checked: OrderedDict[str, Sequence[str]] = OrderedDict()  # studies by request

    def sources(self) -> Iterator[Source]:
        return list_sources(self._settings.specs, self._service.studies)

    def source(self, kind: str, name: str) -> Source:
        """Return a source by its name; raises NotFound."""
        return find_source(kind, name, self._settings.specs, self._service.studies)

    def check(self, request: LaunchRequest) -> Checked:
        """Check a request in full and estimate its duration, in a process of its own.

        Raises:
            CheckRunning: another check is running.
        """
        if not self._is_checking.acquire(blocking=False):
            raise CheckRunning("another check is running, one at a time; try again in some seconds.")
        try:
            checked = self._check(request)
        finally:
            self._is_checking.release()
        if not checked.problems:
            self._checked[_key(request)] = checked.studies
            while len(self._checked) > MAX_CHECKED:
                self._checked.popitem(last=False)
        return checked

    def _check(self, request: LaunchRequest) -> Checked:
        try:
            done = subprocess.run(
                [*self._command(request, "check"), "--format=json"], env=self._environment(), timeout=CHECK_SECONDS,
                stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Checked(None, [f"the check took more than {CHECK_SECONDS:.0f} s and was ended."])
        if done.returncode:
            text = request.source.without_folder(done.stderr)
            lines = [line.removeprefix("error: ") for line in text.splitlines() if line.strip()]
            return Checked(None, lines[:MAX_PROBLEMS] or [f"the check ended with exit code {done.returncode}."])
        found = json.loads(done.stdout)
        studies = found["studies"] if request.source.kind == "table" else [found["study"]]
        taken = [] if request.source.kind == "table" else self._why_taken(studies[0])
        return Checked(found, taken, studies)

    def _why_taken(self, study: str) -> list[str]:
        if study not in self._service.studies.names():
            return []
        return [f"study: {study!r} exists already; give another name, or continue that one from its page."]

    def is_checked(self, request: LaunchRequest) -> bool:
        """Return whether a check has found these settings valid."""
        return _key(request) in self._checked

    def start(self, request: LaunchRequest) -> StartedSweep:
        """Start a sweep that has been checked with these settings.

        Raises:
            ConfigInvalid: it was not checked, nothing is left to train, or its study exists.
            StudyBusy: it runs already.
        """
        studies = self._checked.get(_key(request))
        if studies is None:
            raise ConfigInvalid("these settings were not checked yet, or not found valid; check them first.")
        if not studies:
            raise ConfigInvalid("every cell that can be measured here has been measured; there is nothing to start.")
        with self._starting:
            if request.source.kind != "table" and (taken := self._why_taken(studies[0])):
                raise ConfigInvalid(taken[0])
            self._refuse_driven(studies)
            if not set(studies) & set(self._service.studies.names()):
                self.sweeps.forget(studies[0])
            return self._run(request, studies)

    def resume(self, study: str, changes: Mapping[str, Any]) -> StartedSweep:
        """Continue a study that was started from here, with another budget or more seeds if wanted.

        Raises:
            NotFound: it was not started from here.
            ConfigInvalid: a change is none of trials, hours, seeds and workers, or not possible.
            StudyBusy: it runs already.
        """
        started = self._started(study)
        source = self.source(started.kind, started.source)
        allowed = WHEN_CONTINUED if source.kind != "table" else tuple(set(WHEN_CONTINUED) & {"seeds", "workers"})
        check_keys(changes, allowed)
        request = make_request(source, {**started.values, **{k: v for k, v in changes.items() if v is not None}})
        with self._starting:
            self._refuse_driven(started.studies)
            return self._run(request, started.studies)

    def stop(self, study: str) -> bool:
        """Let a driver stop after its running trials; return False if nobody drives the study.

        Raises:
            StudyNotFound: there is no such study.
        """
        record = self._service.studies.study(study)
        if request_stop(self._settings.db, study):
            return True
        if record.driver is None or is_dead(record.driver):
            return False
        Store(self._service.writer).request_stop(record.id)
        return True

    def retry(self, study: str, numbers: Sequence[int] = ()) -> list[int]:
        """Queue failed trials again; continue the study if it was started from here.

        Returns:
            The numbers of the trials, none where there is nothing to retry.

        Raises:
            what `studies.store.admin.retry_trials` raises.
        """
        queued = admin.retry_trials(self._service.writer, study, numbers)
        if queued and self.sweeps.find(study) is not None:
            self.resume(study, {})
        return queued

    def _started(self, study: str) -> StartedSweep:
        started = self.sweeps.find(study)
        if started is None:
            raise NotFound(f"study {study!r} was not started from here; continue it with the command that started it.")
        return started

    def _refuse_driven(self, studies: Sequence[str]) -> None:
        for study in studies:
            started = self.sweeps.find(study)
            if started is not None and started.is_alive:
                raise StudyBusy(f"study {study!r} is running already, as process {started.pid}.")
            try:
                driver = self._service.studies.study(study).driver
            except StudyNotFound:
                continue
            if driver is not None and not is_dead(driver):
                raise StudyBusy(f"study {study!r} is running already, as process {driver['pid']} on {driver['host']}.")

    def _run(self, request: LaunchRequest, studies: Sequence[str]) -> StartedSweep:
        command = self._command(request, "run")
        source = request.source
        try:
            return self.sweeps.start(command, self._environment(), studies, source.kind, source.name, request.values)
        except OSError as error:
            raise HnetError(
                f"the folder for logs, {self.sweeps.folder}, must be one that can be written, got: {error.strerror}; "
                "set XDG_STATE_HOME for the server."
            ) from None

    def _command(self, request: LaunchRequest, command: str) -> list[str]:
        database = [] if self._database_is_secret else [f"--db={self._settings.db}"]
        return [sys.executable, "-m", "sweeps", *request.words(command), *database]

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in SECRETS}
        return {**kept, "HNET_DB": self._settings.db} if self._database_is_secret else kept

    @property
    def _database_is_secret(self) -> bool:
        """Other users can read the arguments of a process: a password goes into its environment."""
        url = parse_url(self._settings.db)
        return bool(url.password) or any("password" in key.lower() for key in url.query)


def _key(request: LaunchRequest) -> str:
    content = (request.source.kind, request.source.name, sorted(request.values.items(), key=lambda pair: pair[0]))
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()
