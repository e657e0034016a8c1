"""Checkpoints written to bytes and read back."""

from __future__ import annotations

import io
from typing import Any

import torch

from hnet_core.trial import TaskReport


def packed(report: TaskReport) -> bytes:
    file = io.BytesIO()
    torch.save(report.checkpoint, file)
    return file.getvalue()


def unpacked(content: bytes) -> dict[str, Any]:
    checkpoint: dict[str, Any] = torch.load(io.BytesIO(content), weights_only=True)
    return checkpoint
