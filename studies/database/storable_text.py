"""Text that every database accepts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def storable(value: Any) -> Any:
    """Return a value of plain JSON types with each NUL and lone surrogate of its texts written as an escape.

    Neither SQLite nor PostgreSQL takes both of them; Python makes surrogates of file names that are not UTF-8. The
    escapes are those of "backslashreplace", such as \\udce9.
    """
    if isinstance(value, str):
        if value.isascii() and "\0" not in value:
            return value
        return value.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")
    if isinstance(value, Mapping):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [storable(item) for item in value]
    return value
