"""CPUs and memory that this process may use: those of the machine, less what a scheduler or a container keeps back."""

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
    for folder in _groups(root, "cpu"):
        quota, _, period = _read(folder / "cpu.max").partition(" ")
        limits += _ratio(quota, period)
        limits += _ratio(_read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us"))
    given = environ.get(CPUS_OF_A_SLURM_TASK, "")
    if given.isdecimal():
        limits.append(float(given))
    return max(1, int(min(limits)))


def available_memory(root: Path = Path("/")) -> int:
    """Return the bytes of main memory this process may use: of the machine, or of its control groups if fewer."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for folder in _groups(root, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            limit = _read(folder / name)
            if limit.isdecimal():
                limits.append(int(limit))
    return min(limits)


def training_memory(device: str) -> int:
    """Return the bytes a training on this device (auto, cpu, cuda, cuda:1) may use; of a GPU, those it has."""
    import torch

    if device == "cpu" or not torch.cuda.is_available():
        return available_memory()
    return int(torch.cuda.get_device_properties(torch.device("cuda" if device == "auto" else device)).total_memory)


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of the control groups of this process, parents included, of either version.

    A container may see its own group as the root, while /proc still names the path outside: parents cover that.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # not Linux
        return
    mounts = root / "sys/fs/cgroup"
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        # Version 2 has no controllers in its line, and may be mounted beside version 1 in a folder of its own.
        bases = (mounts / controllers, mounts / controller) if controllers else (mounts, mounts / "unified")
        for folder in (PurePosixPath(group), *PurePosixPath(group).parents):
            yield from (base / str(folder).lstrip("/") for base in bases)


def _ratio(quota: str, period: str) -> list[float]:
    """Return quota / period; nothing for no quota: max, -1 or no file."""
    is_limit = quota.isdecimal() and period.isdecimal() and int(period) > 0
    return [int(quota) / int(period)] if is_limit else []


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
