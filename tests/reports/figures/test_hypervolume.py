"""The growth of the hypervolume against the slow definition: the area of the front of every prefix."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reports.data.study_map import read_map
from reports.figures.hypervolume import _follow, growth, hypervolume_figure
from studies.queries.studies import Studies
from studies.statistics.hypervolume import front_hypervolume
from studies.statistics.pareto import hypervolume_2d

POINTS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=30)


@given(POINTS)
def test_each_step_is_the_area_of_all_points_so_far(points: list[tuple[int, int]]) -> None:
    x, y = np.array(points, dtype=float).T
    trials, values = _follow(x, y, (6.0, 7.0))
    for n in range(1, len(points) + 1):
        expected = hypervolume_2d(np.column_stack([x[:n], y[:n]]), [6.0, 7.0], ["minimize", "minimize"])
        reached = [value for trial, value in zip(trials, values, strict=True) if trial <= n]
        assert abs((reached[-1] if reached else 0.0) - expected) < 1e-9


def test_it_ends_at_the_hypervolume_of_the_study(sample: Studies) -> None:
    map = read_map(sample, "sample-tradeoff")
    found = growth(map)
    assert found is not None
    assert found.values == sorted(found.values)
    rows = list(sample.trial_rows("sample-tradeoff", "state == 'COMPLETE' and compression_ratio <= 1").dicts())
    whole = front_hypervolume(rows, map.record.objectives)
    assert whole is not None
    assert abs(found.values[-1] - whole["value"]) < 1e-9
    assert "hypervolume" in hypervolume_figure(map, found)
