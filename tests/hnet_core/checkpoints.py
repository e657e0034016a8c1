"""Checkpoints written to bytes and read back."""

from __future__ import annotations

import io
from typing import Any

import torch

from hnet_core.trial import TaskReport


def packed(report: TaskReport) -> bytes:
    return packed_checkpoint(report.checkpoint)


def packed_checkpoint(checkpoint: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    torch.save(checkpoint, file)
    return file.getvalue()


def unpacked(content: bytes) -> dict[str, Any]:
    checkpoint: dict[str, Any] = torch.load(io.BytesIO(content), weights_only=True)
    return checkpoint


def assert_same_state(ours: Any, theirs: Any, place: str = "checkpoint") -> None:
    """Compare two checkpoints bit for bit, times and memory aside."""
    assert type(ours) is type(theirs), place
    if isinstance(ours, torch.Tensor):
        assert ours.dtype == theirs.dtype and torch.equal(ours, theirs), place
    elif isinstance(ours, dict):
        assert ours.keys() == theirs.keys(), place
        for key in ours.keys() - {"seconds", "peak_memory_mib"}:
            assert_same_state(ours[key], theirs[key], f"{place}[{key!r}]")
    elif isinstance(ours, (list, tuple)):
        assert len(ours) == len(theirs), place
        for position, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            assert_same_state(one, other, f"{place}[{position}]")
    else:
        assert ours == theirs, (place, ours, theirs)
