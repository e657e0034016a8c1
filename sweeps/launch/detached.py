"""Sweeps started as processes of their own, which outlive the process that started them; each with a log.

A folder holds two files for each study: NAME.log has the output of its starts, and NAME.json says how it was started
last and which process that is, so that a later process finds it again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studies.database.urls import mask_passwords, masked, parse_url, sqlite_path
from studies.output.formats import visible
from studies.processes import identity_of, is_dead

TAIL_BYTES = 16 * 1024
TAIL_LINES = 200


@dataclass(frozen=True)
class StartedSweep:
    """A sweep that was started from here.

    Attributes:
        studies: that it creates or continues, in their order.
        kind, source: what it runs, see `sweeps.launch.sources.Source`.
        values: the settings it was given, see `sweeps.launch.requests.LaunchRequest`.
        pid, identity: of its process, see `studies.processes`.
        log: file name of its log.
    """

    studies: tuple[str, ...]
    kind: str
    source: str
    values: Mapping[str, Any]
    started_at: datetime
    pid: int
    identity: str | None
    log: str

    @property
    def is_alive(self) -> bool:
        """True while its process runs, as far as can be seen from here."""
        return self.identity is not None and not is_dead(self.pid, self.identity)


class DetachedSweeps:
    """Starts sweeps as detached processes and finds them again; raises OSError if the folder cannot be written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], studies: Sequence[str], kind: str, source: str,
        values: Mapping[str, Any],
    ) -> StartedSweep:  # fmt: skip
        """Start a command in a session of its own, without input, its output in the log of the first study.

        The log begins anew with a new study and goes on where the study was started before.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = f"{_file_name(studies[0])}.log"
        opened = os.open(self.folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(opened, "wb") as log:
            process = subprocess.Popen(
                command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        # An ended child stays in the table of processes until somebody waits for it, and would look alive.
        threading.Thread(target=process.wait, daemon=True).start()
        started = StartedSweep(
            tuple(studies), kind, source, values, datetime.now(UTC), process.pid, identity_of(process.pid), name
        )
        for study in studies:
            self._write(study, started)
        return started

    def find(self, study: str) -> StartedSweep | None:
        """Return the last start of a study from here; None where there was none."""
        return _read(self.folder / f"{_file_name(study)}.json")

    def __iter__(self) -> Iterator[StartedSweep]:
        """Yield every start by the first study of each, the newest first."""
        found = (_read(path) for path in self.folder.glob("*.json"))
        starts = {one.log: one for one in sorted(filter(None, found), key=lambda one: one.started_at)}
        yield from reversed(starts.values())

    def forget(self, study: str) -> None:
        """Remove the log of a study that is to be made anew."""
        (self.folder / f"{_file_name(study)}.log").unlink(missing_ok=True)

    def log_size(self, started: StartedSweep) -> int:
        """Return the bytes of a log, 0 where it is gone."""
        try:
            return (self.folder / started.log).stat().st_size
        except OSError:
            return 0

    def log_tail(self, started: StartedSweep) -> str:
        """Return the last lines of a log, without passwords and control characters."""
        try:
            with (self.folder / started.log).open("rb") as log:
                size = log.seek(0, os.SEEK_END)
                log.seek(max(0, size - TAIL_BYTES))
                content = log.read(TAIL_BYTES)
        except OSError:
            return ""
        lines = content.decode("utf-8", "replace").splitlines()
        lines = lines[1:] if size > TAIL_BYTES else lines  # the first one is cut
        return mask_passwords("\n".join(visible(line) for line in lines[-TAIL_LINES:]))

    def _write(self, study: str, started: StartedSweep) -> None:
        path = self.folder / f"{_file_name(study)}.json"
        partial = path.with_suffix(f".{os.getpid()}")
        content = {**asdict(started), "started_at": started.started_at.isoformat()}
        partial.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        partial.replace(path)


def state_folder(database: str) -> Path:
    """Return the folder for the sweeps that are started here on a database, in the user's state folder."""
    path = sqlite_path(parse_url(database))
    identity = masked(parse_url(database)) if path is None else str(path.expanduser().resolve())
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "hnet" / "sweeps" / hashlib.sha256(identity.encode()).hexdigest()[:16]


def _file_name(study: str) -> str:
    readable = re.sub(r"[^A-Za-z0-9_-]+", "_", study)[:40]
    return f"{readable}-{hashlib.sha256(study.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def _read(path: Path) -> StartedSweep | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        moment = datetime.fromisoformat(content.pop("started_at"))
        return StartedSweep(**{**content, "studies": tuple(content["studies"]), "started_at": moment})
    except (OSError, ValueError, TypeError, KeyError):
        return None
