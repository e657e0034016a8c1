"""Bounds on metrics, such as compression_ratio "<= 1.0", applied to a table of trials."""

from __future__ import annotations

import math
import operator
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hnet_core.configuration.shown_value import shown
from hnet_core.errors import ConfigInvalid
from hnet_core.registry import did_you_mean
from studies.metrics.definitions import METRICS
from studies.spec.yaml_subset import read_number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement

_BOUND = re.compile(r"\s*(<=|>=|<|>)\s*(\S+)\s*")
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


def parse_bound(metric: str, bound: str) -> tuple[str, float]:
    """Return the sign and the number of a bound; `parse_bound("compression_ratio", "<= 1")` is `("<=", 1.0)`.

    Raises:
        ConfigInvalid: if the metric is unknown or the bound is not one of < <= > >= and a finite number.
    """
    if metric not in METRICS:
        guess = did_you_mean(metric, METRICS, all_in="docs/schema.md")
        raise ConfigInvalid(f"constraints: unknown metric {metric!r}{guess}.")
    match = _BOUND.fullmatch(str(bound))
    number = read_number(match[2]) if match else None
    if match is None or number is None or not math.isfinite(number):
        raise ConfigInvalid(f'constraints: {metric} must have a bound such as "<= 1.0", got {shown(bound)}.')
    return match[1], number


def violation(value: float | None, sign: str, bound: float) -> float:
    """Return the distance of a value from its bound, above 0 exactly if it breaks it; a missing value does."""
    if value is None or math.isnan(value):
        return 1.0
    if _COMPARE[sign](value, bound):
        return -abs(value - bound)
    return min(max(abs(value - bound), sys.float_info.min), sys.float_info.max)


def within(columns: Mapping[str, ColumnElement[Any]], constraints: Mapping[str, str]) -> Iterator[ColumnElement[bool]]:
    """Yield the bounds as SQL conditions, one each."""
    for metric, bound in constraints.items():
        sign, number = parse_bound(metric, bound)
        yield _COMPARE[sign](columns[metric], number)


def feasible(
    values: Callable[[str], NDArray[np.float64]], constraints: Mapping[str, str], n_trials: int
) -> NDArray[np.bool_]:
    """Return a mask of trials that meet every bound by their means, (n_trials,); a missing metric (NaN) does not.

    Args:
        values: the means of a metric, (n_trials,).
    """
    import numpy as np

    mask = np.ones(n_trials, dtype=bool)
    for metric, bound in constraints.items():
        sign, number = parse_bound(metric, bound)
        mask &= _COMPARE[sign](values(metric), number)
    return mask


@dataclass(frozen=True)
class Constraint:
    """metric <= bound or metric >= bound."""

    metric: str
    sign: str
    bound: float

    @classmethod
    def parse(cls, metric: str, text: str) -> Constraint:
        return cls(metric, *parse_bound(metric, text))

    def violation(self, value: float) -> float:
        """Return by how much `value` violates the bound; zero or less is feasible (Optuna's convention)."""
        return value - self.bound if self.sign.startswith("<") else self.bound - value

    def __str__(self) -> str:
        return f"{self.metric} {self.sign} {self.bound:g}"
