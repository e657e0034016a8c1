"""`hnet serve`: the studies of a database as live pages and as an API."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from hnet_core.errors import HnetError
from studies import DEFAULT_URL
from sweeps.cli.option_groups import with_option_groups
from sweeps.cli.options import Database
from sweeps.cli.root import app


class ServerMissing(HnetError):
    """The packages of the extra `serve` are not installed."""

    exit_code = 2


@dataclass(frozen=True)
class Address:
    """Where the server listens."""

    host: Annotated[str, typer.Option(help="Address to bind; another than this machine's own needs a token.")] = (
        "127.0.0.1"
    )
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to bind; 0: any free one.")] = 8080


@dataclass(frozen=True)
class Access:
    """Who may read and who may change things."""

    read_only: Annotated[bool, typer.Option("--read-only", help="Nothing can be changed, with any token.")] = False
    token: Annotated[
        str | None,
        typer.Option(
            envvar="HNET_TOKEN",
            help="Token that may change things; made up and printed if none is given.",
            show_default=False,
            show_envvar=True,
        ),
    ] = None
    read_token: Annotated[
        str | None,
        typer.Option(envvar="HNET_READ_TOKEN", help="Token that may only read.", show_default=False),
    ] = None


@dataclass(frozen=True)
class Proxy:
    """Address and host names under which a proxy offers the server."""

    root_path: Annotated[
        str, typer.Option(help="Prefix of every address behind a proxy, such as /hnet.", show_default=False)
    ] = ""
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="Host name under which a proxy offers the server; may be given again.", show_default=False),
    ] = None


@app.command()
@with_option_groups
def serve(
    db: Database = DEFAULT_URL,
    *,
    address: Address,
    specs: Annotated[
        Path | None, typer.Option(help="Folder of specs that may be started from a page.", show_default=False)
    ] = None,
    access: Access,
    proxy: Proxy,
) -> None:
    """Serve the studies of a database as live pages and as an API, to whoever has the token.

    Other users of a machine can read the arguments of a command: give a token by HNET_TOKEN instead.
    """
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError:
        raise ServerMissing(
            "hnet serve needs starlette and uvicorn, which are not there; install them: pip install '.[serve]'."
        ) from None
    from sweeps.cli.sweep import messages
    from sweeps.server.running import serve as run
    from sweeps.server.settings import make_settings

    settings = make_settings(
        db,
        host=address.host,
        port=address.port,
        specs=specs,
        read_only=access.read_only,
        token=access.token,
        read_token=access.read_token,
        root_path=proxy.root_path,
        names=proxy.allow_host or (),
    )
    with messages():
        run(settings)
