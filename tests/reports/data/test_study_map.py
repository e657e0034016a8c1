"""The arrays of a study agree with its report, and the points worth drawing are the ones that matter."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from reports.analysis.recommendation import recommend
from reports.data.study_data import read_study
from reports.data.study_map import BINS, StudyMap, read_map, read_one, read_some
from studies.queries.studies import Studies


@pytest.fixture(scope="module")
def map(sample: Studies) -> StudyMap:
    return read_map(sample, "sample-tradeoff")


def everything(map: StudyMap) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.ones(len(map), dtype=bool)


def test_the_arrays_are_those_of_the_report(sample: Studies, map: StudyMap) -> None:
    data = read_study(sample, "sample-tradeoff")
    assert map.numbers.tolist() == data.columns.numbers.tolist()
    assert map.finals.tolist() == data.columns["final_accuracy"].tolist()
    assert map.costs.tolist() == data.columns["compression_ratio"].tolist()
    assert set(map.numbers[map.on_front].tolist()) == data.on_front
    assert set(map.numbers[map.is_feasible].tolist()) == data.feasible
    assert map.quality == data.quality
    assert map.best == sample.choice("sample-tradeoff").best
    assert map.seeds.tolist() == [trial.n for trial in data.configurations]
    assert (np.diff(map.finished[np.argsort(map.numbers)]) >= 0).all()


def test_over_any_cost_the_arrays_are_those_of_the_report(sample: Studies) -> None:
    for x in ("compression_ratio", "memory_bytes", "seconds", "forgetting"):
        map, data = read_map(sample, "sample-tradeoff", x), read_study(sample, "sample-tradeoff", x)
        assert map.numbers.tolist() == data.columns.numbers.tolist()
        assert map.costs.tolist() == data.costs.tolist()
        assert set(map.numbers[map.on_front].tolist()) == data.on_front
        assert set(map.numbers[map.is_feasible].tolist()) == data.feasible
        assert (map.x, map.is_front_of_axis, map.machines) == (data.x, True, data.machines)
        best = recommend(data).best
        assert best is not None and map.best == best.number == sample.choice("sample-tradeoff", x).best
        some = read_some(sample, map, map.on_front)
        assert [trial.number for trial in some.front] == [trial.number for trial in data.front]
        assert some.front_is_tradeoff


def test_some_trials_are_read_as_the_report_reads_them(sample: Studies, map: StudyMap) -> None:
    data, some = read_study(sample, "sample-tradeoff"), read_some(sample, map, map.on_front)
    assert [trial.number for trial in some.front] == [trial.number for trial in data.front]
    for ours, theirs in zip(some.front, data.front, strict=True):
        assert ours["final_accuracy"] == theirs["final_accuracy"]
        assert ours.params == theirs.params


def test_one_trial_has_every_interval(sample: Studies) -> None:
    (trial,) = read_one(sample, "sample-tradeoff", 0, "accuracy").trials
    assert trial["average_incremental_accuracy"].low is not None
    assert trial["forgetting_first"].n == 3


def large(n: int) -> StudyMap:
    rng = np.random.default_rng(0)
    costs, finals = 10 ** rng.uniform(-2, 0, n), rng.uniform(0.5, 1, n)
    on_front = np.zeros(n, dtype=bool)
    on_front[rng.choice(n, 30, replace=False)] = True
    return _made(costs, finals, on_front)


def _made(costs: object, finals: object, on_front: object) -> StudyMap:
    n = len(costs)  # type: ignore[arg-type]
    base = StudyMap.__new__(StudyMap)
    fields = {
        "numbers": np.arange(n), "costs": costs, "finals": finals, "on_front": on_front, "best": None, "record": None,
        "is_feasible": np.ones(n, dtype=bool), "seeds": np.full(n, 3), "finished": np.arange(n, dtype=float),
        "objectives": {}, "quality": type("Quality", (), {"higher_is_better": True})(),
    }  # fmt: skip
    for name, value in fields.items():
        object.__setattr__(base, name, value)
    return base


def test_a_small_study_is_drawn_whole(map: StudyMap) -> None:
    assert map.worth_drawing(everything(map)).all()


def test_of_a_large_one_the_front_and_the_best_of_each_part_of_the_axis_are_drawn() -> None:
    made = large(20_000)
    drawn = made.worth_drawing(everything(made), at_most=2000)
    assert drawn.sum() == 2000
    assert drawn[made.on_front].all()
    edges = np.geomspace(made.costs.min(), made.costs.max(), BINS + 1)
    for low, high in pairwise(edges):
        inside = (made.costs >= low) & (made.costs < high)
        best = np.flatnonzero(inside)[made.finals[inside].argmax()]
        assert drawn[best]


def test_only_the_selection_is_drawn() -> None:
    made = large(5000)
    chosen = made.costs < 0.1
    drawn = made.worth_drawing(chosen, at_most=500)
    assert drawn.sum() == 500
    assert not (drawn & ~chosen).any()


def test_an_even_sample_spans_the_numbers() -> None:
    made = large(5000)
    sample = np.flatnonzero(made.evenly(everything(made), 100))
    assert len(sample) == 100
    assert sample[0] == 0
    assert sample[-1] == 4999


def test_numbers_are_found_among_the_configurations() -> None:
    made = replace_numbers(large(50), np.arange(0, 100, 2))
    assert np.flatnonzero(made.among(np.array([4, 5, 98, 200]))).tolist() == [2, 49]
    assert not made.among(np.array([], dtype=int)).any()


def replace_numbers(made: StudyMap, numbers: object) -> StudyMap:
    return replace(made, numbers=numbers)  # type: ignore[arg-type]
