"""Names of rows or columns of a published table as one text, joined by commas, which names may have themselves."""

from __future__ import annotations

from collections.abc import Sequence

from hnet_core.errors import NotFound
from hnet_core.registry import did_you_mean


def choose_names(text: str | None, known: Sequence[str], option: str) -> tuple[str, ...] | None:
    """Split names at commas, where names may have commas themselves; the longest known one counts.

    Raises:
        NotFound: one of them is not known; the message has all that are.
    """
    if text is None:
        return None
    parts, found = text.split(","), []
    while parts:
        ends = (n for n in range(len(parts), 0, -1) if ",".join(parts[:n]) in known)
        n = next(ends, None)
        if n is None:
            raise NotFound(f"{option}: unknown name {parts[0]!r}{did_you_mean(parts[0], list(known))}.")
        found.append(",".join(parts[:n]))
        parts = parts[n:]
    return tuple(name for name in known if name in found)
