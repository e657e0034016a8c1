"""Folder for the files of Ray during one sweep: sockets, logs and Tune's records."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hnet_core.errors import ConfigInvalid
from studies.processes import is_dead, own_identity

PREFIX = "hnet-"
OWNER = "owner"  # file that names the process of a folder

# The address of a Unix socket has at most 107 bytes. Ray adds /session_DATE_TIME_PID/sockets/plasma_store, and we a
# name of 13 characters.
MAX_PATH = 107 - len("/session_2026-01-01_00-00-00_000000_1234567/sockets/plasma_store.1") - len(f"/{PREFIX}12345678")
SHORT = "/tmp"


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder for the duration of the block, and delete those that killed sweeps of this user have left.

    It is in RAY_TMPDIR, else in the folder for temporary files, or where that has too long a path in /tmp.

    Raises:
        ConfigInvalid: none of them can be written.
    """
    parent = _parent()
    _delete_orphans(parent)
    try:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    except OSError as error:
        raise ConfigInvalid(
            f"the folder for temporary files must be one that can be written, with a path of at most {MAX_PATH} bytes, "
            f"got {parent} ({error.strerror or error}); name another one: export RAY_TMPDIR=FOLDER."
        ) from None
    try:
        identity = own_identity()
        if identity is not None:
            (folder / OWNER).write_text(f"{os.getpid()} {identity}")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _parent() -> Path:
    wanted = Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()).absolute()
    return wanted if len(os.fsencode(wanted)) <= MAX_PATH else Path(SHORT)


def _delete_orphans(parent: Path) -> None:
    """Delete the folders of processes that are known to be dead."""
    for owner in parent.glob(f"{PREFIX}*/{OWNER}"):
        with contextlib.suppress(OSError, ValueError):
            pid, identity = owner.read_text().split()
            if owner.stat().st_uid == os.getuid() and is_dead(int(pid), identity):
                shutil.rmtree(owner.parent, ignore_errors=True)
