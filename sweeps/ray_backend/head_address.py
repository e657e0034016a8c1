"""Check of the address of a Ray cluster, since Ray itself retries for minutes and logs each try."""

from __future__ import annotations

import os
import socket

from hnet_core.errors import ConfigInvalid

CONNECT_SECONDS = 5.0
# Start of every HTTP/2 connection (RFC 9113, section 3.4) with an empty SETTINGS frame: Ray's servers speak gRPC.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
SETTINGS = 4  # type of the first frame of a server


def check_head(address: str) -> None:
    """Check that a Ray head may listen at `address`, if that is a host and a port.

    Raises:
        ConfigInvalid: nothing listens there, or something that does not speak gRPC.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        return  # "auto", or a mistake that Ray explains
    try:
        with socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS) as connection:
            if os.environ.get("RAY_USE_TLS") == "1" or _speaks_http2(connection):
                return
        why = "something else than Ray answers there"
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
