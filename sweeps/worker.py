"""Trains a job task by task: checkpoints after each, continues what an earlier attempt left, and never raises."""

from __future__ import annotations

import errno
import socket
import traceback
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from hnet_core.config_validation import parse_trial
from hnet_core.errors import DatasetMissing, HnetError
from hnet_core.stacked import Checkpoint, StackedRuns, groups, tasks_done
from hnet_core.training import TrialRun
from hnet_core.trial import TrialConfig
from sweeps.checkpoints import Checkpoints, from_bytes, open_checkpoints, to_bytes
from sweeps.fault_injection import failpoint
from sweeps.jobs import Failure, Job, JobProgress, Message, Success


def work(job: Job, checkpoints: Checkpoints | None = None) -> Iterator[Message]:
    """A JobProgress after each task of each seed, then one Success or Failure.

    After kill -9 at any moment, the same job again repeats at most the task that was being trained; its results are
    bit-identical to those of an undisturbed run.

    Args:
        checkpoints: those of the job's location unless given.
    """
    try:
        yield from _train(job, checkpoints or open_checkpoints(job.checkpoints))
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


def _train(job: Job, checkpoints: Checkpoints) -> Iterator[Message]:
    config = parse_trial(job.config)
    begun = latest_checkpoints(checkpoints)
    trained = {seed: tasks_done(begun.get(seed)) for seed in job.seeds}
    results: dict[int, dict[str, Any]] = {}
    for seeds in _together(job, config, begun):
        runs = StackedRuns(config, seeds, job.data_root, {seed: begun[seed] for seed in seeds if seed in begun})
        if trained[seeds[0]] and (job.rungs or job.race):  # a rung passed by an earlier attempt may not be judged yet
            yield from (
                _step(job, seed, run, trained, resumed=True) for seed, run in zip(seeds, runs.runs, strict=True)
            )
        while not runs.finished:
            for within in runs.pausing_task(_pauses(job, seeds, runs.runs[0].tasks_done)):
                so_far = runs.runs[0].result_within_task().to_dict()
                yield _progress(job, seeds[0], runs.runs[0], trained, so_far, within)
            failpoint("mid_train")
            newest = {seed: report.checkpoint for seed, report in zip(seeds, runs.reports, strict=True)}
            checkpoints.write(f"seed-{'-'.join(map(str, seeds))}", to_bytes(newest))
            failpoint("after_checkpoint")
            for seed, run in zip(seeds, runs.runs, strict=True):
                trained[seed] = run.tasks_done
                yield _step(job, seed, run, trained)
        results |= {seed: result.to_dict() for seed, result in zip(seeds, runs.results(), strict=True)}
    yield Success(tuple(results[seed] for seed in job.seeds))


def _together(job: Job, config: TrialConfig, begun: Mapping[int, Checkpoint]) -> list[tuple[int, ...]]:
    """Which seeds to train in the same steps; one that may make the next one needless is trained alone."""
    n_alone = len(job.seeds) if job.race else min(1, len(job.rungs))
    return [*((seed,) for seed in job.seeds[:n_alone]), *groups(config, job.seeds[n_alone:], begun)]


def _step(job: Job, seed: int, run: TrialRun, trained: Mapping[int, int], resumed: bool = False) -> JobProgress:
    """How far the job is, with the result so far where the driver judges it."""
    done = run.tasks_done * (1 if job.rung_unit == "tasks" else job.iterations)
    at_rung = seed == job.seeds[0] and (done in job.rungs or (resumed and any(rung <= done for rung in job.rungs)))
    judged = at_rung or (job.race and run.finished)
    return _progress(job, seed, run, trained, run.result_so_far().to_dict() if judged else None)


def _progress(
    job: Job, seed: int, run: TrialRun, trained: Mapping[int, int], so_far: dict[str, Any] | None, within: int = 0
) -> JobProgress:
    return JobProgress(job.number, seed, sum(trained.values()), len(job.seeds) * run.n_tasks, so_far, within)


def _pauses(job: Job, seeds: Sequence[int], tasks_done: int) -> list[int]:
    """After how many iterations of its next task the first seed is judged."""
    if job.rung_unit == "tasks" or seeds[0] != job.seeds[0]:
        return []
    begun = tasks_done * job.iterations
    return [rung - begun for rung in job.rungs if 0 < rung - begun < job.iterations]


def latest_checkpoints(checkpoints: Checkpoints) -> dict[int, Checkpoint]:
    """The latest_checkpoints checkpoint of each seed that a trial has left."""
    found: dict[int, Checkpoint] = {}
    for content in checkpoints.read_all().values():
        for seed, checkpoint in from_bytes(content).items():
            if tasks_done(checkpoint) > tasks_done(found.get(seed)):
                found[seed] = checkpoint
    return found
