"""Training of several seeds of one configuration side by side, in the same steps if the engine supports it."""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import torch

from hnet_core.build import open_stream, varies_with_seed
from hnet_core.engines import StackMember, stack_members
from hnet_core.runtime.devices import pick_device, seconds_since
from hnet_core.training import TrialRun
from hnet_core.trial import TaskReport, TrialConfig, TrialResult

Checkpoint = dict[str, Any]


def run_trials(
    config: TrialConfig,
    seeds: Sequence[int],
    root: str | os.PathLike[str] | None = None,
    on_task: Callable[[int, TaskReport], None] | None = None,
) -> list[TrialResult]:
    """Train one configuration with several seeds, together or one after the other, by training.stack_seeds.

    Args:
        on_task: called with the seed after each of its tasks.

    Returns:
        one result per seed, in their order.

    Raises:
        As hnet_core.training.run_trial.
    """
    results = []
    for together in groups(config, seeds, {}):
        runs = StackedRuns(config, together, root)
        while not runs.finished:
            for seed, report in zip(together, runs.train_task(), strict=True):
                if on_task is not None:
                    on_task(seed, report)
        results += runs.results()
    return results


def groups(config: TrialConfig, seeds: Sequence[int], begun: Mapping[int, Checkpoint]) -> list[tuple[int, ...]]:
    """Group the seeds to train together, in order; seeds with a checkpoint only with others of the same progress.

    Where tasks depend on the seed and are trained for epochs, seeds may differ in their steps and are trained alone.
    """
    wanted = config.training.stack_seeds
    differ = varies_with_seed(config) and config.training.epochs is not None
    if differ or not (pick_device(config.training.device).type == "cuda" if wanted == "auto" else wanted):
        return [(seed,) for seed in seeds]
    by_progress = itertools.groupby(seeds, key=lambda seed: progress_of(begun.get(seed)))
    return [tuple(together) for _, together in by_progress]


def tasks_done(checkpoint: Checkpoint | None) -> int:
    return 0 if checkpoint is None else len(checkpoint["progress"]["test"])


def progress_of(checkpoint: Checkpoint | None) -> tuple[int, int]:
    """Return the number of tasks done, and of the steps of the next one."""
    within = None if checkpoint is None else checkpoint.get("within")
    return tasks_done(checkpoint), 0 if within is None else int(within["step"])


class StackedRuns:
    """Runs of one or several seeds that are at the same task.

    Each seed has the result of a run of its own, up to the rounding of products that are computed together.

    Args:
        resume: checkpoints of partly trained seeds, by seed: all of them after the same task, or none.

    Attributes:
        reports: of the task trained last, one per seed.
    """

    def __init__(
        self,
        config: TrialConfig,
        seeds: Sequence[int],
        root: str | os.PathLike[str] | None = None,
        resume: Mapping[int, Checkpoint] | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        begun = resume or {}
        progress = {progress_of(begun.get(seed)) for seed in seeds}
        if len(progress) != 1:
            raise ValueError(
                f"the seeds must all have trained the same number of tasks and steps, got {sorted(progress)}."
            )
        self._spent = sum(begun[seed]["within"]["seconds"] for seed in seeds if "within" in begun.get(seed, {}))
        self.reports: list[TaskReport] = []
        self._device = pick_device(config.training.device)
        shared = None if varies_with_seed(config) else open_stream(config, root)
        self._seeds = tuple(seeds)
        members: Sequence[StackMember | None] = stack_members(len(seeds))
        if config.training.plateau is not None:  # every seed has a learning rate of its own
            members = [None] * len(seeds)
        self.runs = [
            TrialRun(config, seed, root, begun.get(seed), dtype, shared, member)
            for seed, member in zip(seeds, members, strict=True)
        ]

    @property
    def finished(self) -> bool:
        return all(run.finished for run in self.runs)

    def train_task(self) -> list[TaskReport]:
        """Train the next task of every seed and evaluate; each takes an equal share of the time it took.

        Raises:
            TrainingDiverged: a weight of one of them became NaN or infinite.
        """
        for _ in self.pausing_task():
            pass
        return self.reports

    def pausing_task(self, pauses: Collection[int] = (), seconds_between: float = math.inf) -> Iterator[int]:
        """Train the next task, yielding after each of these numbers of iterations; `reports` hold the result.

        The time of a pause is not counted.

        Args:
            seconds_between: pause also after any iteration that ends so long after the begin or the last such pause.
        """
        start, due = time.perf_counter(), time.perf_counter() + seconds_between
        first = self.runs[0].steps_resumed  # the first step only begins the task
        for iteration, _ in enumerate(zip(*[run.steps() for run in self.runs], strict=True), start=first):
            is_due = iteration > first and time.perf_counter() >= due
            if is_due or (iteration in pauses and iteration > first):
                self._spent += seconds_since(start, self._device)
                yield iteration
                start = time.perf_counter()
                due = start + seconds_between if is_due else due
        share = (self._spent + seconds_since(start, self._device)) / len(self.runs)
        self._spent = 0.0
        self.reports = [run.finish_task(share) for run in self.runs]

    def checkpoints_within(self, iteration: int) -> dict[int, Checkpoint]:
        """Return checkpoints by seed to resume from this iteration of the task; in a pause of `pausing_task`."""
        share = self._spent / len(self.runs)
        return {
            seed: run.checkpoint_within_task(iteration, share) for seed, run in zip(self._seeds, self.runs, strict=True)
        }

    def results(self) -> list[TrialResult]:
        """Return the raw result of every seed; only once all tasks are trained."""
        return [run.result() for run in self.runs]
