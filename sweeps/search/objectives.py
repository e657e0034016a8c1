"""What a finished trial is worth to the search: means over seeds, selected on validation where there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hnet_core.trial import TrialResult
from studies.metrics.definitions import SELECTED_BY, run_metrics
from studies.spec.spec import SweepSpec
from studies.statistics.pareto import pareto_mask

Metrics = Mapping[str, Sequence[float | None]]


def gather(runs: Sequence[TrialResult]) -> dict[str, list[float | None]]:
    """Each metric of each run: name -> one value per seed."""
    per_run = [run_metrics(run) for run in runs]
    return {name: [metrics[name] for metrics in per_run] for name in per_run[0]}


def joined(known: Metrics | None, more: Metrics) -> dict[str, list[float | None]]:
    """Metrics of further seeds behind those of the seeds before."""
    return {name: [*(known[name] if known else ()), *values] for name, values in more.items()}


def mean(values: Sequence[float | None]) -> float | None:
    """Mean over seeds, None where no seed has a value."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def measured(spec: SweepSpec, metrics: Metrics) -> tuple[float | None, ...]:
    """The objectives as they are reported, in the order of the spec."""
    return tuple(mean(metrics[name]) for name in spec.objectives)


def values_to_tell(spec: SweepSpec, metrics: Metrics) -> list[float] | None:
    """The objectives as the sampler learns them; None where one is not defined, so that there is nothing to learn."""
    values = [_for_selection(name, metrics) for name in spec.objectives]
    return None if None in values else [value for value in values if value is not None]


def violations(spec: SweepSpec, metrics: Metrics) -> dict[str, float]:
    """How far each constraint is from being kept (zero or less: kept); an undefined metric counts as violated."""
    found = {}
    for constraint in spec.parsed_constraints:
        value = _for_selection(constraint.metric, metrics)
        found[constraint.metric] = float("inf") if value is None else constraint.violation(value)
    return found


def front(spec: SweepSpec, trials: Mapping[int, Metrics]) -> set[int]:
    """The trials that keep all constraints and that no other one beats, by what the sampler learns of them."""
    import numpy as np

    told = {
        number: values
        for number, metrics in trials.items()
        if (values := values_to_tell(spec, metrics)) is not None
        and max(violations(spec, metrics).values(), default=0) <= 0
    }
    if not told:
        return set()
    on_front = pareto_mask(np.array(list(told.values())), list(spec.objectives.values()))
    return {number for number, best in zip(told, on_front, strict=True) if best}


def _for_selection(name: str, metrics: Metrics) -> float | None:
    on_validation = mean(metrics[SELECTED_BY[name]]) if name in SELECTED_BY else None
    return mean(metrics[name]) if on_validation is None else on_validation
