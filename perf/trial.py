"""Timing of complete trials, one thread each: `python -m perf.trial --json`.

One row per trial: setting, engine, seed, processes (trials at the same time), iterations per task, accuracy (mean over
all tasks after the last one, test split), seconds (training, evaluation excluded) and wall_seconds. With several
processes each trains a seed of its own; `wall_seconds` then shows how the machine scales.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from hnet_core.build import steps_per_task
from hnet_core.training import run_trial
from perf.settings import STEPS

DEFAULT = "split_mnist"


@dataclass(frozen=True)
class TrialTiming:
    setting: str
    engine: str
    seed: int
    processes: int
    iterations: int
    accuracy: float
    seconds: float
    wall_seconds: float


@dataclass(frozen=True)
class TimedTrial:
    setting: str
    engine: str
    seed: int
    processes: int
    iterations: int | None
    data: str | None


def measure(trials: list[TimedTrial]) -> Iterator[TrialTiming]:
    """Run the trials, as many at a time as each one names."""
    context = multiprocessing.get_context("spawn")  # fork after torch has run threads may hang
    for processes in sorted({trial.processes for trial in trials}):
        with context.Pool(processes) as pool:
            yield from pool.imap(run, [trial for trial in trials if trial.processes == processes], chunksize=1)


def run(trial: TimedTrial) -> TrialTiming:
    """Run one trial in this process."""
    config = STEPS[trial.setting].trial(trial.engine)
    if trial.iterations is not None:
        config = config.model_copy(
            update={"training": config.training.model_copy(update={"iterations": trial.iterations})}
        )
    start = time.perf_counter()
    result = run_trial(config, trial.seed, trial.data)
    wall = time.perf_counter() - start
    final = [value for value in result.test[-1] if value is not None]
    accuracy, iterations = sum(final) / len(final), steps_per_task(config, trial.data)[0]
    return TrialTiming(
        trial.setting, trial.engine, trial.seed, trial.processes, iterations, accuracy, sum(result.seconds), wall
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m perf.trial", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="a JSON list instead of a table")
    parser.add_argument("--setting", choices=sorted(STEPS), default=DEFAULT)
    parser.add_argument("--engine", action="append", choices=["plain", "fast"], help="repeatable; left out: fast")
    parser.add_argument("--seeds", type=int, default=1, help="trials of seeds 0, 1, ... per engine")
    parser.add_argument("--processes", type=int, action="append", help="trials at the same time; repeatable; 1")
    parser.add_argument("--iterations", type=int, help="fewer steps per task, to compare processes, not accuracies")
    parser.add_argument("--data", help="data root; left out: HNET_DATA")
    given = parser.parse_args()
    trials = [
        TimedTrial(given.setting, engine, seed, processes, given.iterations, given.data)
        for processes in given.processes or [1]
        for engine in given.engine or ["fast"]
        for seed in range(max(given.seeds, processes))
    ]
    rows = measure(trials)
    if given.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return
    for row in rows:
        print(
            f"{row.setting:18} {row.engine:5} seed {row.seed} {row.processes} at a time  {row.iterations} x tasks"
            f"  accuracy {row.accuracy:.4f}  training {row.seconds:7.1f} s  all {row.wall_seconds:7.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
