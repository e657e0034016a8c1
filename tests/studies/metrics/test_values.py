"""Metrics against hand-made values, a slow obvious version, and properties of every matrix."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnet_core.trial import Matrix, TrialResult, WeightCounts
from studies.metrics.definitions import METRICS
from studies.metrics.values import run_metrics, static_metrics

COUNTS = WeightCounts(1000, 300, 250, per_task=8, trained=300, mask_bits=9, memory_bytes=40, inference=900)


def result(test: Any, validation: Any = None, measure: Any = "accuracy", counts: WeightCounts = COUNTS) -> TrialResult:
    return TrialResult(
        config_hash="0" * 16,
        seed=0,
        measure=measure,
        counts=counts,
        test=test,
        validation=validation,
        untrained=(0.1,) * len(test),
        seconds=(1.5,) * len(test),
        peak_memory_mib=400.0,
        device="cpu",
        threads=1,
        data_checksum="0" * 16,
    )


N = None
LOWER = ((0.9, N, N), (0.95, 0.8, N), (0.7, 0.82, 0.6))


def test_accuracies_with_the_task_known_and_inferred_are_means_over_the_last_rows() -> None:
    def matrix(*last: float) -> Any:
        return ((1.0, N, N), (1.0, 1.0, N), last)

    inferred = dataclasses.replace(
        result(LOWER),
        known_task=matrix(0.9, 0.8, 1.0),
        inferred_task=matrix(0.5, 0.6, 0.7),
        task_inference=matrix(0.0, 0.3, 0.6),
    )
    metrics = run_metrics(inferred)
    assert metrics["final_accuracy"] == run_metrics(result(LOWER))["final_accuracy"]
    found = [metrics[f"{name}_accuracy"] for name in ("known_task", "inferred_task", "task_inference")]
    assert found == pytest.approx([0.9, 0.6, 0.3])
    falling = dataclasses.replace(result(LOWER), known_task=LOWER)
    assert run_metrics(falling)["known_task_during_accuracy"] == pytest.approx((0.9 + 0.8 + 0.6) / 3)


def test_the_cosine_of_the_gradients_is_the_mean_over_the_tasks_after_the_first() -> None:
    cosines = ((N, N, N), (N, 0.5, N), (N, N, -0.25))
    assert run_metrics(dataclasses.replace(result(LOWER), gradient_cosine=cosines))["gradient_cosine"] == 0.125
    of_two = dataclasses.replace(result(LOWER), gradient_cosine=cosines[:2])
    assert run_metrics(of_two)["gradient_cosine"] is None, "a task is missing"


def test_metrics_of_a_matrix_worked_out_by_hand() -> None:
    metrics = run_metrics(result(LOWER, validation=((0.5, N, N), (0.5, 0.5, N), (0.6, 0.7, 0.8))))
    assert list(metrics) == list(METRICS)
    assert metrics == {
        "final_accuracy": pytest.approx((0.7 + 0.82 + 0.6) / 3),
        "during_accuracy": pytest.approx((0.9 + 0.8 + 0.6) / 3),
        "average_incremental_accuracy": pytest.approx((0.9 + (0.95 + 0.8) / 2 + (0.7 + 0.82 + 0.6) / 3) / 3),
        "validation_final_accuracy": pytest.approx(0.7),
        "known_task_accuracy": None,
        "known_task_during_accuracy": None,
        "inferred_task_accuracy": None,
        "task_inference_accuracy": None,
        "gradient_cosine": None,
        "forgetting": pytest.approx(((0.95 - 0.7) + (0.8 - 0.82)) / 2),
        "forgetting_first": pytest.approx(((0.9 - 0.7) + (0.8 - 0.82)) / 2),
        "forgetting_mammoth": pytest.approx(((0.95 - 0.7) + 0) / 2),
        "backward_transfer": pytest.approx(-((0.9 - 0.7) + (0.8 - 0.82)) / 2),
        "forward_transfer": None,
        "final_mse": None,
        "during_mse": None,
        "validation_final_mse": None,
        "compression_ratio": 0.3,
        "compression_level": pytest.approx(0.7),
        "hypernet_ratio": 0.25,
        "model_weights": 300,
        "hypernet_weights": 250,
        "target_weights": 1000,
        "trained_weights": 300,
        "weights_per_task": 8,
        "model_bytes": 1202,
        "memory_bytes": 40,
        "inference_multiply_adds": 900,
        "generation_multiply_adds": None,
        "seconds": 4.5,
        "peak_memory_mib": 400.0,
    }


def test_forgetting_is_measured_from_the_best_row_not_the_first() -> None:
    rising = ((0.5, N, N), (0.9, 0.5, N), (0.6, 0.5, 0.5))
    assert run_metrics(result(rising))["forgetting"] == pytest.approx((0.3 + 0.0) / 2)


def test_forward_transfer_is_measured_before_a_task_is_trained() -> None:
    full = ((0.9, 0.4, 0.3), (0.8, 0.9, 0.6), (0.7, 0.8, 0.9))
    assert run_metrics(result(full))["forward_transfer"] == pytest.approx(((0.4 - 0.1) + (0.6 - 0.1)) / 2)
    unseen_next_task = ((0.9, 0.4, 0.3), (0.8, 0.9, N), (0.7, 0.8, 0.9))
    assert run_metrics(result(unseen_next_task))["forward_transfer"] is None


def test_forgetting_by_name_follows_each_definition() -> None:
    """Task 1 rises, falls and is best at the end: the three papers disagree on what was forgotten."""
    metrics = run_metrics(result(((0.6, N, N), (0.5, 0.8, N), (0.7, 0.6, 0.9))))
    assert metrics["forgetting"] == pytest.approx(((0.6 - 0.7) + (0.8 - 0.6)) / 2)  # RWalk: best before the end
    assert metrics["forgetting_first"] == pytest.approx(((0.6 - 0.7) + (0.8 - 0.6)) / 2)  # Avalanche: when trained
    assert metrics["forgetting_mammoth"] == pytest.approx((0 + (0.8 - 0.6)) / 2)  # Mammoth: best, end included
    assert metrics["backward_transfer"] == -metrics["forgetting_first"]  # type: ignore[operator]


def test_forgetting_is_negative_where_later_tasks_helped() -> None:
    assert run_metrics(result(((0.5, N), (0.9, 0.9))))["forgetting"] == pytest.approx(-0.4)


@pytest.mark.parametrize("hole", [(0, 0), (1, 0), (2, 0), (1, 1), (2, 1), (2, 2)])
def test_forgetting_is_not_taken_from_the_best_of_a_column_with_a_hole(hole: tuple[int, int]) -> None:
    rows = [[0.9, 0.1, 0.1, 0.1], [0.8, 0.9, 0.1, 0.1], [0.7, 0.8, 0.9, 0.1], [0.6, 0.7, 0.8, 0.9]]
    assert run_metrics(result(tuple(map(tuple, rows))))["forgetting"] == pytest.approx((0.3 + 0.2 + 0.1) / 3)
    rows[hole[0]][hole[1]] = None  # type: ignore[call-overload]
    metrics = run_metrics(result(tuple(map(tuple, rows))))
    assert (metrics["forgetting"], metrics["forgetting_mammoth"]) == (None, None)
    is_first = hole[0] == hole[1]
    assert (metrics["forgetting_first"] is None) == (metrics["backward_transfer"] is None) == is_first


def test_forgetting_needs_no_value_from_before_a_task_was_trained() -> None:
    assert run_metrics(result(((0.9, 0.3, N), (0.8, 0.7, N), (0.7, 0.6, 0.9))))["forgetting"] == pytest.approx(0.15)


def test_method_that_trains_all_tasks_at_once_has_no_during_and_no_forgetting() -> None:
    metrics = run_metrics(result(((N, N), (0.9, 0.8))))
    assert metrics["final_accuracy"] == pytest.approx(0.85)
    assert metrics["during_accuracy"] is None
    assert {metrics[name] for name in TRANSFER} == {None}


def test_single_task_has_nothing_to_forget() -> None:
    metrics = run_metrics(result(((0.9,),)))
    assert metrics["final_accuracy"] == metrics["during_accuracy"] == 0.9
    assert metrics["forgetting"] is None


def test_mse_fills_its_own_metrics_only() -> None:
    metrics = run_metrics(result(((0.1, N), (0.3, 0.2)), validation=((0.1, N), (0.4, 0.2)), measure="mse"))
    assert metrics["final_mse"] == pytest.approx(0.25)
    assert metrics["during_mse"] == pytest.approx(0.15)
    assert metrics["validation_final_mse"] == pytest.approx(0.3)
    accuracies = [name for name, metric in METRICS.items() if metric.measure == "accuracy"]
    assert {metrics[name] for name in accuracies} == {None}


def test_mean_is_not_taken_over_a_row_with_a_hole() -> None:
    assert run_metrics(result(((0.9, N), (N, 0.8))))["final_accuracy"] is None


def test_published_ratios_come_out_of_the_counts() -> None:
    """von Oswald et al. (2020): 122,459 weights in place of 122,700; a target of 478,410 from 465,672."""
    assert static_metrics(WeightCounts(122_700, 122_459, 122_459, 0))["hypernet_ratio"] == pytest.approx(
        0.998, abs=5e-4
    )
    ratio = static_metrics(WeightCounts(478_410, 465_672, 465_672, 96))["compression_ratio"]
    assert ratio == pytest.approx(0.9734, abs=5e-5)


def test_static_metrics_are_those_of_every_run() -> None:
    static = static_metrics(COUNTS)
    assert set(static) == {name for name, metric in METRICS.items() if metric.kind == "count"}
    metrics = run_metrics(result(LOWER))
    assert {name: metrics[name] for name in static} == static


@st.composite
def matrices(draw: st.DrawFn) -> Matrix:
    """Square matrices with holes, the shape of any method's result."""
    n_tasks = draw(st.integers(1, 5))
    cell = st.one_of(st.none(), st.floats(0, 1))
    full = draw(st.booleans())
    return tuple(
        tuple(draw(st.floats(0, 1)) if full and j <= i else draw(cell) for j in range(n_tasks)) for i in range(n_tasks)
    )


