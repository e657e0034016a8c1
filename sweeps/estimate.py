"""Estimate of the duration of a sweep from a few timed training steps."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TypedDict

from hnet_core.build import networks, steps_per_task, stream_shape
from hnet_core.optimization.task_course import check_validation
from hnet_core.training import TrialRun
from studies.spec.deviations import contradictions, reductions
from studies.spec.spec import SweepSpec

TIMED_ITERATIONS = 10
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
    estimated_minutes: float | None
    budget_hours: float | None
    reduced: list[str]
    warnings: list[str]


def estimate(spec: SweepSpec, root: Path, workers: int | None = None) -> Estimate:
    """Estimate the trials and minutes of a sweep by timing its template configuration; nothing is stored.

    The time is rough: it takes the template as the average of the search space, and all machines to be like this one.
    """
    workers = workers or os.cpu_count() or 1
    config = spec.config()
    shape = stream_shape(config, root)
    counts = networks(config, shape).counts
    seconds = _seconds_per_run(spec, root)
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
        "estimated_minutes": None if runs is None else round(runs * seconds / workers / 60, 1),
        "budget_hours": spec.budget.hours,
        "reduced": reductions(spec),
        "warnings": contradictions(spec),
    }


def _seconds_per_run(spec: SweepSpec, root: Path) -> float:
    """Time a few iterations of as many tasks as fit into a few seconds, and scale up; without validations."""
    config = spec.config()
    steps = sum(steps_per_task(config, root))
    whole = {"iterations": TIMED_ITERATIONS, "epochs": None, "schedule": None, "select": "last"}
    short = config.model_copy(update={"training": config.training.model_copy(update=whole)})
    run = TrialRun(short, seed=0, root=root)
    check_validation(config.training, has_validation=run.has_validation)
    per_task, trained, start = [], 0, time.perf_counter()
    while not run.finished and time.perf_counter() - start < TIMED_SECONDS:
        report = run.train_task()
        per_task.append(report.seconds / (report.task + 1 - trained))  # a joint method trains all tasks in one call
        trained = report.task + 1
    typical = sorted(per_task)[len(per_task) // 2]  # the first task includes lazy imports of torch
    return typical * steps / TIMED_ITERATIONS
