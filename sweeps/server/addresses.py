"""Addresses of the pages and of the API, percent-encoded, below the root path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode


class Addresses:
    """Makes addresses below a root path; a parameter that is None or empty is left out."""

    def __init__(self, root: str = "") -> None:
        self._root = root

    def to(self, path: str, **parameters: Any) -> str:
        """Return the address of a path that is encoded already."""
        pairs = [(name, value) for name, each in parameters.items() for value in _values(each)]
        return f"{self._root}{path}" + (f"?{urlencode(pairs, quote_via=quote)}" if pairs else "")

    def studies(self, **parameters: Any) -> str:
        return self.to("/", **parameters)

    def study(self, name: str, **parameters: Any) -> str:
        return self.to(f"/studies/{encoded(name)}", **parameters)

    def trials(self, name: str, **parameters: Any) -> str:
        return self.to(f"/studies/{encoded(name)}/trials", **parameters)

    def trial(self, name: str, number: int, **parameters: Any) -> str:
        return self.to(f"/studies/{encoded(name)}/trials/{number}", **parameters)

    def launch(self, kind: str, name: str, action: str = "") -> str:
        """Return the address of a source to start, or of an action on it."""
        return self.to(f"/launch/{encoded(kind)}/{encoded(name)}{f'/{action}' if action else ''}")

    def compare(self, sides: Sequence[str], **parameters: Any) -> str:
        return self.to("/compare", side=list(sides), **parameters)

    def table(self, name: str) -> str:
        return self.to(f"/tables/{encoded(name)}")

    def api(self, path: str, **parameters: Any) -> str:
        return self.to(f"/api/v1{path}", **parameters)


def encoded(name: str) -> str:
    """Encode a name as one segment of a path; a name of dots would be taken for a folder, so its dots are doubled.

    Browsers remove the segments "." and ".." from an address, encoded or not.
    """
    text = quote(name, safe="", errors="replace")
    return f"{text}%00" if set(name) == {"."} and len(name) < 3 else text


def _values(each: Any) -> list[Any]:
    if each is None or each == "":
        return []
    if isinstance(each, Mapping):
        raise TypeError("a parameter must be one value or a list")
    return list(each) if isinstance(each, list | tuple) else [each]
