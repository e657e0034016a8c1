"""Check of the address of a Ray cluster, since Ray itself retries for minutes and logs each try."""

from __future__ import annotations

import os
import selectors
import socket
import subprocess
import sys

from hnet_core.errors import ConfigInvalid

CONNECT_SECONDS = 5.0
# Start of every HTTP/2 connection (RFC 9113, section 3.4) with an empty SETTINGS frame: Ray's servers speak gRPC.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
SETTINGS = 4  # type of the first frame of a server

# Ray's client of a head, in a process of its own: it cannot be given a timeout, and logs each try.
ANSWER_SECONDS = 8.0
IMPORT_SECONDS = 120.0
READY, JOINED = "ready", "joined"
PROBE = f"""
import sys
from ray._raylet import GcsClient
print("{READY}", flush=True)
GcsClient(address=sys.argv[1])
print("{JOINED}", flush=True)
"""


def check_head(address: str) -> None:
    """Check that a Ray head may listen at `address`, if that is a host and a port.

    Raises:
        ConfigInvalid: nothing listens there, or something that is no Ray head.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        return  # "auto", or a mistake that Ray explains
    try:
        with socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS) as connection:
            is_other = os.environ.get("RAY_USE_TLS") != "1" and not _speaks_http2(connection)
        why = "something else than Ray answers there" if is_other else _why_no_head(address)
        if why is None:
            return
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    raise no_cluster(address, why)


def no_cluster(address: str, why: str) -> ConfigInvalid:
    """Make the error for an address that cannot be joined."""
    return ConfigInvalid(
        f"--address must name a running Ray cluster, got {address!r}: {why}. Start one with: ray start --head. "
        "If it asks for a token (as ray start sets it up by default), set RAY_AUTH_MODE=token here too."
    )


def _speaks_http2(connection: socket.socket) -> bool:
    """Return whether the first frame of the server is SETTINGS."""
    connection.settimeout(CONNECT_SECONDS)
    connection.sendall(PREFACE)
    received = b""
    while len(received) < 4:
        more = connection.recv(9)
        if not more:
            return False
        received += more
    return received[3] == SETTINGS


def _why_no_head(address: str) -> str | None:
    """Return the reason why a gRPC server is no Ray head; None if it is one, or a server for clients."""
    if address.startswith("ray://"):
        return None
    command = [sys.executable, "-c", PROBE, address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0) as probe:
        try:
            if _line(probe, IMPORT_SECONDS) != READY:
                return f"Ray cannot be loaded: {_last_line(probe)}"
            answer = _line(probe, ANSWER_SECONDS)
            if answer is None:
                return f"a gRPC server is there, but no Ray head answers within {ANSWER_SECONDS:.0f} s"
            return None if answer == JOINED else _last_line(probe)
        finally:
            probe.kill()


def _line(process: subprocess.Popen[bytes], seconds: float) -> str | None:
    """Read a line of the output of a process, which is not buffered: "" at its end, None if none comes in time."""
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        return process.stdout.readline().decode().strip() if selector.select(seconds) else None


def _last_line(process: subprocess.Popen[bytes]) -> str:
    """Return the last line of the errors of a process that has ended."""
    assert process.stderr is not None
    return (process.stderr.read().decode(errors="replace").strip() or "no error is given").splitlines()[-1]
