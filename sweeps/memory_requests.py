"""Sizes in the messages of failed allocations: one larger than the memory there is fails in every process."""

from __future__ import annotations

import re

from hnet_core.memory_estimate import in_words
from hnet_core.runtime.machine import available_memory

_UNITS = {"bytes": 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "PiB": 2**50, "EiB": 2**60}
_SIZE = r"(?P<size>[\d.]+) ?(?P<unit>bytes|B|[KMGTPE]iB)\b"
# torch: "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 14.56 GiB of which ...", and
# "DefaultCPUAllocator: can't allocate memory: you tried to allocate 4000000000 bytes"; numpy: "Unable to allocate
# 7.28 TiB for an array with shape ...".
_ASKED = re.compile(rf"(?:tried to|unable to) allocate {_SIZE}", re.IGNORECASE)
_CAPACITY = re.compile(rf"total capacity of {_SIZE}")


def is_failed_allocation(text: str) -> bool:
    """Return whether the text of an error is that of an allocation which failed."""
    return _ASKED.search(text) is not None or "out of memory" in text.lower()


def impossible_request(text: str) -> str | None:
    """Explain, with both numbers, why an allocation can never succeed here; None if it may.

    Args:
        text: of the error. A GPU's memory is named in it, main memory is what this process may use.
    """
    asked, capacity = _ASKED.search(text), _CAPACITY.search(text)
    if asked is None:
        return None
    needed, there_is = _bytes(asked), available_memory() if capacity is None else _bytes(capacity)
    if needed <= there_is:
        return None
    where = "" if capacity is None else " on the GPU"
    return (
        f"the trial asked for {in_words(needed)} of memory at once, and there are {in_words(there_is)}{where}; take "
        "smaller networks, fewer tasks or fewer examples a batch"
    )


def _bytes(found: re.Match[str]) -> int:
    return int(float(found["size"].rstrip(".")) * _UNITS[found["unit"]])
