"""The end of a server: a signal at any moment ends it, from before it is made until after it has ended."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sweeps.server import running
from sweeps.server.events import Watcher
from sweeps.server.settings import make_settings

SECONDS = 20


@pytest.fixture(autouse=True)
def _time_limit() -> Iterator[None]:
    """Fail a server that goes on."""

    def fail(*_: object) -> None:
        raise AssertionError(f"the server still runs {SECONDS} s after its signal")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def signal_before(number: int, call: Callable[..., Any]) -> Callable[..., Any]:
    """Send this process a signal whenever a function is about to run."""

    def called(*arguments: Any, **named: Any) -> Any:
        os.kill(os.getpid(), number)
        return call(*arguments, **named)

    return called


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("place", "name"),
    [
        (running, "make_application"),
        (running, "start_address"),
        (running._Server, "run"),
        (running._Server, "startup"),
        (Watcher, "start"),
        (running._Server, "main_loop"),
        (running._Server, "shutdown"),
    ],
)
def test_a_signal_at_any_moment_ends_the_server(
    database: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: int,
    place: Any,
    name: str,
) -> None:
    if name == "shutdown":  # a second one, while the first ends it
        monkeypatch.setattr(running._Server, "main_loop", signal_before(number, running._Server.main_loop))
    monkeypatch.setattr(place, name, signal_before(number, getattr(place, name)))
    before = signal.getsignal(number)
    running.serve(make_settings(str(database), port=0))
    assert capsys.readouterr().err == "Stopped.\n"
    assert signal.getsignal(number) == before