@given(matrices(), st.one_of(st.none(), matrices()))
def test_metrics_equal_the_obvious_slow_version(test: Matrix, validation: Matrix | None) -> None:
    if validation is not None and len(validation) != len(test):
        validation = None
    metrics = run_metrics(result(test, validation))
    assert metrics["final_accuracy"] == _close(_mean(test[-1]))
    assert metrics["during_accuracy"] == _close(_mean([test[j][j] for j in range(len(test))]))
    assert metrics["validation_final_accuracy"] == _close(_mean(validation[-1]) if validation else None)
    for name, slow in TRANSFER.items():
        assert metrics[name] == _close(slow(test)), name
    averages = [_mean(row[: k + 1]) for k, row in enumerate(test)]
    assert metrics["average_incremental_accuracy"] == _close(_mean(averages))


@given(matrices(), st.integers(0, 10**6))
def test_accuracies_stay_in_their_range(test: Matrix, _: int) -> None:
    metrics = run_metrics(result(test))
    for name in ("final_accuracy", "during_accuracy"):
        value = metrics[name]
        assert value is None or 0 <= value <= 1 + 1e-12
    forgetting = metrics["forgetting"]
    assert forgetting is None or -1 - 1e-12 <= forgetting <= 1 + 1e-12


def _slow_forgetting(a: Matrix, end_counts: bool = False) -> float | None:
    lost = []
    for j in range(len(a) - 1):
        earlier = [row[j] for row in a[:-1] if row[j] is not None]
        last = a[-1][j]
        if last is None or None in [row[j] for row in a[j:-1]]:
            return None
        lost.append(max([*earlier, last] if end_counts else earlier) - last)
    return _mean(lost)


def _slow_difference(pairs: list[tuple[float | None, float | None]]) -> float | None:
    return _mean([None if x is None or y is None else x - y for x, y in pairs])


TRANSFER = {
    "forgetting": _slow_forgetting,
    "forgetting_first": lambda a: _slow_difference([(a[j][j], a[-1][j]) for j in range(len(a) - 1)]),
    "forgetting_mammoth": lambda a: _slow_forgetting(a, end_counts=True),
    "backward_transfer": lambda a: _slow_difference([(a[-1][j], a[j][j]) for j in range(len(a) - 1)]),
    "forward_transfer": lambda a: _slow_difference([(a[j - 1][j], 0.1) for j in range(1, len(a))]),
}


def _mean(values: Any) -> float | None:
    values = list(values)
    return None if not values or None in values else math.fsum(values) / len(values)


def _close(value: float | None) -> Any:
    return None if value is None else pytest.approx(value, abs=1e-12)


def test_result_survives_the_way_from_worker_to_driver() -> None:
    there = result(LOWER)
    assert run_metrics(TrialResult.from_dict(there.to_dict())) == run_metrics(there)
    assert run_metrics(dataclasses.replace(there, seconds=(1.0, 2.0, 3.0)))["seconds"] == 6.0
