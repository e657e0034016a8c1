"""Files on a network file system, where SQLite is unsafe: its locks are unreliable, and WAL mode needs shared memory.

Source: https://www.sqlite.org/howtocorrupt.html, section 2.1, and https://www.sqlite.org/wal.html.
"""

from __future__ import annotations

import re
from pathlib import Path

from studies.database.urls import parse_url, sqlite_path

MOUNTS = Path("/proc/self/mountinfo")
# By proc_filesystems(5); those of FUSE by the beginning of the name after "fuse.".
NETWORK = {"9p", "afs", "beegfs", "ceph", "cifs", "fhgfs", "gfs2", "glusterfs", "gpfs", "lustre", "nfs", "nfs4"}
NETWORK |= {"ocfs2", "orangefs", "panfs", "pvfs2", "smb3", "smbfs", "virtiofs", "vboxsf", "wekafs"}
NETWORK_FUSE = ("ceph", "glusterfs", "gcsfuse", "juicefs", "mfs", "quobyte", "rclone", "s3fs", "sshfs")


def network_filesystem(path: Path, mounts: Path = MOUNTS) -> str | None:
    """Return the type of the network file system that a file is on or would be made on, such as "nfs4".

    None for a local disk, and where there is no list of mounts (outside of Linux).

    Args:
        mounts: in the format of proc_pid_mountinfo(5).
    """
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    folder, kind, depth = path.absolute().parent.resolve(), "", -1
    for line in lines:
        place, found = _mount(line)
        if folder.is_relative_to(place) and len(place.parts) >= depth:  # a later mount hides one at the same place
            kind, depth = found, len(place.parts)
    plain = kind.removeprefix("fuse.")
    is_network = kind in NETWORK or (kind.startswith("fuse.") and plain.startswith(NETWORK_FUSE))
    return kind if is_network else None


def network_warning(url: str) -> str | None:
    """Describe the danger and the remedy for a SQLite database on a network file system; None for any other."""
    path = sqlite_path(parse_url(url))
    kind = None if path is None else network_filesystem(path)
    if kind is None:
        return None
    return (
        f"the database {path} is on a network file system ({kind}), where SQLite may lose or damage data; "
        "use --db postgresql://USER@HOST/NAME, or --scratch with a folder on a local disk"
    )


def _mount(line: str) -> tuple[Path, str]:
    """Mount point and type of a file system from a line of the list."""
    before, _, after = line.partition(" - ")
    place = re.sub(r"\\(\d{3})", lambda match: chr(int(match[1], 8)), before.split(" ")[4])  # blanks are written \040
    return Path(place), after.split(" ")[0]
