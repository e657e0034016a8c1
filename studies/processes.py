"""Identity of a process across reboots, containers and reused process ids; Linux only, elsewhere there is none."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")


def own_identity() -> str | None:
    """Return boot, PID namespace and start time of this process as "BOOT.NAMESPACE.START"; None without /proc.

    Two containers on one host can have the same host name and the same process id, and so can a process and its
    successor after a reboot.
    """
    return identity_of(os.getpid())


def identity_of(pid: int) -> str | None:
    """Return the identity of a process in the PID namespace of this one; None without /proc, or if it has ended."""
    started = _started(pid)
    place = _place()
    return None if started is None or place is None else f"{place}.{started}"


def is_dead(pid: int, identity: str) -> bool:
    """Return whether a process is known to be dead; False for one of another boot or PID namespace.

    Args:
        identity: from `own_identity` in that process.
    """
    place, _, started = identity.rpartition(".")
    return place == _place() and (is_gone(pid) or _started(pid) not in (started, None))


def is_gone(pid: int) -> bool:
    """Return whether no process has this id here."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False


def _place() -> str | None:
    """Boot and PID namespace, in which a process id is unique at each moment."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text().replace("-", "")[:12]
        namespace = os.readlink(PROC / "self/ns/pid").strip("pid:[]")
    except OSError:
        return None
    return f"{boot}.{namespace}"


def _started(pid: int) -> str | None:
    """Start time of a process in clock ticks since boot; None if it cannot be read."""
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[19]  # field 22 of proc_pid_stat(5); the name before may hold blanks
