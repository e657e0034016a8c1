"""The rule for which configurations may be compared, and the verdicts on pairs of them.

`hnet study compare` and `hnet report compare` both judge by `judge_pairs`, so they refuse for the same reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from hnet_core import dotted_keys
from hnet_core.errors import ConfigInvalid
from hnet_core.registry import did_you_mean
from studies.metrics.definitions import METRICS, VARYING
from studies.spec.setting_text import setting_text
from studies.statistics.intervals import bounded, bounded_difference
from studies.statistics.paired_tests import by_seed
from studies.statistics.verdicts import Verdict, judge, not_comparable

# More steps or larger batches are more training data seen, which makes no method better.
BUDGET = ("training.iterations", "training.epochs", "training.batch_size")


class Comparable(Protocol):
    """A configuration, with the data and the machine its seeds were trained on.

    Attributes:
        config: the whole trial block.
        measure: accuracy or mse.
        n_tasks: the numbers of tasks of its seeds; empty where no seed has finished.
        data: checksums of the data; empty where no seed has finished.
        machines: host, device and threads of its seeds, None for a machine that is not known.
    """

    @property
    def config(self) -> Mapping[str, Any]: ...
    @property
    def measure(self) -> str: ...
    @property
    def n_tasks(self) -> frozenset[int]: ...
    @property
    def data(self) -> frozenset[str]: ...
    @property
    def machines(self) -> frozenset[str | None]: ...


C = TypeVar("C", bound=Comparable)


def why_not_comparable(a: Comparable, b: Comparable, metric: str) -> str | None:
    """Return the reason why a difference in `metric` would not be due to the methods, or None."""
    return next(_reasons(a, b, metric), None)


def why_different_tasks(a: Comparable, b: Comparable) -> str | None:
    """Return what makes the tasks of two configurations different, or None."""
    streams = list(differences({"stream": a.config.get("stream")}, {"stream": b.config.get("stream")}))
    if streams:
        return f"different streams: {', '.join(_difference(**row) for row in streams)}"
    scenarios = [each.config.get("scenario") for each in (a, b)]
    if scenarios[0] != scenarios[1]:
        return f"different scenarios: {_text(scenarios[0])} and {_text(scenarios[1])}"
    # An imported configuration does not say how many tasks there were; its runs do.
    if a.n_tasks and b.n_tasks and (a.n_tasks != b.n_tasks or len(a.n_tasks) > 1):
        return f"different numbers of tasks: {numbers_text(a.n_tasks)} and {numbers_text(b.n_tasks)}"
    return None


def why_different_machines(machines: Sequence[frozenset[str | None]]) -> str | None:
    """Return why times measured on these machines must not be compared, or None."""
    if any(None in each for each in machines):
        return "machines not known"
    if len(frozenset().union(*machines)) > 1:
        names = ("several" if len(each) > 1 else "".join(map(str, each)) for each in machines)
        return f"different machines: {' and '.join(names)}"
    return None


def numbers_text(numbers: Collection[int]) -> str:
    """Format numbers in ascending order: `3 or 5`."""
    return " or ".join(map(str, sorted(numbers)))


def judge_pairs(
    pairs: Sequence[tuple[C, C]],
    metric: str,
    values: Callable[[C], Mapping[int, float | None]],
    *,
    margin: float | None = None,
    alpha: float = 0.05,
) -> list[Verdict]:
    """Judge pairs together, in their order; those not comparable are left out of the adjustment.

    Args:
        metric: one that varies over seeds, see `check_metric`.
        values: the metric of each seed of a configuration, {seed: value}.
        margin, alpha: as for `studies.statistics.verdicts.judge`.
    """
    samples = [by_seed(values(a), values(b)) for a, b in pairs]
    reasons = [why_not_comparable(a, b, metric) for a, b in pairs]
    comparable = [each for each, reason in zip(samples, reasons, strict=True) if reason is None]
    judged = iter(judge(comparable, better=METRICS[metric].better, alpha=alpha, margin=margin))
    return [
        _bounded(metric, next(judged) if reason is None else not_comparable(reason, each))
        for each, reason in zip(samples, reasons, strict=True)
    ]


def _bounded(metric: str, verdict: Verdict) -> Verdict:
    """Cut the intervals of a verdict off at the bounds of the metric; the answer does not depend on it."""
    gap = verdict.difference
    return replace(
        verdict,
        a=bounded(metric, verdict.a),
        b=bounded(metric, verdict.b),
        difference=None if gap is None else bounded_difference(metric, gap),
    )


def check_metric(metric: str) -> None:
    """Refuse a metric that cannot be compared.

    Raises:
        ConfigInvalid: if it is unknown or the same for all seeds.
    """
    if metric not in VARYING:
        guess = did_you_mean(metric, list(VARYING), all_in="docs/schema.md")
        raise ConfigInvalid(f"--metric must vary over seeds, got {metric!r}{guess}.")


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List the settings in which two nested configurations differ: key (dotted), a, b; None where absent."""
    flat_a, flat_b = dict(dotted_keys.flatten(a)), dict(dotted_keys.flatten(b))
    keys = dict.fromkeys([*flat_a, *flat_b])
    return [
        {"key": key, "a": flat_a.get(key), "b": flat_b.get(key)} for key in keys if flat_a.get(key) != flat_b.get(key)
    ]


def _reasons(a: Comparable, b: Comparable, metric: str) -> Iterator[str]:
    if a.measure != b.measure:
        yield f"different measures: {a.measure} and {b.measure}"
    if METRICS[metric].measure not in (None, a.measure):
        yield f"{metric} is not defined for {a.measure}, which both measured"
    different_tasks = why_different_tasks(a, b)
    if different_tasks is not None:
        yield different_tasks
    if a.data and b.data and a.data != b.data:
        yield "different data: the checksums of the images differ"
    for key in BUDGET:
        left, right = (dotted_keys.get(each.config, key, None) for each in (a, b))
        if left != right:
            yield f"different budgets: {_difference(key, left, right)}"
    is_measured = a.data and b.data  # without a finished seed the number of seeds is the reason
    different_machines = why_different_machines([a.machines, b.machines])
    if METRICS[metric].kind == "cost" and is_measured and different_machines is not None:
        yield different_machines


def _difference(key: str, a: Any, b: Any) -> str:
    return f"{key} {_text(a)} and {_text(b)}"


def _text(value: Any) -> str:
    return "none" if value is None else setting_text(value)
