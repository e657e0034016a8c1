from __future__ import annotations

import pytest

from sweeps.cli import copy_progress
from sweeps.cli.copy_progress import CopyProgress


def test_a_log_gets_a_line_now_and_then_with_the_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    moments = iter([0.0, 0.0, 4.0, 20.0, 25.0, 40.0])
    monkeypatch.setattr(copy_progress.time, "monotonic", lambda: next(moments))
    with CopyProgress() as progress:
        progress("reading a.csv", 0, 200)  # at 0 s
        progress("reading a.csv", 20, 200)
        progress("reading a.csv", 100, 200)
        progress("writing a", 0, 50)
        progress("writing a", 25, 50)
    assert capsys.readouterr().err == "reading a.csv: 50%, about 20 s left\nwriting a: 50%, about 20 s left\n"


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with CopyProgress() as progress:
        progress("reading a.csv", 100, 200)
        progress("writing a", 25, 100)
    assert "writing a" in capsys.readouterr().err
