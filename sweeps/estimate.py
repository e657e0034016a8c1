"""Estimate of the duration of a sweep from a few timed training steps, with warnings."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import torch

from hnet_core.build import networks, steps_per_task, stream_shape
from hnet_core.memory_estimate import in_words, training_bytes
from hnet_core.optimization.task_course import check_validation, n_validations
from hnet_core.runtime.devices import NoGpu, pick_device, seconds_since
from hnet_core.runtime.machine import available_cpus, training_memory
from hnet_core.training import TrialRun
from hnet_core.trial import TrialConfig
from studies.spec.deviations import contradictions, reductions
from studies.spec.reachability import doubts
from studies.spec.spec import SweepSpec
from sweeps.allocation import default_workers, in_text, lacking, resolved, this_machine

UNTIMED_STEPS = 3  # the first steps of a task allocate and compile
TIMED_STEPS = 20
TIMED_SECONDS = 5.0


class Estimate(TypedDict):
    """Size and duration of a sweep; None where the budget is in hours only."""

    study: str
    trials: int | None
    seeds: int
    runs: int | None
    searched: list[str]
    sampler: str
    compression_ratio_of_template: float
    seconds_per_run: float
    workers: int
    resources: list[str]
    estimated_minutes: float | None
    budget_hours: float | None
    reduced: list[str]
    warnings: list[str]


def estimate(spec: SweepSpec, root: Path, workers: int | None = None) -> Estimate:
    """Estimate the trials and minutes of a sweep by timing its template configuration; nothing is stored.

    The time is rough: it takes the template as the average of the search space, and all machines to be like this one.
    """
    cpus, here = available_cpus(), this_machine()
    requests = [resolved(request, [here], workers) for request in spec.requests()]
    workers = workers or default_workers(spec, here)
    at_a_time = min(workers, max(1, cpus // min(request.cpus for request in requests)))
    config, elsewhere = _timed_here(spec.config())
    counts = networks(config, stream_shape(config, root)).counts
    seconds = seconds_per_run(config, root)
    planned = spec.planned_trials
    runs = None if planned is None else planned * spec.seeds
    return {
        "study": spec.study,
        "trials": planned,
        "seeds": spec.seeds,
        "runs": runs,
        "searched": list(spec.search),
        "sampler": spec.sampler,
        "compression_ratio_of_template": counts.compression_ratio,
        "seconds_per_run": round(seconds, 1),
        "workers": workers,
        "resources": [in_text(request) for request in requests],
        "estimated_minutes": None if runs is None else round(runs * seconds / at_a_time / 60, 1),
        "budget_hours": spec.budget.hours,
        "reduced": reductions(spec),
        "warnings": [
            *contradictions(spec),
            *doubts(spec, root),
            *elsewhere,
            *lacking(spec, here),
            *_too_few_seeds(spec.seeds),
            *_too_many_workers(config, root, workers),
        ],
    }


def _timed_here(config: TrialConfig) -> tuple[TrialConfig, list[str]]:
    """Return the configuration to time on this machine, and a warning if it is another one."""
    try:
        pick_device(config.training.device)
    except NoGpu:
        on_cpu = config.model_copy(update={"training": config.training.model_copy(update={"device": "cpu"})})
        return on_cpu, [
            f"training.device is {config.training.device}, and this machine has no GPU: the time is that of its CPU, "
            "and the sweep needs a cluster with a GPU (--address)"
        ]
    return config, []


@dataclass(frozen=True)
class _TaskTime:
    """Seconds of a task: of its training, validations included, and to measure one of the tasks seen so far."""

    training: float
    per_seen_task: float


def seconds_per_run(config: TrialConfig, root: Path) -> float:
    """Seconds of one run, from some steps and the evaluations of as many tasks as a few seconds allow.

    The first task is trained twice, and counted the second time: the first time also pays for what torch imports,
    allocates and compiles late. A task that is not reached takes as long to train as the last one that is; after it,
    every task seen so far is measured.
    """
    lengths, device = steps_per_task(config, root), pick_device(config.training.device)
    iterations = min(UNTIMED_STEPS + TIMED_STEPS, *lengths)
    changes = {"iterations": iterations, "epochs": None, "schedule": None, "select": "last"}  # without validations
    short = config.model_copy(update={"training": config.training.model_copy(update=changes)})
    validations = [n_validations(config.training, length) for length in lengths]
    start = time.perf_counter()
    run = TrialRun(short, seed=0, root=root)
    check_validation(config.training, has_validation=run.has_validation)
    _time_task(run, lengths, validations, device)
    run = TrialRun(short, seed=0, root=root)
    timed: list[_TaskTime] = []
    while not run.finished and (not timed or time.perf_counter() - start < TIMED_SECONDS):
        timed += _time_task(run, lengths, validations, device)
    tasks = [*timed, *[timed[-1]] * (run.n_tasks - len(timed))]
    return sum(task.training + task.per_seen_task * seen for seen, task in enumerate(tasks, 1))


def _time_task(
    run: TrialRun, lengths: Sequence[int], validations: Sequence[int], device: torch.device
) -> list[_TaskTime]:
    """Time the next task with all its steps and validations in training.

    One value for each task that is trained with it; such tasks are measured once, together.
    """
    done, start = run.tasks_done, time.perf_counter()
    steps = run.steps()
    next(steps)
    once, seconds, last = seconds_since(start, device), [], time.perf_counter()
    for _ in steps:
        seconds.append(seconds_since(last, device))
        last = time.perf_counter()
    run.finish_task(sum(seconds))
    evaluation = seconds_since(last, device)
    n_tasks = run.tasks_done - done
    if n_tasks > 1:
        once, evaluation = once + evaluation, 0.0
    step = statistics.median(seconds[UNTIMED_STEPS:] or seconds)
    trained = range(done, done + n_tasks)
    start = time.perf_counter()
    if any(validations[task] for task in trained):
        run.validate(trained)
    validation = seconds_since(start, device) / n_tasks
    often = max(validations[task] for task in trained)  # tasks that are trained together are validated together
    return [
        _TaskTime(once / n_tasks + step * lengths[task] + validation * often, evaluation / run.tasks_done)
        for task in trained
    ]


def _too_few_seeds(seeds: int) -> Iterator[str]:
    if seeds == 1:
        yield "one seed (n = 1) gives no interval: differences between trials may be chance; take 3 or more"
    elif seeds == 2:
        yield "two seeds (n = 2) give no usable interval, it is 12.7 standard errors to each side; take 3 or more"


def _too_many_workers(config: TrialConfig, root: Path, workers: int) -> Iterator[str]:
    cpus, threads = available_cpus(), config.training.threads
    if workers * threads > cpus:
        of_threads = "" if threads == 1 else f" with {threads} threads each"
        yield f"{workers} workers{of_threads} share the {cpus} CPU cores that this process may use; take fewer"
    shape = stream_shape(config, root)
    needed = workers * training_bytes(config, shape, networks(config, shape).counts)
    there_is = training_memory(config.training.device)
    if needed > there_is:
        together = in_words(needed)
        yield f"{workers} workers take at least {together} of memory together, and there are {in_words(there_is)}"
