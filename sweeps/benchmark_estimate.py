"""Estimate of what the cells of a published table take to measure, from some timed training steps."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from hnet_core.runtime.devices import NoGpu
from sweeps.allocation import default_workers, this_machine
from sweeps.benchmarking import Plan, check_data, check_measures_something, specs_of
from sweeps.estimate import seconds_per_run

if TYPE_CHECKING:
    from studies.queries.studies import Studies

TIMED_SECONDS = 60.0


class BenchmarkEstimate(TypedDict):
    """Size and duration of the sweeps that measure a selection of cells.

    Attributes:
        timed: trainings that were timed; the others count as their mean.
        estimated_minutes: None where none could be timed here.
    """

    studies: list[str]
    cells: int
    trials: int
    seeds: int
    runs: int
    measured_already: int
    left_out: int
    workers: int | None
    timed: int
    estimated_minutes: float | None
    warnings: list[str]


def estimate_plan(plan: Plan, studies: Studies | None, root: Path, workers: int | None = None) -> BenchmarkEstimate:
    """Estimate the trainings of a plan; nothing is stored.

    Raises:
        ConfigInvalid: none of the cells can be measured here, or a training does not fit this machine.
        DatasetMissing: the data of a training are not at hand.
    """
    check_measures_something(plan)
    check_data(plan, root)
    specs = [spec for spec, _ in specs_of(plan, studies, root)]
    if specs and workers is None:
        workers = min(default_workers(spec, this_machine()) for spec in specs)
    seconds, warnings = _timed(plan, root)
    runs = len(plan.trainings) * plan.selection.n_seeds
    minutes = None
    if seconds:
        minutes = round(statistics.fmean(seconds) * runs / max(1, workers or 1) / 60, 1)
    return {
        "studies": [spec.study for spec in specs],
        "cells": sum(len(training.cells) for training in plan.trainings.values()),
        "trials": len(plan.trainings),
        "seeds": plan.selection.n_seeds,
        "runs": runs,
        "measured_already": len(plan.taken),
        "left_out": len(plan.left_out),
        "workers": workers,
        "timed": len(seconds),
        "estimated_minutes": 0.0 if not plan.trainings else minutes,
        "warnings": warnings,
    }


def _timed(plan: Plan, root: Path) -> tuple[list[float], list[str]]:
    """Return the seconds of a run of some trainings, as many as a minute allows."""
    start = time.monotonic()
    seconds: list[float] = []
    for training in plan.trainings.values():
        if seconds and time.monotonic() - start > TIMED_SECONDS:
            break
        try:
            seconds.append(seconds_per_run(training.config, root))
        except NoGpu as error:
            return seconds, [str(error)]
    return seconds, []
