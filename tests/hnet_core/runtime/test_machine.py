"""CPUs and memory of this process."""

from __future__ import annotations

import os

import pytest

from hnet_core.runtime import machine


def test_there_are_as_many_cpus_as_the_affinity_allows_at_most() -> None:
    assert 1 <= machine.usable_cpus() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("limits", "cpus", "memory"),
    [
        ({"cpu.max": "150000 100000", "memory.max": "1000000"}, 2, 1_000_000),
        ({"cpu.max": "max 100000", "memory.max": "max"}, 4, None),
        ({"cpu.max": "1000 100000", "memory/memory.limit_in_bytes": "9223372036854771712"}, 1, None),
        ({}, 4, None),
    ],
)
def test_a_control_group_limits_both(
    limits: dict[str, str], cpus: int, memory: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)), raising=False)
    monkeypatch.setattr(machine, "_read", lambda name: limits.get(name, ""))
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert machine.usable_cpus() == cpus
    assert machine.usable_memory() == (memory or whole)
