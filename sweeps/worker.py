"""Trains a job with checkpoints after each task and within long ones; resumes an earlier attempt, and never raises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hnet_core.build import networks, stream_shape
from hnet_core.config_validation import parse_trial
from hnet_core.errors import ConfigInvalid
from hnet_core.memory_estimate import memory_complaint
from hnet_core.stacked import Checkpoint, StackedRuns, groups, progress_of, tasks_done
from hnet_core.training import TrialRun
from hnet_core.trial import TrialConfig
from sweeps.checkpoints import Checkpoints, from_bytes, open_checkpoints, to_bytes
from sweeps.failures import failure_of
from sweeps.fault_injection import failpoint
from sweeps.jobs import Job, JobProgress, Message, Success


def work(job: Job, checkpoints: Checkpoints | None = None) -> Iterator[Message]:
    """Yield a JobProgress after each checkpoint of each seed, then one Success or Failure.

    After kill -9 at any time, the same job repeats at most what was trained since the last checkpoint; its results are
    bit-identical to those of an uninterrupted run.

    Args:
        checkpoints: instead of those at the job's location.
    """
    try:
        yield from _train(job, checkpoints or open_checkpoints(job.checkpoints))
    except Exception as error:  # no error of a trial may end the sweep; its row stores the reason
        yield failure_of(error)


def _train(job: Job, checkpoints: Checkpoints) -> Iterator[Message]:
    config = parse_trial(job.config)
    _refuse_too_large(config, job.data_root)
    resumed_from = latest_checkpoints(checkpoints)
    trained = {seed: tasks_done(resumed_from.get(seed)) for seed in job.seeds}
    results: dict[int, dict[str, Any]] = {}
    for seeds in _seed_groups(job, config, resumed_from):
        runs = StackedRuns(
            config, seeds, job.data_root, {seed: resumed_from[seed] for seed in seeds if seed in resumed_from}
        )
        if trained[seeds[0]] and (job.rungs or job.race):  # a rung passed by an earlier attempt may not be judged yet
            yield from (
                _task_progress(job, seed, run, trained, resumed=True)
                for seed, run in zip(seeds, runs.runs, strict=True)
            )
        while not runs.finished:
            name, pauses = f"seed-{'-'.join(map(str, seeds))}", _pauses(job, seeds, runs.runs[0].tasks_done)
            for within in runs.pausing_task(pauses, 60 * job.checkpoint_minutes):
                if within in pauses:
                    so_far = runs.runs[0].result_within_task().to_dict()
                    yield _progress(job, seeds[0], runs.runs[0], trained, so_far, within)
                else:
                    checkpoints.write(name, to_bytes(runs.checkpoints_within(within)))
                    failpoint("within_task")
                    yield _progress(job, seeds[0], runs.runs[0], trained, None)
            failpoint("mid_train")
            newest = {seed: report.checkpoint for seed, report in zip(seeds, runs.reports, strict=True)}
            checkpoints.write(name, to_bytes(newest))
            failpoint("after_checkpoint")
            for seed, run in zip(seeds, runs.runs, strict=True):
                trained[seed] = run.tasks_done
                yield _task_progress(job, seed, run, trained)
        results |= {seed: result.to_dict() for seed, result in zip(seeds, runs.results(), strict=True)}
    yield Success(tuple(results[seed] for seed in job.seeds))


def _refuse_too_large(config: TrialConfig, data_root: str) -> None:
    """Refuse what takes more memory than this machine has; another one may have started the sweep."""
    shape = stream_shape(config, Path(data_root))
    complaint = memory_complaint(config, shape, networks(config, shape).counts)
    if complaint is not None:
        raise ConfigInvalid(complaint)


def _seed_groups(job: Job, config: TrialConfig, resumed_from: Mapping[int, Checkpoint]) -> list[tuple[int, ...]]:
    """Group the seeds to train in the same steps; one whose result may make the next needless is trained alone."""
    n_alone = len(job.seeds) if job.race else min(1, len(job.rungs))
    return [*((seed,) for seed in job.seeds[:n_alone]), *groups(config, job.seeds[n_alone:], resumed_from)]


def _task_progress(
    job: Job, seed: int, run: TrialRun, trained: Mapping[int, int], resumed: bool = False
) -> JobProgress:
    """Message after a task, with the result so far where the driver judges it."""
    done = job.done(run.tasks_done)
    at_rung = seed == job.seeds[0] and (done in job.rungs or (resumed and any(rung <= done for rung in job.rungs)))
    judged = at_rung or (job.race and run.finished)
    return _progress(job, seed, run, trained, run.result_so_far().to_dict() if judged else None)


def _progress(
    job: Job, seed: int, run: TrialRun, trained: Mapping[int, int], so_far: dict[str, Any] | None, within: int = 0
) -> JobProgress:
    return JobProgress(job.number, seed, sum(trained.values()), len(job.seeds) * run.n_tasks, so_far, within)


def _pauses(job: Job, seeds: Sequence[int], tasks_done: int) -> list[int]:
    """Iterations of the next task after which the first seed is judged."""
    if job.rung_unit == "tasks" or seeds[0] != job.seeds[0]:
        return []
    begin, end = job.done(tasks_done), job.done(tasks_done + 1)
    return [rung - begin for rung in job.rungs if begin < rung < end]


def latest_checkpoints(checkpoints: Checkpoints) -> dict[int, Checkpoint]:
    """Read the checkpoint of each seed that has come farthest."""
    found: dict[int, Checkpoint] = {}
    for content in checkpoints.read_all().values():
        for seed, checkpoint in from_bytes(content).items():
            if progress_of(checkpoint) > progress_of(found.get(seed)):
                found[seed] = checkpoint
    return found
