"""Values as an error shows them: cut where they are long."""

from __future__ import annotations

import reprlib

_LIMITED = reprlib.Repr()
_LIMITED.maxstring = _LIMITED.maxother = _LIMITED.maxlong = 80
_LIMITED.maxlist = _LIMITED.maxtuple = _LIMITED.maxdict = 12


def shown(value: object) -> str:
    """The value as Python writes it (but true, false and null as YAML does), at most some 200 characters."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return cut(_LIMITED.repr(value), 200)


def cut(text: str, length: int = 100) -> str:
    """Text of at most so many characters, its middle left out where it has more."""
    if len(text) <= length:
        return text
    kept = (length - 5) // 2
    return f"{text[:kept]} ... {text[-kept:]}"
