"""Timing of two worker processes against one, one thread each: `python -m perf.processes --json`.

The workers stay alive, and rounds of one trial alone alternate with rounds of one trial in each worker at once, so that
other load on the machine affects both equally. One row per number of workers: setting, engine, iterations per task,
processes, rounds, trials_per_second (median over rounds), ratio (of trials per second to those of one worker, median
over rounds), ratio_low and ratio_high (its quartiles), cpu_seconds (processor time per trial, median), cpu_ratio (the
ratio if no worker ever waited for a processor). A cpu_ratio below the number of workers is the cost of shared caches
and memory; a ratio below cpu_ratio is the cost of the other load on the machine.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection

from hnet_core.build import steps_per_task
from hnet_core.training import run_trial
from hnet_core.trial import TrialConfig
from perf.settings import STEPS


@dataclass(frozen=True)
class ScalingTiming:
    setting: str
    engine: str
    iterations: int
    processes: int
    rounds: int
    trials_per_second: float
    ratio: float
    ratio_low: float
    ratio_high: float
    cpu_seconds: float
    cpu_ratio: float


@dataclass(frozen=True)
class Turn:
    """Trials per second of some workers at once, and the mean processor time of a trial."""

    trials_per_second: float
    cpu_seconds: float


def measure(
    setting: str, engine: str, iterations: int, processes: int, rounds: int, data: str | None
) -> list[ScalingTiming]:
    """Measure one worker and `processes` of them, in as many rounds each."""
    config = STEPS[setting].trial(engine)
    config = config.model_copy(update={"training": config.training.model_copy(update={"iterations": iterations})})
    with workers(config, data, processes) as pipes:
        turn(pipes)  # the first trial of a process includes what torch loads late
        found: dict[int, list[Turn]] = {1: [], processes: []}
        for number in range(rounds):
            found[1].append(turn([pipes[number % processes]]))  # each worker in its turn: cores may differ
            found[processes].append(turn(pipes))
    return [_row(setting, config, n, found[1], turns) for n, turns in found.items()]


@contextmanager
def workers(config: TrialConfig, data: str | None, number: int) -> Iterator[list[Connection]]:
    """Start processes that train one trial per seed received."""
    context = multiprocessing.get_context("spawn")  # fork after torch has run threads may hang
    pipes, started = [], []
    for _ in range(number):
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, config.model_dump(mode="json"), data), daemon=True)
        process.start()
        pipes.append(ours)
        started.append(process)
    try:
        yield pipes
    finally:
        for pipe in pipes:
            pipe.close()
        for process in started:
            process.join()


def serve(pipe: Connection, config: dict[str, object], data: str | None) -> None:
    """Train one trial per seed received and send its processor time back; return when the pipe is closed."""
    checked = TrialConfig.model_validate(config)
    while True:
        try:
            seed = pipe.recv()
        except EOFError:
            return
        start = time.process_time()
        run_trial(checked, seed, data)
        pipe.send(time.process_time() - start)


def turn(pipes: Sequence[Connection]) -> Turn:
    """Run one trial in each of these workers at once."""
    start = time.perf_counter()
    for seed, pipe in enumerate(pipes):
        pipe.send(seed)
    seconds = [pipe.recv() for pipe in pipes]
    return Turn(len(pipes) / (time.perf_counter() - start), statistics.fmean(seconds))


def _row(setting: str, config: TrialConfig, processes: int, alone: list[Turn], together: list[Turn]) -> ScalingTiming:
    pairs = list(zip(alone, together, strict=True))
    ratios = [b.trials_per_second / a.trials_per_second for a, b in pairs]
    low, high = _quartiles(ratios)
    return ScalingTiming(
        setting=setting,
        engine=config.training.engine,
        iterations=steps_per_task(config)[0],
        processes=processes,
        rounds=len(together),
        trials_per_second=statistics.median(turn.trials_per_second for turn in together),
        ratio=statistics.median(ratios),
        ratio_low=low,
        ratio_high=high,
        cpu_seconds=statistics.median(turn.cpu_seconds for turn in together),
        cpu_ratio=statistics.median(processes * a.cpu_seconds / b.cpu_seconds for a, b in pairs),
    )


def _quartiles(values: list[float]) -> tuple[float, float]:
    if len(values) == 1:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m perf.processes", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="a JSON list instead of a table")
    parser.add_argument("--setting", choices=sorted(STEPS), default="split_mnist")
    parser.add_argument("--engine", choices=["plain", "fast"], default="fast")
    parser.add_argument("--processes", type=int, default=2, help="workers at the same time, against one")
    parser.add_argument("--iterations", type=int, default=200, help="steps per task of a trial")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--data", help="data root; left out: HNET_DATA")
    given = parser.parse_args()
    rows = measure(given.setting, given.engine, given.iterations, given.processes, given.rounds, given.data)
    if given.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return
    for row in rows:
        print(
            f"{row.setting:18} {row.engine:5} {row.processes} at a time  {row.trials_per_second:7.4f} trials/s"
            f"  x{row.ratio:5.2f} ({row.ratio_low:.2f} to {row.ratio_high:.2f} of {row.rounds} rounds)"
            f"  {row.cpu_seconds:6.1f} cpu-s per trial, x{row.cpu_ratio:.2f} without waiting"
        )


if __name__ == "__main__":
    main()
