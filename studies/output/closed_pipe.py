"""Output that nobody reads any more, as of `hnet sweep run SPEC 2>&1 | head`."""

from __future__ import annotations

import os
from typing import TextIO


def discard(stream: TextIO) -> None:
    """Let everything that is written to a stream from now on, and what it still buffers, go nowhere.

    After a BrokenPipeError the buffer would else be written again when the interpreter ends, which then complains.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)
