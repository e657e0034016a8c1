"""Configurations side by side: who is better by which metric, and in what they differ besides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from hnet_core.errors import ConfigInvalid
from hnet_core.registry import did_you_mean
from studies.errors import TrialNotFound
from studies.metrics.definitions import METRICS, SELECTED_BY, VARYING
from studies.statistics.paired_tests import by_seed
from studies.statistics.verdicts import Verdict, judge, not_comparable

if TYPE_CHECKING:
    from studies.queries.studies import Studies

# Two configurations that differ here answered different questions.
SAME = ("stream", "scenario")
# Wall time says something about a method only on the same device.
TIMED = ("seconds", "peak_memory_mib")


@dataclass(frozen=True)
class Side:
    """One configuration to compare: a trial of a study."""

    study: str
    number: int
    config: Mapping[str, Any]
    measure: str
    devices: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.study}:{self.number}"


def find_side(studies: Studies, text: str) -> Side:
    """The configuration a person names: `STUDY:NUMBER`, or `STUDY` for its best by the first objective.

    The best is chosen on the validation split where there is one, so that the comparison on the test split is fair.

    Raises:
        StudyNotFound, TrialNotFound: if there is none, or the study has no finished trial.
    """
    name, number = _split(studies, text)
    if number is None:
        number = _best(studies, name)
    row = studies.trial(name, number)
    devices = tuple(sorted({run["device"] for run in row["runs"]}))
    return Side(name, number, row["config"], row["measure"], devices)


def compare(studies: Studies, sides: Sequence[Side], metric: str, margin: float | None = None) -> list[dict[str, Any]]:
    """One row for each pair of sides, all judged together as one family.

    Columns: a, b, metric, verdict, mean_a, mean_b, difference (intervals), confidence, p_holm, p_sign_flip, p_smallest,
    probability_a_better, design, margin, p_equivalent, left_out, differ (settings that differ, dotted).

    Raises:
        ConfigInvalid: if the metric is unknown or the same for all seeds, or fewer than two sides are given.
    """
    if len(sides) < 2:
        raise ConfigInvalid(f"compare needs at least two configurations, got {len(sides)}; name another.")
    if metric not in VARYING:
        raise ConfigInvalid(
            f"--metric must be one that differs between seeds, got {metric!r}{did_you_mean(metric, list(VARYING))}."
        )
    values = [studies.values(side.study, side.number, metric) for side in sides]
    pairs = list(combinations(range(len(sides)), 2))
    samples = [by_seed(values[i], values[j]) for i, j in pairs]
    reasons = [_why_not(sides[i], sides[j], metric) for i, j in pairs]
    judged = iter(
        judge(
            [one for one, reason in zip(samples, reasons, strict=True) if reason is None],
            better=METRICS[metric].better,
            margin=margin,
        )
    )
    verdicts = [
        next(judged) if reason is None else not_comparable(reason, one)
        for one, reason in zip(samples, reasons, strict=True)
    ]
    return [_row(sides[i], sides[j], metric, verdict) for (i, j), verdict in zip(pairs, verdicts, strict=True)]


def _why_not(a: Side, b: Side, metric: str) -> str | None:
    """Why two configurations must not be compared, whatever the numbers say."""
    if METRICS[metric].measure not in (None, a.measure) or a.measure != b.measure:
        return f"{metric} is not what both measured ({a.measure} and {b.measure})"
    for part in SAME:
        if a.config.get(part) != b.config.get(part):
            keys = ", ".join(row["key"] for row in differences({part: a.config.get(part)}, {part: b.config.get(part)}))
            return f"different tasks: {keys}"
    if metric in TIMED and a.devices != b.devices:
        return f"run on different devices: {' / '.join(a.devices)} and {' / '.join(b.devices)}"
    return None


def _row(a: Side, b: Side, metric: str, verdict: Verdict) -> dict[str, Any]:
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


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What differs between two nested settings: key (dotted), a, b; None where one does not have it."""
    flat_a, flat_b = dict(_flat(a)), dict(_flat(b))
    keys = dict.fromkeys([*flat_a, *flat_b])
    return [
        {"key": key, "a": flat_a.get(key), "b": flat_b.get(key)} for key in keys if flat_a.get(key) != flat_b.get(key)
    ]


def _split(studies: Studies, text: str) -> tuple[str, int | None]:
    name, colon, number = text.rpartition(":")
    if colon and number.isdecimal() and text not in studies.names():  # a study may be called a:1 too
        return name, int(number)
    return text, None


def _best(studies: Studies, name: str) -> int:
    record = studies.study(name)
    metric, direction = next(iter(record.objectives.items()), ("final_accuracy", "maximize"))
    finished = "state == 'COMPLETE' and duplicate_of is None"
    sign = "-" if direction == "maximize" else ""
    chosen_by = (
        f"{sign}{SELECTED_BY.get(metric, metric)},{sign}{metric}"  # without a validation split all miss the first
    )
    rows = list(studies.trial_rows(name, finished, chosen_by, 1).dicts())
    if not rows:
        raise TrialNotFound(f"study {name!r} has no finished trial to compare; see: hnet study trials {name}")
    return int(rows[0]["number"])


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
