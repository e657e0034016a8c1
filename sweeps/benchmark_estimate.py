"""Estimate of what the cells of a published table take to measure, from some timed training steps."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from hnet_core.runtime.devices import NoGpu
from sweeps.allocation import default_workers, this_machine
from sweeps.benchmarking import (
    Plan,
    Training,
    check_data,
    check_measures_something,
    specs_of,
    trainings_left,
)
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
    left = trainings_left(plan, studies)
    specs = [spec for spec, _ in specs_of(plan, studies, root)] if left else []
    if specs and workers is None:
        workers = min(default_workers(spec, this_machine()) for spec in specs)
    seconds, warnings = _timed(left, root)
    runs = len(left) * plan.selection.n_seeds
    minutes = None
    if seconds:
        minutes = round(statistics.fmean(seconds) * runs / max(1, workers or 1) / 60, 1)
    return {
        "studies": [spec.study for spec in specs],
        "cells": sum(len(training.cells) for training in left),
        "trials": len(left),
        "seeds": plan.selection.n_seeds,
        "runs": runs,
        "measured_already": len(plan.taken)
        + sum(len(each.cells) for each in plan.trainings.values() if each not in left),
        "left_out": len(plan.left_out),
        "workers": workers,
        "timed": len(seconds),
        "estimated_minutes": minutes if left else 0.0,
        "warnings": warnings,
    }


def _timed(trainings: Sequence[Training], root: Path) -> tuple[list[float], list[str]]:
    """Return the seconds of a run of some trainings, as many as a minute allows."""
    start = time.monotonic()
    seconds: list[float] = []
    for training in trainings:
        if seconds and time.monotonic() - start > TIMED_SECONDS:
            break
        try:
            seconds.append(seconds_per_run(training.config, root))
        except NoGpu as error:
            return seconds, [str(error)]
    return seconds, []
