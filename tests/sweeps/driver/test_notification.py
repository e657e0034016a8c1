"""Notifications at the end of a sweep: what is sent, when, and that nothing that answers can harm the sweep."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import studies
from hnet_core.errors import HnetError
from sweeps.driver import notification
from sweeps.driver.driver import Driver
from sweeps.driver.notification import post
from sweeps.driver.stop_signals import Terminated
from sweeps.runner import run_sweep
from tests.sweeps.tiny import SPEC, inline, tiny_spec


class Receiver(ThreadingHTTPServer):
    """A server on this machine that keeps the requests it gets, and answers with `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, str, dict[str, Any]]] = []
        self.status = 200
        self.address = f"http://127.0.0.1:{self.server_port}/hook/secret"

    @property
    def events(self) -> list[str]:
        return [content["event"] for _, _, content in self.requests]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, self.headers["Content-Type"], json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return str(tmp_path / "hnet.db")


def test_the_end_of_a_sweep_is_one_post_with_its_numbers(receiver: Receiver, url: str) -> None:
    run_sweep(tiny_spec(notify=receiver.address), url, backend=inline)
    ((path, kind, content),) = receiver.requests
    assert (path, kind) == ("/hook/secret", "application/json")
    assert (content["event"], content["study"], content["planned"]) == ("finished", "tiny", 3)
    assert content["trials"] == {"complete": 3, "failed": 0, "pruned": 0, "skipped": 0, "running": 0}
    assert content["text"] == "Sweep tiny finished: no trial has failed. Trials: 3 complete."
    assert content["host"] == socket.gethostname()


def test_without_an_address_nothing_is_sent(receiver: Receiver, url: str) -> None:
    run_sweep(tiny_spec(), url, backend=inline)
    assert receiver.requests == []


class Guarded(HnetError):
    exit_code = 4


@pytest.mark.parametrize(
    ("why", "event", "reason"),
    [
        (Guarded("5 trials failed\nmore"), "guard", "5 trials failed"),
        (HnetError("the disk is full"), "failed", "the disk is full"),
        (Terminated(), "stopped", "the process was terminated"),
        (KeyboardInterrupt(), "stopped", "abandoned by Ctrl-C"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_sweep_that_is_ended_early_says_why(
    why: BaseException, event: str, reason: str, receiver: Receiver, url: str
) -> None:
    def ended(driver: Driver, *_: object) -> None:
        driver.abort(why)

    with pytest.raises(type(why)):
        run_sweep(tiny_spec(notify=receiver.address), url, backend=ended)
    assert receiver.events == [event]
    assert receiver.requests[0][2]["reason"].startswith(reason)


def test_a_requested_stop_is_no_end(receiver: Receiver, url: str) -> None:
    def stopped(driver: Driver, *_: object) -> None:
        driver.stopping = True

    run_sweep(tiny_spec(notify=receiver.address), url, backend=stopped)
    assert receiver.events == ["stopped"]


@pytest.mark.slow
def test_a_stall_is_sent_once_until_a_worker_sends_something(
    receiver: Receiver, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notification, "STALL_SECONDS", 0.2)
    monkeypatch.setattr(notification, "STALL_FACTOR", 0)
    monkeypatch.setattr(notification, "SECONDS_BETWEEN_LOOKS", 0.01)

    def stalling(driver: Driver, workers: int, address: str | None, on_message: Any) -> None:
        for expected in (1, 2):
            end = time.monotonic() + 10
            while receiver.events.count("stalled") < expected and time.monotonic() < end:
                time.sleep(0.02)
            time.sleep(0.3)
            assert receiver.events == ["stalled"] * expected
            job = driver.next_job()
            assert job is not None
            on_message(job.number, notification_message(job.number))

    run_sweep(tiny_spec(notify=receiver.address), url, backend=stalling)


def notification_message(number: int) -> Any:
    from sweeps.jobs import JobProgress

    return JobProgress(number, 0, 1, 4)


@pytest.mark.parametrize(
    "status", [302, pytest.param(404, marks=pytest.mark.slow), pytest.param(500, marks=pytest.mark.slow)]
)
def test_a_server_that_refuses_is_logged_without_the_secret(
    status: int, receiver: Receiver, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = status
    outcome = run_sweep(tiny_spec(notify=receiver.address), url, backend=inline)
    assert outcome.counters.complete == 3
    assert f"could not be sent to http://127.0.0.1:{receiver.server_port}/...: status {status}" in caplog.text
    assert "secret" not in caplog.text
    assert len(receiver.requests) == 1, "a redirect is not followed"


def test_a_server_that_is_slow_or_absent_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        assert not post(f"http://127.0.0.1:{silent.getsockname()[1]}/", {}, seconds=0.2)
        assert time.monotonic() - started < 2
        free = silent.getsockname()[1]
    assert not post(f"http://127.0.0.1:{free}/", {}, seconds=1)
    assert caplog.text.count("could not be sent") == 2


def test_the_address_is_stored_nowhere_and_may_change(receiver: Receiver, url: str) -> None:
    run_sweep(tiny_spec(notify=receiver.address, budget={"trials": 1}), url, backend=inline, spec_text=str(SPEC))
    text = f"study: tiny\nnotify: {receiver.address}\n"
    run_sweep(tiny_spec(notify="http://127.0.0.1:9/other"), url, backend=inline, spec_text=text)
    run_sweep(tiny_spec(), url, backend=inline)
    assert b"secret" not in Path(url).read_bytes()
    record = studies.open(url).study("tiny")
    assert "notify" not in record.spec
    assert record.launches[1]["spec_text"] == f"study: tiny\nnotify: http://127.0.0.1:{receiver.server_port}/...\n"
