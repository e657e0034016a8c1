"""Parsing of database URLs, and their display without passwords."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from hnet_core.errors import ConfigInvalid


def parse_url(url: str) -> URL:
    """Parse a database URL: a plain path is a SQLite file, a PostgreSQL URL without a driver uses psycopg.

    Raises:
        ConfigInvalid: if it is neither a SQLite file nor a PostgreSQL database. The text is not repeated when it
            cannot be read, since a password may be in it.
    """
    if "://" not in url:
        return URL.create("sqlite", database=url)
    try:
        parsed = make_url(url.replace("postgres://", "postgresql://", 1))
    except (ArgumentError, ValueError):
        raise ConfigInvalid(f"a database must be given as {_FORMS}; this URL cannot be read.") from None
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise ConfigInvalid(f"a database must be given as {_FORMS}, got a {backend!r} URL.")
    return parsed.set(drivername="sqlite")


def sqlite_path(url: URL) -> Path | None:
    """Return the file of a SQLite URL, None for PostgreSQL.

    Raises:
        ConfigInvalid: for a database in memory, which no second process could read, or a `file:` URI.
    """
    if url.get_backend_name() != "sqlite":
        return None
    name = url.database or ""
    if name in ("", ":memory:") or name.startswith("file:") or url.query:
        options = f" with the options {', '.join(url.query)}; leave them out" if name and url.query else ""
        raise ConfigInvalid(
            f"a SQLite database must be a plain file such as hnet.db, got {repr(name) if name else 'no file name'}"
            f"{options}."
        )
    return Path(name)


def masked(url: URL) -> str:
    """Return the URL as text without passwords, neither as `user:password` nor as a query value."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    secret = {name: "hidden" for name in url.query if "password" in name.lower()}
    return url.update_query_dict(secret).render_as_string(hide_password=True)


def without_secrets(message: str, url: URL) -> str:
    """Return the first line of a driver's message with every password of `url` masked."""
    secrets = [url.password, *(value for name, value in url.query.items() if "password" in name.lower())]
    for secret in secrets:
        if secret:
            message = message.replace(str(secret), "***")
    lines = message.strip().splitlines()
    return lines[0] if lines else "no reason given"


_FORMS = "a file name, sqlite:///FILE or postgresql://USER@HOST/NAME"


def mask_passwords(text: str) -> str:
    """Mask the password of every URL in a text."""
    return re.sub(r"(\w://[^\s:/@]*):[^\s/]*@", r"\1:***@", text)
