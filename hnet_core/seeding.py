"""Random generators from named axes: the same seed and names give the same numbers, independent of earlier draws."""

from __future__ import annotations

import hashlib
import weakref
from typing import Any

import torch

from hnet_core.runtime import within_task


def generator(seed: int, *axes: str | int) -> torch.Generator:
    """Return an independent generator for one purpose, such as `generator(seed, "batches", task)`.

    Deriving it from names rather than drawing it from a parent keeps a resumed run bit-identical: no draw depends on
    what happened before the interruption.
    """
    made = unnoted_generator(seed, *axes)
    alive = weakref.ref(made)  # one that a step makes for itself is gone with the step

    def state() -> Any:
        found = alive()
        return None if found is None else found.get_state()

    within_task.note(state, made.set_state)
    return made


def unnoted_generator(seed: int, *axes: str | int) -> torch.Generator:
    """Return the generator of `generator` for an owner that keeps its state in checkpoints within a task by itself."""
    text = ":".join(str(part) for part in (seed, *axes))
    derived = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1  # 63 bits: torch takes int64
    return torch.Generator().manual_seed(derived)
