"""MO-ASHA against random search on recorded learning curves: `python -m perf.moasha --json`.

200 real runs of permuted digits (perf/record_curves.py) are run again on a simulated clock with 4 workers. In each
simulation both searches take the configurations in the same random order until the budget, a share of the seconds of
the pool, is spent. Hypervolume of (validation accuracy, log10 compression ratio) over the trials that were completed,
reference accuracy 0.1 and the largest ratio of the pool. One row per budget: mean difference and its paired 95 % t
interval.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np

from hnet_core.trial import TrialResult, WeightCounts
from perf.record_curves import FILE
from studies.spec.spec import SweepSpec
from studies.statistics.intervals import t_interval
from studies.statistics.pareto import hypervolume_2d
from sweeps.jobs import Job, JobProgress, Message
from sweeps.search.early_stopping import StoppingRules
from sweeps.simulated_backend import simulate

WORKERS = 4
DIRECTIONS = ("maximize", "minimize")


@dataclass(frozen=True)
class SearchComparison:
    budget: float
    replays: int
    compared_with: float
    moasha: float
    random: float
    difference: float
    low: float
    high: float
    completed_moasha: float
    completed_random: float


class Pool:
    """The recorded runs and their validation curves."""

    def __init__(self) -> None:
        stored = np.load(FILE, allow_pickle=False)
        self.ratio = stored["ratio"].astype(float)
        self.results = [
            TrialResult(
                config_hash=str(number),
                seed=0,
                measure="accuracy",
                counts=WeightCounts(target=10**6, model=round(ratio * 10**6), hypernet=0, per_task=0),
                test=_matrix(test),
                validation=_matrix(validation),
                untrained=(0.1,) * len(test),
                seconds=tuple(map(float, seconds)),
                peak_memory_mib=0.0,
                device="cpu",
                threads=1,
                data_checksum="",
            )
            for number, (ratio, test, validation, seconds) in enumerate(
                zip(self.ratio, stored["test"], stored["validation"], stored["seconds"], strict=True)
            )
        ]
        self.seconds = sum(sum(result.seconds) for result in self.results)

    def hypervolume(self, completed: list[int]) -> float:
        assert all(result.validation is not None for result in self.results)
        points = [
            (float(np.mean(self.results[i].validation[-1])), float(np.log10(self.ratio[i])))  # type: ignore[index,arg-type]
            for i in completed
        ]
        reference = (0.1, float(np.log10(self.ratio.max())))
        return hypervolume_2d(np.array(points, dtype=float), reference, DIRECTIONS)


def _matrix(values: np.ndarray) -> tuple[tuple[float | None, ...], ...]:
    return tuple(tuple(None if np.isnan(value) else float(value) for value in row) for row in values)


class SimulatedSearch:
    """Search through the pool in a random order with a stopping rule, in place of a driver."""

    def __init__(self, pool: Pool, seed: int, rules: StoppingRules) -> None:
        self._order = list(range(len(pool.results)))
        random.Random(seed).shuffle(self._order)
        self._rules = rules
        self._jobs: dict[int, Job] = {}
        self._n_tasks = len(pool.results[0].test)
        self.completed: list[int] = []

    def next_job(self) -> Job | None:
        if not self._order:
            return None
        number = self._order.pop()
        self._jobs[number] = Job(number, 1, {}, (0,), "", "", rungs=self._rules.rungs((1,) * self._n_tasks))
        return self._jobs[number]

    def receive(self, number: int, message: Message) -> bool:
        if isinstance(message, JobProgress) and message.so_far is not None:
            return self._rules.reason_to_stop(self._jobs[number], TrialResult.from_dict(message.so_far)) is None
        self.completed.append(number)
        return False


def _search(pool: Pool, seed: int, share: float, eta: float | None) -> SimulatedSearch:
    stopping = {} if eta is None else {"early_stopping": {"eta": eta}}
    content = {
        "study": "simulated",
        "trial": {},
        "search": {"training.lr": {"float": [0.1, 1]}},
        "budget": {"trials": 1},
    }
    search = SimulatedSearch(pool, seed, StoppingRules(SweepSpec.model_validate({**content, **stopping})))
    until = share * pool.seconds / WORKERS
    simulate(search, WORKERS, search.receive, lambda job, seed: pool.results[job.number], until)
    return search


def compare(pool: Pool, share: float, random_share: float, replays: int, eta: float) -> SearchComparison:
    """Compare MO-ASHA on a share of the pool's seconds with random search on `random_share` of them."""
    pairs = [(_search(pool, i, share, eta), _search(pool, i, random_share, None)) for i in range(replays)]
    ours, theirs = ([pool.hypervolume(pair[side].completed) for pair in pairs] for side in (0, 1))
    interval = t_interval([a - b for a, b in zip(ours, theirs, strict=True)])
    assert interval.mean is not None and interval.low is not None and interval.high is not None
    done = [float(np.mean([len(pair[side].completed) for pair in pairs])) for side in (0, 1)]
    return SearchComparison(
        share, replays, random_share, float(np.mean(ours)), float(np.mean(theirs)),
        interval.mean, interval.low, interval.high, *done,
    )  # fmt: skip


def rows(replays: int, eta: float) -> Iterator[SearchComparison]:
    pool = Pool()
    for share in (0.2, 0.3, 0.4):
        yield compare(pool, share, share, replays, eta)
        yield compare(pool, share / 2, share / 2, replays, eta)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replays", type=int, default=20)
    parser.add_argument("--eta", type=float, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = [asdict(row) for row in rows(arguments.replays, arguments.eta)]
    if arguments.json:
        print(json.dumps({"rows": found}, indent=2))
    else:
        for row in found:
            print("  ".join(f"{key} {value:.3g}" for key, value in row.items()))


if __name__ == "__main__":
    main()
