"""Addresses at which no Ray cluster can be joined are refused at once."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from hnet_core.errors import ConfigInvalid
from sweeps.ray_backend import head_address
from sweeps.ray_backend.head_address import check_head
from sweeps.runner import run_sweep
from tests.sweeps.tiny import tiny_spec


@contextmanager
def listening(answer: bytes) -> Iterator[str]:
    """A server that sends `answer` to whoever connects."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(answer)
                connection.recv(100)

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def http_server() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "[::1]:1", "127.0.0.1:99999"])
def test_an_address_where_nothing_listens_is_refused(address: str) -> None:
    with pytest.raises(ConfigInvalid, match=r"--address must name a running Ray cluster, got '.*ray start --head"):
        check_head(address)


def test_a_server_of_another_protocol_is_refused(http_server: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigInvalid, match="something else than Ray answers there"):
        check_head(http_server)


def test_a_server_that_never_answers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_address, "CONNECT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(ConfigInvalid, match="timed out"):
        check_head(f"127.0.0.1:{server.getsockname()[1]}")


def test_a_server_that_speaks_grpc_and_is_no_ray_head_is_refused(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(head_address, "ANSWER_SECONDS", 0.3)
    reason = "a gRPC server is there, but no Ray head answers within 0 s"
    with listening(b"\0\0\0\4\0\0\0\0\0") as address, pytest.raises(ConfigInvalid, match=reason):
        check_head(address)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("probe", "reason"),
    [
        ("print('ready\\njoined', flush=True); import time; time.sleep(20)", None),
        ("print('ready', flush=True); raise RuntimeError('Unauthenticated')", "RuntimeError: Unauthenticated"),
        ("import no_such_module", "Ray cannot be loaded: ModuleNotFoundError"),
    ],
)
def test_the_answer_of_ray_is_passed_on(monkeypatch: pytest.MonkeyPatch, probe: str, reason: str | None) -> None:
    monkeypatch.setattr(head_address, "PROBE", probe)
    with listening(b"\0\0\0\4\0\0\0\0\0") as address:
        if reason is None:
            check_head(address)
        else:
            with pytest.raises(ConfigInvalid, match=reason):
                check_head(address)


def test_other_forms_of_an_address_are_left_to_ray() -> None:
    for address in ("auto", "local", "host", ""):
        check_head(address)


def test_a_sweep_with_a_wrong_address_leaves_no_database(tmp_path: Path) -> None:
    start = time.monotonic()
    with pytest.raises(ConfigInvalid, match="--address"):
        run_sweep(tiny_spec(), str(tmp_path / "runs.db"), address="127.0.0.1:1")
    assert time.monotonic() - start < 15
    assert not (tmp_path / "runs.db").exists()
