"""Checkpoints written to bytes and read back."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from hnet_core.stacked import StackedRuns
from hnet_core.trial import TaskReport, TrialConfig


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


def interrupted_at_every_step(config: TrialConfig, root: Path) -> tuple[dict[tuple[int, int], list[bytes]], Any]:
    """Return the checkpoints at every step of a run with seed 3, and the last of it.

    They are grouped by task and network: -1 is the method's own, further ones are numbered from 0.
    """
    runs, steps = StackedRuns(config, [3], root), dict[tuple[int, int], list[bytes]]()
    while not runs.finished:
        task = runs.runs[0].tasks_done
        for step in runs.pausing_task(seconds_between=0.0):
            checkpoint = runs.checkpoints_within(step)[3]
            network = checkpoint["within"].get("further", {"number": -1})["number"]
            steps.setdefault((task, network), []).append(packed_checkpoint(checkpoint))
    return steps, runs.reports[0].checkpoint


def assert_resumes_to(whole: Any, config: TrialConfig, checkpoint: bytes, root: Path) -> None:
    resumed = StackedRuns(config, [3], root, {3: unpacked(checkpoint)})
    while not resumed.finished:
        resumed.train_task()
    assert_same_state(resumed.reports[0].checkpoint, whole)
