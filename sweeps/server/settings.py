"""Settings of a server: the address it binds, its tokens, and the refusal of those that are not safe."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hnet_core.errors import ConfigInvalid

MIN_TOKEN = 16  # of a server that other machines reach
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class ServerSettings:
    """Settings of one server.

    Attributes:
        db: file or URL of the study database.
        specs: folder of the specs that may be launched; None: presets and published tables alone.
        read_only: nothing can be changed; the write token reads.
        write_token, read_token: None where nobody has that access.
        is_made_up: the token to start with was made up here, and is printed once.
        root_path: prefix of every address behind a proxy, such as /hnet.
        names: host names under which the server may be addressed, besides its own.
    """

    db: str
    host: str = "127.0.0.1"
    port: int = 8080
    specs: Path | None = None
    read_only: bool = False
    write_token: str | None = None
    read_token: str | None = None
    is_made_up: bool = False
    root_path: str = ""
    names: frozenset[str] = frozenset()

    @property
    def start_token(self) -> str:
        """The token of the start address: the one with the most access."""
        token = self.write_token or self.read_token
        assert token is not None
        return token

    @property
    def cookie(self) -> str:
        """Name of the cookie; servers on several ports of one machine share their cookies, so it has the port."""
        return f"hnet-{self.port}"

    def knows_host(self, name: str) -> bool:
        """Return whether a request may name this host.

        A page elsewhere can let a browser resolve its own name to this address (DNS rebinding), but not an IP address.
        """
        name = name.lower().strip("[]")
        return name in LOOPBACK_NAMES | self.names | {self.host.lower()} or _is_ip(name)


def make_settings(
    db: str,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    specs: Path | None = None,
    read_only: bool = False,
    token: str | None = None,
    read_token: str | None = None,
    root_path: str = "",
    names: Iterable[str] = (),
) -> ServerSettings:
    """Check the options of `hnet serve`, and make up a token where none is given.

    Raises:
        ConfigInvalid: if a token is too short or both are the same, the folder of specs is not there, or the server
            would be reachable from other machines without a token that was given.
    """
    shortest = 1 if is_loopback(host) else MIN_TOKEN
    for option, value in (("--token", token), ("--read-token", read_token)):
        if value is not None and (len(value) < shortest or not value.isascii() or not value.isprintable()):
            raise ConfigInvalid(
                f"{option} must have at least {shortest} printable ASCII characters, got {len(value)}; make one with: "
                "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
    if token is not None and token == read_token:
        raise ConfigInvalid("--token and --read-token must differ: the first may change things, the second may not.")
    if specs is not None and not specs.is_dir():
        raise ConfigInvalid(f"--specs must be a folder of sweep specs, got {specs}, which is not there.")
    if not is_loopback(host) and token is None and read_token is None:
        raise ConfigInvalid(
            f"--host {host} is reachable from other machines, so a token must be given: set HNET_TOKEN (to change "
            "things) or HNET_READ_TOKEN (to read); or leave --host out and use ssh -L."
        )
    is_made_up = token is None and read_token is None
    made_up = secrets.token_urlsafe(32) if is_made_up else None
    own = {socket.gethostname().lower()} if not is_loopback(host) else set()
    return ServerSettings(
        db=db,
        host=host,
        port=port,
        specs=specs,
        read_only=read_only,
        write_token=token or made_up,
        read_token=read_token,
        is_made_up=is_made_up,
        root_path=_prefix(root_path),
        names=frozenset({name.lower() for name in names} | own),
    )


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _prefix(path: str) -> str:
    path = path.rstrip("/")
    if path and (not path.startswith("/") or set(path) & set("?#%\\ ") or ".." in path):
        raise ConfigInvalid(f"--root-path must be a path such as /hnet, got {path!r}.")
    return path
