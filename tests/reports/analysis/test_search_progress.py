"""Progress of a search against its slow definition: the front, or the best value, of every prefix."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.analysis.search_progress import best_steps, hypervolume_steps, search_progress, search_seconds
from reports.data.study_map import StudyMap, read_map
from reports.figures.search_progress import finding, progress_figures
from studies.queries.studies import Studies
from studies.statistics.hypervolume import front_hypervolume
from studies.statistics.pareto import hypervolume_2d
from tests.reports.cases import ACCURACY, make_record
from tests.reports.reading import read

POINTS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=30)


@given(POINTS)
def test_each_step_is_the_area_of_all_points_so_far(points: list[tuple[int, int]]) -> None:
    x, y = np.array(points, dtype=float).T
    steps, areas = hypervolume_steps(x, y, (6.0, 7.0))
    for n in range(1, len(points) + 1):
        expected = hypervolume_2d(np.column_stack([x[:n], y[:n]]), [6.0, 7.0], ["minimize", "minimize"])
        reached = [area for step, area in zip(steps, areas, strict=True) if step <= n]
        assert abs((reached[-1] if reached else 0.0) - expected) < 1e-9


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=30), st.sampled_from(["minimize", "maximize"]))
def test_the_best_value_is_that_of_all_values_so_far(values: list[int], direction: str) -> None:
    steps, reached = best_steps(np.array(values, dtype=float), direction)
    assert (np.diff(steps) > 0).all()
    for n in range(1, len(values) + 1):
        best = (min if direction == "minimize" else max)(values[:n])
        assert reached[steps <= n][-1] == best


def test_it_ends_at_the_hypervolume_of_the_study(sample: Studies) -> None:
    map = read_map(sample, "sample-tradeoff")
    (found,) = search_progress(map)
    assert (np.diff(found.values) > 0).all()
    rows = list(sample.trial_rows("sample-tradeoff", "state == 'COMPLETE' and compression_ratio <= 1").dicts())
    whole = front_hypervolume(rows, map.record.objectives)
    assert whole is not None
    assert abs(found.values[-1] - whole["value"]) < 1e-9


def study_map(
    objectives: dict[str, str], finished: list[float], launches: list[float], **values: list[float]
) -> StudyMap:
    """Configurations that finished at these times, in seconds as those of the launches."""
    started: Any = [{"started_at": datetime.fromtimestamp(at, UTC)} for at in launches]
    n, none = len(finished), np.full(len(finished), np.nan)
    return StudyMap(
        record=replace(make_record({"objectives": objectives}), launches=started),
        quality=ACCURACY,
        numbers=np.arange(n),
        costs=none,
        finals=none,
        is_feasible=np.ones(n, dtype=bool),
        on_front=np.zeros(n, dtype=bool),
        best=None,
        seeds=np.ones(n, dtype=int),
        finished=np.array(finished),
        objectives={name: np.array(each, dtype=float) for name, each in values.items()},
    )


def test_one_objective_is_followed_by_its_best_value_in_the_order_trials_finished() -> None:
    map = study_map({"final_accuracy": "maximize"}, [30, 10, 20, 40], [0], final_accuracy=[0.7, 0.5, 0.6, 0.65])
    (found,) = search_progress(map)
    assert (found.label, found.steps.tolist(), found.values.tolist()) == (
        "best final_accuracy",
        [1, 2, 3],
        [0.5, 0.6, 0.7],
    )
    assert found.numbers.tolist() == [1, 2, 0, 3]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0.5, 0.8, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6], "the last quarter of the trials did not improve it."),
        ([0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.8], "the last quarter of the trials improved it by 25 %."),
        ([0.5, 0.6], "after 2 trials in 2.00 seconds."),
    ],
)
def test_the_finding_says_what_the_last_quarter_added(values: list[float], text: str) -> None:
    finished = [float(at) for at in range(1, len(values) + 1)]
    (found,) = search_progress(study_map({"final_accuracy": "maximize"}, finished, [0], final_accuracy=values))
    assert finding(found).endswith(text)


def test_objectives_without_a_common_reference_are_followed_one_by_one() -> None:
    objectives = {"final_accuracy": "maximize", "seconds": "minimize", "compression_ratio": "minimize"}
    values = {name: [0.5, 0.6, float("nan")] for name in objectives}
    found = search_progress(study_map(objectives, [1, 2, 3], [0], **values))
    assert [one.label for one in found] == ["best final_accuracy", "best seconds", "best compression_ratio"]
    assert [one.steps.tolist() for one in found] == [[1, 2], [1], [1]]
    assert [one.n_trials for one in found] == [2, 2, 2], "a trial without a value of an objective does not count"


def test_points_beyond_the_reference_have_no_hypervolume() -> None:
    objectives = {"final_accuracy": "maximize", "compression_ratio": "minimize"}
    (found,) = search_progress(study_map(objectives, [1], [0], final_accuracy=[0.9], compression_ratio=[3.0]))
    assert found.values.tolist() == [0.0]


def test_pauses_between_starts_take_no_time() -> None:
    record = study_map({}, [], [100, 1000]).record
    seconds = search_seconds(record, np.array([110.0, 130.0, 1005.0, 1040.0]))
    assert seconds is not None
    assert seconds.tolist() == [10.0, 30.0, 35.0, 70.0]
    assert search_seconds(make_record({}), np.array([1.0])) is None


def test_the_table_and_the_csv_end_where_the_search_did(sample: Studies, report_folder: Path) -> None:
    map = read_map(sample, "sample-tradeoff")
    (found,) = progress_figures(search_progress(map))
    assert [label for label, _ in found.drawings] == ["Over trials", "Over time"]
    with (report_folder / "progress.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[-1]["finished"] == str(int(map.is_feasible.sum()))
    assert float(rows[-1]["value"]) == pytest.approx(search_progress(map)[0].values[-1])
    page = read((report_folder / "tradeoff.html").read_text(encoding="utf-8"))
    assert page.rows[f"progress-0-row-{len(rows) - 1}"][-1] == rows[-1]["value"]
