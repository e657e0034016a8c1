"""The number of CPUs this process may use."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

CPUS_OF_A_SLURM_TASK = "SLURM_CPUS_PER_TASK"


def available_cpus(root: Path = Path("/"), environ: Mapping[str, str] = os.environ) -> int:
    """Return how many CPUs this process may use, at least 1.

    The smallest of its affinity, the quota of its control groups (versions 1 and 2, all parents included, rounded down)
    and what Slurm gave its task; not the number of CPUs of the machine.

    Args:
        root: of the file system with /proc and /sys.
    """
    limits = [float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)]
    limits += _quotas(root)
    given = environ.get(CPUS_OF_A_SLURM_TASK, "")
    if given.isdecimal():
        limits.append(float(given))
    return max(1, int(min(limits)))


def _quotas(root: Path) -> Iterator[float]:
    """Yield the quota in CPUs of each control group this process is in."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # not Linux
        return
    mounts = root / "sys/fs/cgroup"
    for line in lines:
        _, controllers, group = line.split(":", 2)
        for folder in (PurePosixPath(group), *PurePosixPath(group).parents):
            below = str(folder).lstrip("/")
            if not controllers:  # version 2, beside version 1 in a folder of its own
                yield from _quota_v2(mounts / below)
                yield from _quota_v2(mounts / "unified" / below)
            elif "cpu" in controllers.split(","):
                yield from _quota_v1(mounts / controllers / below)
                yield from _quota_v1(mounts / "cpu" / below)


def _quota_v2(folder: Path) -> Iterator[float]:
    quota, _, period = _read(folder / "cpu.max").partition(" ")
    yield from _ratio(quota, period)


def _quota_v1(folder: Path) -> Iterator[float]:
    yield from _ratio(_read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us"))


def _ratio(quota: str, period: str) -> Iterator[float]:
    """Yield quota / period; nothing for no quota: max, -1 or no file."""
    if quota.isdecimal() and period.isdecimal() and int(period):
        yield int(quota) / int(period)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
