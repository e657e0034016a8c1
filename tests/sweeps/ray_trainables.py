"""Trainables of tests: one waits for others that run at a time, one is held, one pauses, one breaks its process."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from perf.noop import no_work
from sweeps.checkpoints import Checkpoints
from sweeps.failures import failure_of
from sweeps.jobs import Job, Message
from sweeps.ray_backend.searcher import run_with_ray
from sweeps.ray_backend.trainable import JobTrainable
from sweeps.worker import work

RECORD = "HNET_TEST_RECORD"  # environment variable: a folder for a file per start and end of a job
TOGETHER = "HNET_TEST_TOGETHER"  # environment variable: jobs that must run at a time before the first one ends
PAUSE_AFTER = "HNET_TEST_PAUSE_AFTER"  # environment variable: messages of a job before it pauses
PAUSE = "pause"  # file in the folder of RECORD: while it exists, jobs pause
HOLD = 3.0  # seconds that they run on together
PATIENCE = 240.0


def pause(folder: Path) -> None:
    """Wait until PAUSE is removed; for good if the node is lost meanwhile, as its processes outlive it by seconds."""
    node, end = os.getppid(), time.monotonic() + PATIENCE
    while ((folder / PAUSE).exists() or os.getppid() != node) and time.monotonic() < end:
        time.sleep(0.05)


def wait_for_others(job: Job, checkpoints: object = None) -> Iterator[Message]:
    folder, together = Path(os.environ[RECORD]), int(os.environ[TOGETHER])
    mine = folder / f"{job.number}.{job.attempt}.running"
    mine.touch()
    end = time.monotonic() + PATIENCE
    while len([*folder.glob("*.running"), *folder.glob("*.at_once")]) < together and time.monotonic() < end:
        time.sleep(0.05)
    at_once = len(list(folder.glob("*.running")))
    stop = time.monotonic() + HOLD
    while time.monotonic() < stop:
        at_once = max(at_once, len(list(folder.glob("*.running"))))
        time.sleep(0.05)
    pause(folder)
    (folder / f"{job.number}.{job.attempt}.at_once").write_text(str(at_once))
    mine.unlink(missing_ok=True)  # removed with its node
    yield from no_work(job)


def at_once(folder: Path) -> int:
    """Return the most jobs that have run at the same time."""
    return max(int(path.read_text()) for path in folder.glob("*.at_once"))


class WaitingTrainable(JobTrainable):
    work = staticmethod(wait_for_others)


def train_when_released(job: Job, checkpoints: object = None) -> Iterator[Message]:
    """Wait while the file `NUMBER.held` exists in the folder of RECORD."""
    folder = Path(os.environ[RECORD])
    (folder / f"{job.number}.{job.attempt}.started").touch()
    end = time.monotonic() + PATIENCE
    while (folder / f"{job.number}.held").exists() and time.monotonic() < end:
        time.sleep(0.05)
    yield from no_work(job)


class HeldTrainable(JobTrainable):
    work = staticmethod(train_when_released)


def train_and_pause(job: Job, checkpoints: Checkpoints | None = None) -> Iterator[Message]:
    folder, after = Path(os.environ[RECORD]), int(os.environ[PAUSE_AFTER])
    for sent, message in enumerate(work(job, checkpoints), start=1):
        yield message
        if sent == after:
            (folder / f"{job.number}.{job.attempt}.paused").touch()
            pause(folder)


class PausingTrainable(JobTrainable):
    work = staticmethod(train_and_pause)
    batch_seconds = 0.0  # so that the messages before the pause are sent before it


JOBS_OF_PROCESS: list[int] = []


def break_from_the_third_on(job: Job, checkpoints: object = None) -> Iterator[Message]:
    JOBS_OF_PROCESS.append(job.number)
    if len(JOBS_OF_PROCESS) >= 3:
        yield failure_of(RuntimeError("CUDA error: an illegal memory access was encountered\nCompile with ..."))
    yield from no_work(job)


class BreakingTrainable(JobTrainable):
    work = staticmethod(break_from_the_third_on)


waiting_backend = partial(run_with_ray, trainable=WaitingTrainable)
held_backend = partial(run_with_ray, trainable=HeldTrainable)
pausing_backend = partial(run_with_ray, trainable=PausingTrainable)
breaking_backend = partial(run_with_ray, trainable=BreakingTrainable)
