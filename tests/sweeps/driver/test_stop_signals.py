"""Signals that end a sweep."""

from __future__ import annotations

import signal
from types import SimpleNamespace
from typing import Any

import pytest

from sweeps.driver import stop_signals
from sweeps.driver.stop_signals import StopSignals, Terminated


@pytest.fixture
def aborted(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """Reasons for which the driver was aborted; the timer that ends the process is left out."""
    monkeypatch.setattr(stop_signals.threading, "Timer", lambda *_: SimpleNamespace(start=lambda: None))
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
