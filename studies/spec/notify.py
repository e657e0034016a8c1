"""The address that a sweep notifies. Its path is often a secret, so it is neither stored nor shown."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_GIVEN = re.compile(r"(notify['\"]?[\s:=]+['\"]?https?://[^/\s'\"]*)[^\s'\",}\]]*")  # in a spec, or on a command line


def check_address(address: str) -> str:
    """Return an address that can be notified.

    Raises:
        ValueError: it is no http or https URL with a host, or it has a blank or control character.
    """
    readable = address.isascii() and address.isprintable() and " " not in address
    try:
        parts = urlsplit(address)
        is_good = readable and parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of a port that is no number, or of brackets
        is_good = False
    if not is_good:
        raise ValueError("must be an address that begins with http:// or https:// and names a host")
    return address


def shown_address(address: str) -> str:
    """Return the address without what may be secret: user, path and query."""
    parts = urlsplit(address)
    port = "" if parts.port is None else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}/..."


def mask_addresses(text: str) -> str:
    """Cut what may be secret from every address to notify in a spec or a command line."""
    return _GIVEN.sub(r"\1/...", text)
