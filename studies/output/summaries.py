"""Content of `hnet study show`: the summary of a study, or all details of one trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from studies.metrics.definitions import METRICS
from studies.output.trial_table import printed
from studies.statistics.hypervolume import front_hypervolume

if TYPE_CHECKING:
    from studies.queries.studies import Studies


def study_summary(studies: Studies, name: str) -> dict[str, Any]:
    """Collect state counts, search settings, best trial of each objective, size of the front, and launches."""
    record, counts, choice = studies.study(name), studies.trial_counts(name), studies.choice(name)
    members = studies.front_rows(name)
    front = {row["number"]: row for row in printed(members)}
    best = {metric: {"number": number, "value": front[number][metric]} for metric, number in choice.best_of.items()}
    return {
        "name": name,
        "uuid": record.uuid,
        "created_at": record.created_at,
        "trials": counts.total,
        "states": counts.states,
        "duplicates": counts.duplicates,
        "seeds": record.seeds,
        "objectives": record.objectives,
        "constraints": record.constraints,
        "search": record.spec.get("search", {}),
        "sampler": record.spec.get("sampler"),
        "budget": record.spec.get("budget"),
        "best": best,
        "front_size": len(front),
        "why_no_front": choice.why_none,
        "hypervolume": front_hypervolume(list(members.dicts()), record.objectives),
        "driver": record.driver,
        "driver_seconds": record.driver_seconds,
        "launches": record.launches,
    }


def trial_summary(studies: Studies, name: str, number: int, joint: str | None = None) -> dict[str, Any]:
    """Collect configuration, metrics, runs and launch of a trial, and the traceback of a failure.

    Args:
        joint: a trial of method joint as STUDY:NUMBER; then intransigence is included.
    """
    row = studies.trial(name, number)
    stored: Mapping[str, object] = row
    runs: Sequence[Mapping[str, object]] = row["runs"]
    (found,) = printed(studies.trial_rows(name, where=f"number == {number}"))
    metrics = {metric: found[metric] for metric in METRICS}
    first = ("number", "state", "reason", "duplicate_of", "attempt", "params", "config", "config_hash", "measure")
    return {
        **{key: stored[key] for key in first},
        **metrics,
        **({} if joint is None else {"intransigence": _intransigence(studies, f"{name}:{number}", joint)}),
        "weights_per_task": row["weights_per_task"],
        "runs": [
            {key: run[key] for key in ("seed", "seconds", "task_seconds", "peak_memory_mib", "device", "data_checksum")}
            for run in runs
        ],
        "created_at": row["created_at"],
        "finished_at": row["finished_at"],
        "launch": row["launch"],
        "traceback": row["traceback"],
    }


def _intransigence(studies: Studies, trial: str, joint: str) -> dict[str, Any]:
    from studies.comparing.configurations import find_configuration
    from studies.comparing.intransigence import intransigence

    return intransigence(studies, find_configuration(studies, trial), find_configuration(studies, joint)).to_dict()
