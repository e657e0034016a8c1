"""CPUs and memory a process may use: affinity, control groups and Slurm."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hnet_core.runtime.machine import available_cpus, available_memory

MACHINE = len(os.sched_getaffinity(0))
MEMORY = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def file_system(root: Path, groups: str, **files: str) -> Path:
    """A root with /proc/self/cgroup and the files given by path below /sys/fs/cgroup, slashes written as __."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    for name, content in files.items():
        path = (
            root
            / "sys/fs/cgroup"
            / name.replace("__", "/").replace("_max", ".max").replace("_cfs", ".cfs").replace("_limit", ".limit")
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def test_without_limits_it_is_the_affinity(tmp_path: Path) -> None:
    assert available_cpus(tmp_path, {}) == MACHINE
    root = file_system(tmp_path, "0::/user\n", user__cpu_max="max 100000\n", cpu_max="max 100000\n")
    assert available_cpus(root, {}) == MACHINE


@pytest.mark.parametrize(
    ("groups", "files"),
    [
        ("0::/job\n", {"job__cpu_max": "100000 100000\n"}),
        ("0::/job/step/task\n", {"job__cpu_max": "150000 100000\n", "job__step__cpu_max": "max 100000\n"}),
        ("0::/outside/of/the/container\n", {"cpu_max": "100000 100000\n"}),
        ("0::/\n", {"unified__cpu_max": "50000 100000\n"}),
        (
            "4:cpu,cpuacct:/job\n0::/\n",
            {"cpu,cpuacct__job__cpu_cfs_quota_us": "100000\n", "cpu,cpuacct__job__cpu_cfs_period_us": "100000\n"},
        ),
        ("1:cpu:/job\n", {"cpu__cpu_cfs_quota_us": "190000\n", "cpu__cpu_cfs_period_us": "100000\n"}),
    ],
)
def test_a_quota_of_a_group_or_of_its_parents_limits_it(groups: str, files: dict[str, str], tmp_path: Path) -> None:
    assert available_cpus(file_system(tmp_path, groups, **files), {}) == 1


def test_version_1_without_a_quota_does_not_limit_it(tmp_path: Path) -> None:
    files = {"cpu__job__cpu_cfs_quota_us": "-1\n", "cpu__job__cpu_cfs_period_us": "100000\n"}
    assert available_cpus(file_system(tmp_path, "1:cpu:/job\n", **files), {}) == MACHINE


def test_slurm_limits_it_where_it_pins_nothing(tmp_path: Path) -> None:
    assert available_cpus(tmp_path, {"SLURM_CPUS_PER_TASK": "1"}) == 1
    assert available_cpus(tmp_path, {"SLURM_CPUS_PER_TASK": "many"}) == MACHINE


def test_a_process_that_is_pinned_to_one_cpu_has_one() -> None:
    code = (
        "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); "
        "from hnet_core.runtime.machine import available_cpus; print(available_cpus())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


@pytest.mark.parametrize(
    ("groups", "files", "memory"),
    [
        ("0::/job\n", {"job__memory_max": "1000000\n"}, 1_000_000),
        ("0::/job\n", {"job__memory_max": "max\n"}, MEMORY),
        ("3:memory:/job\n", {"memory__job__memory_limit_in_bytes": "2000000\n"}, 2_000_000),
        ("3:memory:/job\n", {"memory__memory_limit_in_bytes": "9223372036854771712\n"}, MEMORY),
    ],
)
def test_a_control_group_limits_the_memory(groups: str, files: dict[str, str], memory: int, tmp_path: Path) -> None:
    assert available_memory(file_system(tmp_path, groups, **files)) == memory
