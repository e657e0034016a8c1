"""Early stopping: at rungs after some tasks or iterations of a trial, or between its seeds.

The first seed of a trial passes the rungs (`sweeps.search.moasha`). Further seeds are trained only while the
configuration may still be on the front (racing). Values are those the sampler is told: of the validation split where
there is one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from hnet_core.trial import TrialConfig, TrialResult
from studies.metrics.definitions import METRICS, SELECTED_BY
from studies.spec.ranges import RungUnit
from studies.spec.spec import SweepSpec
from studies.statistics.intervals import t_interval
from sweeps.jobs import Job
from sweeps.search.moasha import Rungs, Score
from sweeps.search.objectives import Metrics, gather, joined, mean, values_to_tell, violations
from sweeps.search.racing import FinishedFront


class StoppingRules:
    """Successive halving and racing for one study."""

    def __init__(self, spec: SweepSpec) -> None:
        self._spec = spec
        self._rungs = None if spec.early_stopping is None else Rungs(spec.early_stopping.eta)
        self._judged: dict[int, set[int]] = {}
        self._seeds: dict[int, list[TrialResult]] = {}
        self._finished = FinishedFront()

    def lengths(self, config: TrialConfig, data_root: Path) -> tuple[int, ...]:
        """Length of each task of a trial in `rung_unit`; () without early stopping."""
        return () if self._spec.early_stopping is None else self._spec.early_stopping.lengths(config, data_root)

    def rungs(self, lengths: Sequence[int]) -> tuple[int, ...]:
        """Rungs of the first seed at which a trial with tasks of these lengths is judged; () without early stopping."""
        return () if self._spec.early_stopping is None else self._spec.early_stopping.of_tasks(lengths)

    @property
    def rung_unit(self) -> RungUnit:
        return "tasks" if self._spec.early_stopping is None else self._spec.early_stopping.unit

    @property
    def races(self) -> bool:
        return self._spec.racing and self._spec.seeds > 1

    def remember(self, number: int, rung: int, seen: Metrics | Score) -> None:
        """Add a trial that reached a rung in an earlier start of the study."""
        score = seen if isinstance(seen, Score) else self._score(seen)
        if self._rungs is not None and score is not None:
            self._rungs.remember(number, rung, score)

    def reason_to_stop(
        self, job: Job, so_far: TrialResult, within: int = 0, note: Callable[[int, Score], None] | None = None
    ) -> str | None:
        """Judge a trial at each rung it has reached: return the reason to stop it, or None.

        A trial with an undefined objective is not stopped.

        Args:
            within: iterations into the task of the last row of `so_far`; 0 where that task is finished.
            note: called before the decision with each rung in iterations and the score there, which our tables do not
                hold.
        """
        if self._rungs is None or so_far.seed != job.seeds[0]:
            return None
        judged = self._judged.setdefault(job.number, set())
        for rung in job.rungs:
            seen = None if rung in judged else _at_rung(job, rung, so_far, within)
            if seen is None:
                continue
            judged.add(rung)
            score = self._score(gather([seen]))
            if score is None:
                continue
            if note is not None and job.rung_unit == "iterations":
                note(rung, score)
            verdict = self._rungs.judge(job.number, rung, score)
            if not verdict.continues:
                where = f"task {rung}" if job.rung_unit == "tasks" else f"{rung} iterations"
                n, best = verdict.n, verdict.n_continuing
                return f"stopped after {where}: place {verdict.rank} of {n}, the best {best} go on"
        return None

    def enough_seeds(self, job: Job, result: TrialResult, before: Metrics | None) -> list[TrialResult] | None:
        """Return the results so far of a job that needs no further seeds (racing), else None.

        Args:
            result: of the seed that has just ended; of one that still runs, the answer is None.
            before: metrics of seeds of an earlier job.
        """
        seeds = self._seeds.setdefault(job.number, [])
        if not job.race or not result.is_whole or result.seed in {one.seed for one in seeds}:
            return None
        seeds.append(result)
        metrics = joined(before, gather(seeds))
        return seeds if len(seeds) < len(job.seeds) and self.ends_race(job.number, metrics) else None

    def forget(self, number: int) -> None:
        """Drop the state of a trial whose job has ended."""
        self._judged.pop(number, None)
        self._seeds.pop(number, None)

    def add_finished(self, number: int, metrics: Metrics) -> None:
        """Add a COMPLETE trial, or replace it by its metrics over more seeds."""
        if self.races:
            score = self._score(metrics)
            self._finished.add(number, score.costs if score is not None and score.violation <= 0 else None)

    def ends_race(self, number: int, metrics: Metrics) -> bool:
        """Return whether another finished trial dominates even the good ends of the 95 % intervals of this one."""
        hopes = self._good_ends(metrics) if self.races else None
        # no racing, or a single seed, which has no interval
        return hopes is not None and self._finished.dominates(hopes, but=number)

    def _score(self, metrics: Metrics) -> Score | None:
        values = values_to_tell(self._spec, metrics)
        if values is None:
            return None
        over = [violation for violation in violations(self._spec, metrics).values() if violation < math.inf]
        return Score(self._costs(values), sum(max(violation, 0.0) for violation in over))

    def _costs(self, values: Sequence[float]) -> tuple[float, ...]:
        directions = self._spec.objectives.values()
        return tuple(
            -value if direction == "maximize" else value for value, direction in zip(values, directions, strict=True)
        )

    def _good_ends(self, metrics: Metrics) -> tuple[float, ...] | None:
        ends = []
        for name, direction in self._spec.objectives.items():
            selected = SELECTED_BY.get(name, name)
            values = metrics[name if mean(metrics[selected]) is None else selected]
            interval = t_interval(values)
            end = interval.high if direction == "maximize" else interval.low
            if METRICS[name].kind == "count":
                end = interval.mean
            if end is None:
                return None
            ends.append(end)
        return self._costs(ends)


def _at_rung(job: Job, rung: int, so_far: TrialResult, within: int) -> TrialResult | None:
    """Return the result as it was at a rung; None if that is not reached, or was passed within a task."""
    if job.rung_unit == "tasks":
        return so_far.after(rung) if rung <= len(so_far.test) else None
    finished = len(so_far.test) - (within > 0)
    if within and rung == job.done(finished) + within:
        return so_far.after(finished + 1)
    tasks = next((n_tasks for n_tasks in range(1, finished + 1) if job.done(n_tasks) == rung), None)
    return None if tasks is None else so_far.after(tasks)
