"""Configurations named on the command line, and the comparison of all pairs of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from hnet_core.errors import ConfigInvalid
from studies.comparing.comparability import check_metric, differences, judge_pairs
from studies.errors import TrialNotFound
from studies.statistics.verdicts import Verdict

if TYPE_CHECKING:
    from studies.queries.studies import Studies


@dataclass(frozen=True)
class Configuration:
    """A trial of a study, as `studies.comparing.comparability.Comparable` needs it."""

    study: str
    number: int
    config: Mapping[str, Any]
    measure: str
    n_tasks: frozenset[int]
    data: frozenset[str]
    machines: frozenset[str | None]

    def __str__(self) -> str:
        return f"{self.study}:{self.number}"


def find_configuration(studies: Studies, text: str) -> Configuration:
    """Find the configuration named `STUDY:NUMBER`, or the best of `STUDY` that meets its constraints.

    The best is chosen on the validation split where there is one, so that the comparison on the test split is fair.

    Raises:
        StudyNotFound, TrialNotFound: if there is none, or no finished trial of the study meets its constraints.
    """
    name, number = split_name(studies, text)
    if number is None:
        choice = studies.choice(name)
        number = choice.best
        if number is None:
            raise TrialNotFound(
                f"study {name!r} has no finished trial to compare: {choice.why_none}; see: hnet study trials {name}"
            )
    row = studies.trial(name, number)
    n_tasks = frozenset(run["n_tasks"] for run in row["runs"])
    data = frozenset(run["data_checksum"] for run in row["runs"])
    machines = machines_of(studies, name, number)
    return Configuration(name, number, row["config"], row["measure"], n_tasks, data, machines)


def split_name(studies: Studies, text: str) -> tuple[str, int | None]:
    """Split `STUDY:NUMBER`; the number is None for a plain study name, which may contain a colon such as a:1."""
    name, colon, number = text.rpartition(":")
    if colon and number.isdecimal() and text not in studies.names():
        return name, int(number)
    return text, None


def machines_of(studies: Studies, name: str, number: int) -> frozenset[str | None]:
    """Return host, device and threads of each run of a trial, None for a run whose host is not known."""
    from studies.queries.lookup import machine_label

    row = studies.trial(name, number)
    if row["duplicate_of"] is not None:  # its runs belong to the original, perhaps of another launch
        return machines_of(studies, name, row["duplicate_of"])
    host = row["launch"]["host"]
    return frozenset(machine_label(host, run["device"], run["threads"]) for run in row["runs"])


def compare(
    studies: Studies, configurations: Sequence[Configuration], metric: str, margin: float | None = None
) -> list[dict[str, Any]]:
    """Judge all pairs of configurations as one family, and return one row for each.

    Columns: a, b, metric, verdict, mean_a, mean_b, difference (intervals), confidence, p_holm, p_sign_flip, p_smallest,
    probability_a_better, design, margin, p_equivalent, left_out, differ (settings that differ, dotted).

    Raises:
        ConfigInvalid: if the metric is unknown or the same for all seeds, or fewer than two configurations are given.
    """
    if len(configurations) < 2:
        raise ConfigInvalid(f"compare needs at least two configurations, got {len(configurations)}; name another.")
    check_metric(metric)
    values = {str(each): studies.values(each.study, each.number, metric) for each in configurations}
    pairs = list(combinations(configurations, 2))
    verdicts = judge_pairs(pairs, metric, lambda each: values[str(each)], margin=margin)
    return [_row(a, b, metric, verdict) for (a, b), verdict in zip(pairs, verdicts, strict=True)]


def _row(a: Configuration, b: Configuration, metric: str, verdict: Verdict) -> dict[str, Any]:
    content = verdict.to_dict()
    return {
        "a": str(a),
        "b": str(b),
        "metric": metric,
        "verdict": str(verdict),
        "mean_a": content["a"],
        "mean_b": content["b"],
        **{name: content[name] for name in _SHOWN},
        "differ": [row["key"] for row in differences(a.config, b.config)],
    }


_SHOWN = (
    "difference", "confidence", "p_holm", "p_sign_flip", "p_smallest", "probability_a_better", "design", "margin",
    "p_equivalent", "left_out",
)  # fmt: skip
