"""CPUs and memory that this process may use: those of the machine, less what a scheduler or a container keeps back."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def usable_cpus() -> int:
    """CPU cores by affinity and by the quota of the control group, at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _read("cpu.max").partition(" ")
    if quota.isdecimal() and period.isdecimal():
        cores = min(cores, math.ceil(int(quota) / int(period)))
    return max(1, cores)


def usable_memory() -> int:
    """Bytes of main memory: all of the machine, or the limit of the control group where that is lower."""
    found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [_read("memory.max"), _read("memory/memory.limit_in_bytes")]
    return min([found, *(int(limit) for limit in limits if limit.isdecimal())])


def training_memory(device: str) -> int:
    """Bytes a training on this device (auto, cpu, cuda, cuda:1) may take, of the GPU where that is one."""
    import torch

    if device == "cpu" or not torch.cuda.is_available():
        return usable_memory()
    return int(torch.cuda.get_device_properties(torch.device("cuda" if device == "auto" else device)).total_memory)


def _read(name: str) -> str:
    """A limit of this process's control group, "" where there is none: version 2, then the top of version 1."""
    try:
        group = Path("/proc/self/cgroup").read_text().splitlines()[0].partition("::")[2].lstrip("/")
        for path in (_CGROUP / group / name, _CGROUP / name):
            if path.exists():
                return path.read_text().strip()
    except (OSError, IndexError):
        pass
    return ""
