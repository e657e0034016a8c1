"""Values of a finished trial for the sampler: means over seeds, on the validation split if there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hnet_core.trial import TrialResult
from studies.metrics.definitions import SELECTED_BY
from studies.metrics.values import run_metrics
from studies.spec.spec import SweepSpec
from studies.statistics.pareto import pareto_mask

Metrics = Mapping[str, Sequence[float | None]]


def gather(runs: Sequence[TrialResult]) -> dict[str, list[float | None]]:
    """Compute each metric of each run: name -> one value per seed."""
    per_run = [run_metrics(run) for run in runs]
    return {name: [metrics[name] for metrics in per_run] for name in per_run[0]}


def joined(known: Metrics | None, more: Metrics) -> dict[str, list[float | None]]:
    """Append the metrics of further seeds to those of the seeds before, which may be fewer metrics."""
    return {name: [*(known[name] if known else ()), *more[name]] for name in known or more}


def compared_metrics(spec: SweepSpec) -> list[str]:
    """Metrics of a trial by which it is compared with others: those of objectives and constraints."""
    named = [*spec.objectives, *(constraint.metric for constraint in spec.parsed_constraints)]
    return list(dict.fromkeys([*named, *(SELECTED_BY[name] for name in named if name in SELECTED_BY)]))


def mean(values: Sequence[float | None]) -> float | None:
    """Mean over seeds; None if no seed has a value."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def measured(spec: SweepSpec, metrics: Metrics) -> tuple[float | None, ...]:
    """Objectives as reported (on the test split), in the order of the spec."""
    return tuple(mean(metrics[name]) for name in spec.objectives)


def values_to_tell(spec: SweepSpec, metrics: Metrics) -> list[float] | None:
    """Objectives as the sampler is told; None if one is undefined."""
    values = [value_for_selection(name, metrics) for name in spec.objectives]
    return None if None in values else [value for value in values if value is not None]


def violations(spec: SweepSpec, metrics: Metrics) -> dict[str, float]:
    """Violation of each constraint, by metric (zero or less: kept); an undefined metric counts as violated."""
    found = {}
    for constraint in spec.parsed_constraints:
        value = value_for_selection(constraint.metric, metrics)
        found[constraint.metric] = float("inf") if value is None else constraint.violation(value)
    return found


def total_violation(spec: SweepSpec, metrics: Metrics) -> float:
    """Sum of the violations of the broken constraints; 0 where all are kept."""
    return sum(max(violation, 0.0) for violation in violations(spec, metrics).values())


def front(spec: SweepSpec, trials: Mapping[int, Metrics]) -> set[int]:
    """Trials on the Pareto front among those that keep all constraints, by the values the sampler is told."""
    import numpy as np

    candidates = {
        number: values
        for number, metrics in trials.items()
        if (values := values_to_tell(spec, metrics)) is not None and not total_violation(spec, metrics)
    }
    if not candidates:
        return set()
    on_front = pareto_mask(np.array(list(candidates.values())), list(spec.objectives.values()))
    return {number for number, best in zip(candidates, on_front, strict=True) if best}


def value_for_selection(name: str, metrics: Metrics) -> float | None:
    """Mean of a metric over seeds, on the validation split if there is one."""
    on_validation = mean(metrics[SELECTED_BY[name]]) if name in SELECTED_BY else None
    return mean(metrics[name]) if on_validation is None else on_validation
