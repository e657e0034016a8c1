"""Signals that end a sweep."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from sweeps.driver import stop_signals
from sweeps.driver.stop_signals import StopSignals, Terminated


@pytest.fixture
def aborted(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """Reasons for which the driver was aborted; the process does not end some time later."""
    monkeypatch.setattr(stop_signals, "exit_when_terminated", lambda numbers: [*iter(partial(numbers.recv, 1), b"")])
    return []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_lost_terminal_aborts_as_sigterm_does(aborted: list[BaseException], number: signal.Signals) -> None:
    driver: Any = SimpleNamespace(abort=aborted.append, stopping=False)
    before = signal.signal(number, signal.SIG_DFL)  # a program in the background may have inherited another one
    try:
        with StopSignals() as signals:
            signals.attach(driver)
            signal.raise_signal(number)
        assert [type(why) for why in aborted] == [Terminated]
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)


def test_a_hang_up_that_nohup_ignores_stays_ignored(aborted: list[BaseException]) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignals():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert aborted == []


def test_an_alarm_that_would_abort_an_orderly_end_is_cancelled(aborted: list[BaseException]) -> None:
    with StopSignals():
        signal.alarm(60)
        signal.raise_signal(signal.SIGTERM)
    assert signal.alarm(0) == 0


# Locks a mutex twice: no signal ends that, and no handler in Python runs meanwhile.
BLOCKED = """
import ctypes
from sweeps.driver import stop_signals
stop_signals.SECONDS_TO_EXIT = 0.2
with stop_signals.StopSignals():
    print("blocked", flush=True)
    mutex, lock = ctypes.create_string_buffer(64), ctypes.CDLL(None).pthread_mutex_lock
    lock(mutex), lock(mutex)
"""


def test_sigterm_ends_a_process_that_is_blocked_in_native_code() -> None:
    with subprocess.Popen([sys.executable, "-c", BLOCKED], stdout=subprocess.PIPE, text=True) as blocked:
        assert blocked.stdout is not None
        assert blocked.stdout.readline() == "blocked\n"
        blocked.terminate()
        try:
            assert blocked.wait(60) == 143
        finally:
            blocked.kill()


def test_a_wakeup_descriptor_of_the_caller_is_set_again_afterwards(aborted: list[BaseException]) -> None:
    ours, other = socket.socketpair()
    ours.setblocking(False)
    with ours, other:
        before = signal.set_wakeup_fd(ours.fileno())
        try:
            with StopSignals():
                pass
            assert signal.set_wakeup_fd(-1) == ours.fileno()
        finally:
            signal.set_wakeup_fd(before)
