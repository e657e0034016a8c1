"""State of a driver in memory: the trials of its study and the jobs to do."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from studies.spec.spec import SweepSpec
from sweeps.driver.counters import Counters
from sweeps.jobs import Job
from sweeps.search.objectives import measured, total_violation, value_for_selection

TrialMetrics = dict[str, list[float | None]]


@dataclass
class DriverState:
    """Trials and jobs of a study; `sweeps.driver.reconcile` fills it from the database before the first job.

    Attributes:
        counters: numbers of trials by state.
        waiting: jobs to hand out before anything new is asked of the sampler.
        jobs: those a worker has, by trial number.
        metrics: of each COMPLETE trial that was trained: name -> one value per seed.
        trial_by_hash: the trial that was or will be trained, or failed by itself, by the hash of its configuration;
            changed by `claim` and `forget_configuration` alone.
        failures: reason of each trial that failed by itself, so that its configuration is not trained again.
        duplicates: number and attempt of the trials that wait for the result of a trial, by its number.
        begun: numbers of all trials that have left the sampler.
    """

    counters: Counters = field(default_factory=Counters)
    waiting: deque[Job] = field(default_factory=deque)
    jobs: dict[int, Job] = field(default_factory=dict)
    metrics: dict[int, TrialMetrics] = field(default_factory=dict)
    trial_by_hash: dict[str, int] = field(default_factory=dict)
    _hash_by_trial: dict[int, str] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)
    duplicates: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    begun: set[int] = field(default_factory=set)

    def add_complete(self, spec: SweepSpec, number: int, config_hash: str, metrics: TrialMetrics) -> None:
        """Add a trial that an earlier driver trained to its end."""
        self.claim(config_hash, number)
        self.counters.complete += 1
        self.counters.asked += 1
        self.measure(spec, number, metrics)

    def measure(self, spec: SweepSpec, number: int, metrics: TrialMetrics) -> None:
        """Store the metrics of a COMPLETE trial, over all of its seeds so far."""
        self.metrics[number] = metrics
        violation = total_violation(spec, metrics)
        if violation > 0:
            values = tuple(value_for_selection(one.metric, metrics) for one in spec.parsed_constraints)
            self.counters.infeasible[number] = (violation, values)
            self.counters.objectives.pop(number, None)
        else:
            self.counters.objectives[number] = measured(spec, metrics)
            self.counters.infeasible.pop(number, None)

    def add_finished(self, state: str, duplicate: bool) -> None:
        """Count a trial that an earlier driver finished without results of its own."""
        self.counters.skipped += state == "SKIPPED"
        self.counters.duplicates += duplicate
        if not duplicate and state != "SKIPPED":
            self.counters.asked += 1
            self.counters.failed += state == "FAILED"
            self.counters.pruned += state == "PRUNED"

    def add_failure(self, number: int, config_hash: str, reason: str) -> None:
        """Note a trial that would fail again, unless its configuration was trained or will be."""
        if self.claim(config_hash, number) == number:
            self.failures[number] = reason

    def claim(self, config_hash: str, number: int) -> int:
        """Return the trial of a configuration: this one, unless another was or will be trained."""
        original = self.trial_by_hash.setdefault(config_hash, number)
        if original == number:
            self._hash_by_trial[number] = config_hash
        return original

    def hand_out(self) -> Job | None:
        """Move the first waiting job to the running ones."""
        if not self.waiting:
            return None
        job = self.waiting.popleft()
        self.jobs[job.number] = job
        self.counters.running.add(job.number)
        return job

    def take_back(self, number: int) -> Job:
        """Remove the running job of a trial."""
        self.counters.running.discard(number)
        return self.jobs.pop(number)

    def forget_configuration(self, number: int) -> None:
        """Let the configuration of a trial be trained again: it was not measured."""
        self.trial_by_hash.pop(self._hash_by_trial.pop(number, ""), None)
