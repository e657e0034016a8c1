"""The start of Ray: on a machine that is too busy for it, and with the handlers of signals that were there before."""

from __future__ import annotations

import signal
from contextlib import nullcontext
from typing import Any

import pytest

from hnet_core.errors import HnetError

TIMED_OUT = "The current node timed out during startup."


@pytest.mark.parametrize(
    ("why", "n_failing", "n_tries"), [(TIMED_OUT, 1, 2), (TIMED_OUT, 9, 3), ("no space left on device.", 9, 1)]
)
def test_a_start_that_times_out_is_tried_three_times_and_then_an_error_of_one_line(
    monkeypatch: pytest.MonkeyPatch, why: str, n_failing: int, n_tries: int
) -> None:
    from sweeps.ray_backend import session

    tries: list[int] = []

    def init(**options: Any) -> None:
        tries.append(1)
        if len(tries) <= n_failing:
            raise Exception(f"{why}\nmore lines")

    monkeypatch.setattr(session.ray, "init", init)
    if n_failing < n_tries:
        session._start_local({})
    else:
        with pytest.raises(HnetError, match=f"got: {why} Where the machine is overloaded") as error:
            session._start_local({})
        assert "\n" not in str(error.value)
    assert len(tries) == n_tries


@pytest.mark.parametrize("fails", [False, True])
def test_handlers_of_signals_stay_as_they_are_while_ray_starts(monkeypatch: pytest.MonkeyPatch, fails: bool) -> None:
    import ray._private.utils as ray_utils

    from sweeps.ray_backend import session

    before, install, seen = signal.getsignal(signal.SIGTERM), ray_utils.set_sigterm_handler, []
    of_interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)  # programs in the background ignore it

    def init(**options: Any) -> None:
        ray_utils.set_sigterm_handler(lambda *_: None)
        seen.append(signal.getsignal(signal.SIGTERM))
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # as native code does
        if fails:
            raise ConnectionError("no cluster")

    monkeypatch.setattr(session.ray, "init", init)
    try:
        with pytest.raises(HnetError) if fails else nullcontext():
            session.join_ray("127.0.0.1:1")
        assert seen == [before]
        assert ray_utils.set_sigterm_handler is install
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, of_interrupt)
