"""What the quality was on average at each value of a searched parameter, whatever the other parameters were."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from reports.evidence import Evidence, Trial
from reports.numbers import parameter, spelled
from reports.tables import Row
from studies.interval import Interval
from studies.statistics import t_interval

MAX_SINGLE_VALUES = 8
BINS = 5
MIN_SHARED = 3


@dataclass(frozen=True)
class Effect:
    """The configurations that share a value, or lie in a range of values.

    Attributes:
        label: the value or range in words.
        position: where it stands on the axis of the parameter: the value itself, or the middle of the range.
        final, during: mean over configurations with a 95 % t interval; n counts configurations, not seeds.
    """

    label: str
    position: Any
    final: Interval
    during: Interval


def main_effects(evidence: Evidence, name: str) -> list[Effect]:
    """One effect per value where there are few, else per fifth of the configurations in the order of their values."""
    trials = [trial for trial in evidence.configurations if trial.params[name] is not None]
    is_ordered = all(_is_number(trial.params[name]) for trial in trials)
    is_range = is_ordered and "choice" not in evidence.record.spec["search"][name]
    if is_range and len({trial.params[name] for trial in trials}) > MAX_SINGLE_VALUES:
        trials.sort(key=lambda trial: (trial.params[name], trial.number))
        return [_range_effect(evidence, name, part) for part in _parts(trials)]
    by_value: dict[str, list[Trial]] = {}
    for trial in trials:
        by_value.setdefault(spelled(trial.params[name]), []).append(trial)
    groups = sorted(by_value.values(), key=lambda group: group[0].params[name] if is_ordered else 0)
    return [_effect(evidence, group, group[0].params[name], parameter(group[0].params[name])) for group in groups]


def effect_rows(effects: Mapping[str, Sequence[Effect]]) -> list[Row]:
    """Every effect of every parameter, exact."""
    return [
        {
            "parameter": name, "value": effect.label, "n": effect.final.n,
            "final": effect.final.mean, "final.low": effect.final.low, "final.high": effect.final.high,
            "during": effect.during.mean, "during.low": effect.during.low, "during.high": effect.during.high,
        }
        for name, found in effects.items()
        for effect in found
    ]  # fmt: skip


def well_known(effects: Sequence[Effect]) -> list[Effect]:
    """Those that rest on three configurations or more."""
    return [effect for effect in effects if effect.final.n >= MIN_SHARED]


def effect_span(effects: Sequence[Effect]) -> float | None:
    """Best minus worst mean among the well known: how much the parameter moves the quality on average."""
    means = [effect.final.mean for effect in well_known(effects) if effect.final.mean is not None]
    return max(means) - min(means) if len(means) > 1 else None


def _parts(trials: Sequence[Trial]) -> list[Sequence[Trial]]:
    cuts = [round(i * len(trials) / BINS) for i in range(BINS + 1)]
    return [trials[low:high] for low, high in pairwise(cuts) if high > low]


def _range_effect(evidence: Evidence, name: str, trials: Sequence[Trial]) -> Effect:
    low, high = trials[0].params[name], trials[-1].params[name]
    is_log = bool(evidence.record.spec["search"][name].get("log")) and low > 0
    middle = math.sqrt(low * high) if is_log else (low + high) / 2
    return _effect(evidence, trials, middle, f"{parameter(low)} to {parameter(high)}")


def _effect(evidence: Evidence, trials: Sequence[Trial], position: Any, label: str) -> Effect:
    final = t_interval([evidence.finals[trial.number] for trial in trials])
    during = t_interval([evidence.durings[trial.number] for trial in trials])
    return Effect(label, position, final, during)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
