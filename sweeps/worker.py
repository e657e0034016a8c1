"""Trains a job task by task: checkpoints after each, continues what an earlier attempt left, and never raises."""

from __future__ import annotations

import errno
import io
import os
import socket
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import torch

from hnet_core.checking import parse_trial
from hnet_core.errors import DatasetMissing, HnetError
from hnet_core.training import TrialRun, load_checkpoint
from sweeps.crash import crash_point
from sweeps.jobs import Failure, Job, Message, Step, Success


def work(job: Job) -> Iterator[Message]:
    """A Step after each task of each seed, then one Success or Failure.

    After kill -9 at any moment, the same job again repeats at most the task that was being trained; its results are
    bit-identical to those of an undisturbed run.
    """
    try:
        yield from _train(job)
    except Exception as error:  # whatever a trial does, the sweep goes on and the row says why
        name = "" if isinstance(error, HnetError) else f"{type(error).__name__}: "
        line = (str(error).strip() or type(error).__name__).splitlines()[-1]
        yield Failure(f"{name}{line}{_place(error)}", traceback.format_exc(), _kind(error))


def _kind(error: Exception) -> Literal["trial", "worker", "environment"]:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's, of a GPU
        return "worker"
    if isinstance(error, DatasetMissing) or (isinstance(error, OSError) and error.errno in _DISK_ERRORS):
        return "environment"
    return "trial"


_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)


def _place(error: Exception) -> str:
    """The machine, where the error is about it."""
    return f" (on node {socket.gethostname()})" if _kind(error) == "environment" else ""


def _train(job: Job) -> Iterator[Message]:
    config = parse_trial(job.config)
    results = []
    for position, seed in enumerate(job.seeds):
        path = Path(job.checkpoints) / f"seed-{seed}.pt"
        run = TrialRun(config, seed, job.data_root, _earlier(path))
        if run.tasks_done:
            yield _step(job, position, run, resumed=True)
        while not run.finished:
            report = run.train_task()
            crash_point("mid_train")
            _save(report.checkpoint, path)
            crash_point("after_checkpoint")
            yield _step(job, position, run)
        results.append(run.result().to_dict())
    yield Success(tuple(results))


def _step(job: Job, position: int, run: TrialRun, resumed: bool = False) -> Step:
    """How far the job is, with the result so far where the driver judges it."""
    done, n_tasks = run.tasks_done, run.n_tasks
    at_rung = position == 0 and (done in job.rungs or (resumed and any(rung <= done for rung in job.rungs)))
    judged = at_rung or (job.race and run.finished)
    so_far = run.result_so_far().to_dict() if judged else None
    return Step(job.number, job.seeds[position], position * n_tasks + done, len(job.seeds) * n_tasks, so_far)


def _earlier(path: Path) -> dict[str, Any] | None:
    return load_checkpoint(path) if path.exists() else None


def _save(checkpoint: dict[str, Any], path: Path) -> None:
    """Replace the checkpoint in one step: a reader sees the old one or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    content = io.BytesIO()
    torch.save(checkpoint, content)
    with partial.open("wb") as file:  # written by Python, so that a full disk is an OSError that says so
        file.write(content.getbuffer())
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
