"""Processes are told apart across reboots, PID namespaces and reused process ids."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from studies import processes
from studies.processes import is_dead, own_identity
from studies.store import leases
from studies.store.leases import new_owner


def identity() -> str:
    found = own_identity()
    if found is None:
        pytest.skip("this system has no /proc")
    return found


def holder(owner: str, pid: int, host: str = "") -> leases.Lease:
    from datetime import UTC, datetime

    return {"owner": owner, "pid": pid, "host": host or leases.socket.gethostname(), "until": datetime.now(UTC)}


def ended_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    return ended.pid


def test_a_living_process_is_not_dead_and_one_that_took_over_its_id_is() -> None:
    boot, namespace, started = identity().split(".")
    assert not is_dead(os.getpid(), identity())
    assert is_dead(os.getpid(), f"{boot}.{namespace}.{int(started) - 1}")
    assert is_dead(ended_pid(), identity())


@pytest.mark.parametrize("part", [0, 1], ids=["another boot", "another PID namespace"])
def test_a_process_that_cannot_be_seen_from_here_is_not_known_to_be_dead(part: int) -> None:
    parts = identity().split(".")
    parts[part] = "1"
    assert not is_dead(ended_pid(), ".".join(parts))


def test_a_process_whose_start_cannot_be_read_counts_as_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = identity()
    monkeypatch.setattr(processes, "_started", lambda pid: None)
    assert not is_dead(os.getpid(), mine)


def test_an_owner_names_its_process_and_fits_its_column() -> None:
    owner = new_owner()
    assert owner != new_owner() and len(owner) <= 64
    assert owner.endswith(identity())
    assert not leases.is_dead(holder(owner, os.getpid()))
    assert leases.is_dead(holder(owner, ended_pid(), "renamed-since"))


def test_an_owner_without_identity_is_judged_by_host_and_process_id() -> None:
    assert leases.is_dead(holder("0" * 32, ended_pid()))
    assert not leases.is_dead(holder("0" * 32, os.getpid()))
    assert not leases.is_dead(holder("0" * 32, ended_pid(), "another-host"))
