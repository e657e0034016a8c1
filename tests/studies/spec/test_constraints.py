from __future__ import annotations

import numpy as np
import pytest

from hnet_core.errors import ConfigInvalid
from studies.spec.constraints import feasible, parse_bound


@pytest.mark.parametrize(
    ("bound", "parsed"),
    [("<= 1.0", ("<=", 1.0)), ("<1", ("<", 1.0)), (" >=  0.9 ", (">=", 0.9)), ("> 1e-3", (">", 1e-3))],
)
def test_bound_is_a_sign_and_a_number(bound: str, parsed: tuple[str, float]) -> None:
    assert parse_bound("compression_ratio", bound) == parsed


@pytest.mark.parametrize("bound", ["1.0", "== 1", "<= nan", "<= inf", "<= one", "<=", "", "<= 1 2"])
def test_what_is_no_bound_is_refused(bound: str) -> None:
    with pytest.raises(ConfigInvalid, match=r'compression_ratio must have a bound such as "<= 1\.0"'):
        parse_bound("compression_ratio", bound)


def test_unknown_metric_is_refused_with_a_suggestion() -> None:
    with pytest.raises(ConfigInvalid, match="'compresion_ratio'; did you mean 'compression_ratio'"):
        parse_bound("compresion_ratio", "<= 1")


def test_trial_is_feasible_if_it_meets_every_bound() -> None:
    values = {
        "compression_ratio": np.array([0.5, 1.0, 1.1, 0.5]),
        "final_accuracy": np.array([0.9, 0.95, 0.99, np.nan]),
    }
    assert feasible(values.__getitem__, {}, 4).tolist() == [True] * 4
    assert feasible(values.__getitem__, {"compression_ratio": "<= 1"}, 4).tolist() == [True, True, False, True]
    both = {"compression_ratio": "< 1", "final_accuracy": "> 0.8"}
    assert feasible(values.__getitem__, both, 4).tolist() == [True, False, False, False]
