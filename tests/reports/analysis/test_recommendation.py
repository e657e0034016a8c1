"""The recommendation names the right configurations and their limits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.analysis.recommendation import ONE_POINT, recommend
from reports.data.study_data import Quality
from studies.metrics.definitions import METRICS
from studies.statistics.interval import Interval
from tests.reports.cases import SPEC, make_study_data, make_trial, measured

TEST_ONLY = Quality("final_accuracy", "during_accuracy", "final_accuracy", "accuracy")


def test_the_best_is_chosen_on_validation_and_reported_on_test() -> None:
    trials = [make_trial(0, 0.5, 0.99, 0.90), make_trial(1, 0.8, 0.94, 0.96)]
    found = recommend(make_study_data(trials, front=[0, 1]))
    assert found.best is trials[1]
    assert "0.940 (95\u00a0% interval [0.930, 0.950], 3 seeds) at compression ratio 0.800" in found.headline


def test_of_equals_the_smaller_one_is_best() -> None:
    trials = [make_trial(0, 0.5, 0.9, 0.9), make_trial(1, 0.3, 0.9, 0.9), make_trial(2, 0.4, 0.9, 0.9)]
    assert recommend(make_study_data(trials, front=[1])).best is trials[1]


def test_the_smallest_within_one_point_is_named_with_its_price() -> None:
    trials = [make_trial(0, 0.8, 0.960, 0.960), make_trial(1, 0.4, 0.953, 0.951), make_trial(2, 0.1, 0.949, 0.949)]
    found = recommend(make_study_data(trials, front=[2, 1, 0]))
    assert found.near is trials[1]
    assert "going down to ratio 0.400 costs 0.70 points (the intervals overlap)" in found.headline


def test_a_smaller_one_that_is_no_worse_costs_nothing() -> None:
    trials = [make_trial(0, 0.8, 0.950, 0.960), make_trial(1, 0.4, 0.952, 0.955)]
    assert "costs nothing on test" in recommend(make_study_data(trials, front=[1, 0])).headline


def test_exactly_one_point_is_within_one_point() -> None:
    trials = [make_trial(0, 0.8, 0.96, 0.96), make_trial(1, 0.4, 0.95, 0.95)]
    assert recommend(make_study_data(trials, front=[1, 0])).near is trials[1]


def test_an_error_of_zero_has_a_price_too() -> None:
    trials = [make_trial(0, 0.8, 0.0), make_trial(1, 0.4, 0.0), make_trial(2, 0.9, 0.5)]
    quality = Quality("final_mse", "during_mse", "final_mse", "mean squared error")
    errors = [replace(t, metrics=measured({**t.metrics, "final_mse": t["final_accuracy"]})) for t in trials]
    found = recommend(make_study_data(errors, front=[1], quality=quality))
    assert (found.best, found.near) == (errors[1], errors[1])


def test_no_smaller_one_is_said_to_come_near_when_none_does() -> None:
    trials = [make_trial(0, 0.8, 0.96, 0.96), make_trial(1, 0.4, 0.90, 0.90)]
    assert (
        "no smaller configuration is within one point of it"
        in recommend(make_study_data(trials, front=[1, 0])).headline
    )


def test_the_knee_is_the_point_furthest_above_the_chord() -> None:
    # ratios 0.01, 0.1, 1: equal steps on the log axis; the middle one holds nearly all of the gain
    trials = [make_trial(0, 0.01, 0.70, 0.70), make_trial(1, 0.1, 0.90, 0.90), make_trial(2, 1.0, 0.95, 0.95)]
    assert recommend(make_study_data(trials, front=[0, 1, 2])).knee is trials[1]


@pytest.mark.parametrize("middle", [0.80, 0.825])
def test_a_front_that_never_rises_above_its_chord_has_no_knee(middle: float) -> None:
    trials = [make_trial(0, 0.01, 0.70, 0.70), make_trial(1, 0.1, middle, middle), make_trial(2, 1.0, 0.95, 0.95)]
    assert recommend(make_study_data(trials, front=[0, 1, 2])).knee is None


def test_a_front_under_other_objectives_has_no_knee() -> None:
    trials = [make_trial(0, 0.01, 0.70, 0.70), make_trial(1, 0.1, 0.90, 0.90), make_trial(2, 1.0, 0.95, 0.95)]
    spec = {**SPEC, "objectives": {"final_accuracy": "maximize", "seconds": "minimize"}}
    assert recommend(make_study_data(trials, front=[0, 1, 2], spec=spec)).knee is None


def test_a_front_of_one_point_is_said_to_show_no_tradeoff() -> None:
    found = recommend(make_study_data([make_trial(0, 0.5, 0.9, 0.9)], front=[0]))
    assert any("single point" in remark for remark in found.remarks)


def test_a_study_with_one_objective_is_said_to_show_no_tradeoff() -> None:
    spec = {**SPEC, "objectives": {"final_accuracy": "maximize"}}
    found = recommend(make_study_data([make_trial(0, 0.5, 0.9, 0.9)], front=[0], spec=spec))
    assert [remark for remark in found.remarks if "trade-off" in remark] == [found.remarks[0]]
    assert "single objective" in found.remarks[0]


def test_a_study_without_validation_is_said_to_be_optimistic() -> None:
    found = recommend(make_study_data([make_trial(0, 0.5, 0.9)], front=[0], quality=TEST_ONLY))
    assert any("optimistic" in remark for remark in found.remarks)


def test_one_seed_is_said_to_have_no_interval() -> None:
    assert any("1 seed" in remark for remark in recommend(make_study_data([make_trial(0, 0.5, 0.9, 0.9, n=1)])).remarks)


def test_a_best_one_that_is_larger_than_its_target_is_said_not_to_compress() -> None:
    assert any(
        "does not compress" in remark for remark in recommend(make_study_data([make_trial(0, 1.5, 0.9, 0.9)])).remarks
    )


@pytest.mark.parametrize(
    ("ratio", "front", "end"),
    [
        (1.0, [0, 1, 2], "; the best that compresses reaches 0.910 "),
        (
            1.5,
            [3, 0, 1, 2],
            "at compression ratio 0.600; the knee of the front is at compression ratio 0.300 with 0.880 ",
        ),
        (1.0, [3, 1, 2], "at compression ratio 0.600, the knee of the front."),
    ],
)
def test_beside_a_reference_of_the_full_size_the_best_that_compresses_is_named(
    ratio: float, front: list[int], end: str
) -> None:
    trials = [make_trial(0, 0.3, 0.88, 0.88), make_trial(1, 0.6, 0.91, 0.91), make_trial(2, ratio, 0.95, 0.95)]
    trials.append(make_trial(3, 0.2, 0.2, 0.2))
    headline = recommend(make_study_data(trials, front=front)).headline
    assert "0.950" in headline.partition(";")[0]
    assert end in headline


def test_two_seeds_are_said_to_show_nothing() -> None:
    two = Interval(0.9, 0.4, 1.0, 2)
    values = dict.fromkeys(METRICS, two) | {"compression_ratio": Interval(0.5, None, None, 2)}
    found = recommend(make_study_data([make_trial(0, 0.5, 0.9, 0.9, metrics=measured(values), n=2)]))
    assert any("two seeds show nothing" in remark for remark in found.remarks)


def test_infeasible_configurations_are_never_recommended() -> None:
    trials = [make_trial(0, 0.5, 0.99, 0.99), make_trial(1, 0.4, 0.9, 0.9)]
    assert recommend(make_study_data(trials, front=[1], feasible=[1])).best is trials[1]
    too_large = [make_trial(0, 1.5, 0.99, 0.99), make_trial(1, 1.25, 0.9, 0.9)]
    none = recommend(make_study_data(too_large, feasible=[]))
    assert none.best is None
    assert none.headline.endswith(
        "none of the 2 finished configurations meets the constraint compression_ratio <= 1.0; "
        "the nearest is 1.25 (trial 1)."
    )


def test_a_study_where_nothing_finished_says_what_happened() -> None:
    trials = [make_trial(i, 0.5, 0.9, state=state) for i, state in enumerate(["FAILED", "FAILED", "SKIPPED"])]
    assert recommend(make_study_data(trials)).headline.endswith(
        "no configuration has finished (3 trials: 2 failed, 1 skipped)."
    )
    assert "no trial of this study has started" in recommend(make_study_data([])).headline


@given(st.lists(st.tuples(*[st.sampled_from([0.1, 0.5, 0.9, 0.905, 0.91])] * 2), min_size=1, max_size=12))
def test_best_and_smallest_near_it_are_found_as_by_going_through_all(drawn: list[tuple[float, float]]) -> None:
    trials = [make_trial(number, ratio, value, value) for number, (ratio, value) in enumerate(drawn)]
    found = recommend(make_study_data(trials, feasible=range(0, len(trials), 2)))
    allowed = trials[::2]
    best = min(
        allowed, key=lambda trial: (-trial.value("final_accuracy"), trial.value("compression_ratio"), trial.number)
    )
    limit = best.value("final_accuracy") - ONE_POINT
    close = [trial for trial in allowed if trial.value("final_accuracy") >= limit]
    assert found.best is best
    assert found.near is min(
        close, key=lambda trial: (trial.value("compression_ratio"), -trial.value("final_accuracy"), trial.number)
    )


@pytest.mark.parametrize(
    ("objectives", "front", "remark"),
    [
        ({"final_accuracy": "maximize"}, [2], "the highest final accuracy, so its front is its best configuration"),
        ({"compression_ratio": "minimize"}, [0], "the lowest compression ratio, so its front is trial 0"),
        ({"forgetting": "minimize"}, [0, 1], "the lowest forgetting (max), so its front is trials 0 and 1"),
        (
            {"final_accuracy": "maximize", "forgetting": "minimize"}, [2],
            "a single point, trial 2: it has the highest final accuracy and lowest forgetting (max)",
        ),
        ({"final_accuracy": "maximize", "compression_ratio": "minimize"}, [2], "also the smallest one worth having"),
    ],
)  # fmt: skip
def test_a_front_without_a_tradeoff_is_described_by_the_objectives_there_are(
    objectives: dict[str, str], front: list[int], remark: str
) -> None:
    values = (0.5, 0.6, 0.7)
    trials = [make_trial(number, 0.1 * (number + 1), value, value) for number, value in enumerate(values)]
    data = make_study_data(trials, front=front, spec={**SPEC, "objectives": objectives})
    found = recommend(data)
    assert remark in found.remarks[0]
    assert found.best is trials[2]
