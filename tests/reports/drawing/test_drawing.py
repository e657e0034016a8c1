"""Marks, labels and heat maps are drawn where the data is."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.drawing.axes import Frame
from reports.drawing.heatmap import HeatScale, _runs
from reports.drawing.labels import Box, Label, _places, draw_labels
from reports.drawing.marks import CELL, DENSITIES, Point, bars, cloud, points, steps

FRAME = Frame(width=400, height=300, left=40, right=10, top=20, bottom=30)
inside = st.tuples(st.floats(40, 390), st.floats(20, 270))


def place(x: float, y: float, trial: int = 0) -> Point:
    return Point(x, y, y + 5, y - 5, trial, f"trial {trial}")


@given(st.lists(inside, min_size=2, max_size=20))
def test_the_front_is_a_staircase_through_every_member(series: list[tuple[float, float]]) -> None:
    ordered = sorted(series)
    path = re.search(r'd="([^"]*)"', steps(ordered, "front-line"))
    assert path is not None
    x, y = (float(value) for value in re.match(r"M(\S+) ([\d.]+)", path[1]).groups())  # type: ignore[union-attr]
    corners = [(x, y)]
    for level, drop in re.findall(r"H([\d.]+)V([\d.]+)", path[1]):
        corners.append((float(level), float(drop)))
    assert len(corners) == len(ordered)
    assert all(abs(a - c) <= 0.051 and abs(b - d) <= 0.051 for (a, b), (c, d) in zip(corners, ordered, strict=True))
    assert all(a[0] <= b[0] for a, b in pairwise(corners))


def test_points_are_named_one_by_one_or_drawn_as_one_path() -> None:
    series = [place(50, 60, 7), place(70, 80, 9)]
    titled, plain = points(series, "final", titled=True), points(series, "final", titled=False)
    assert titled.count("<title>") == 2
    assert plain.count("<path") == 1
    assert 'data-trials="7 9"' in titled
    assert 'data-trials="7 9"' in plain


def test_a_value_without_an_interval_gets_no_bar() -> None:
    assert bars([Point(1, 2, None, None, 0, "")], "final") == ""
    assert 'd="M1 7V2"' in bars([Point(1, 5, 7, 2, 0, "")], "final")


@given(st.lists(inside, min_size=1, max_size=3, unique=True), st.lists(inside, max_size=20))
@settings(max_examples=60)
def test_labels_do_not_cover_each_other_where_there_is_room(
    labelled: list[tuple[float, float]], others: list[tuple[float, float]]
) -> None:
    drawn = draw_labels(FRAME, [Label(x, y, f"label {i}") for i, (x, y) in enumerate(labelled)], others)
    boxes = [
        Box(float(x) - 25, float(y) - 12, float(x) + 25, float(y) + 4)
        for x, y in re.findall(r'<text x="([\d.]+)" y="([\d.]+)"', drawn)
    ]
    assert len(boxes) == len(labelled)
    assert all(a.overlap(b) < 50 for i, a in enumerate(boxes) for b in boxes[:i])


@given(inside)
def test_labels_stay_inside_the_frame(at: tuple[float, float]) -> None:
    for box in _places(FRAME, Label(*at, "a label")):
        assert box.left >= 40
        assert box.right <= 390
        assert box.top >= 20
        assert box.bottom <= 270


@given(st.lists(st.none() | st.integers(0, 3), max_size=30))
def test_joined_cells_of_a_heat_map_cover_exactly_what_was_measured(levels: list[int | None]) -> None:
    cells: list[int | None] = [None] * len(levels)
    for start, length, level in _runs(levels):
        assert cells[start : start + length] == [None] * length
        cells[start : start + length] = [level] * length
    assert cells == levels


def test_the_best_cells_are_darkest_whichever_way_better_is() -> None:
    accuracy, error = HeatScale(0.5, 1.0, True), HeatScale(0.5, 1.0, False)
    assert [accuracy.level(value) for value in (0.1, 0.5, 0.76, 1.0)] == [0, 0, 5, 9]
    assert [error.level(value) for value in (0.5, 1.0, 3.0)] == [9, 0, 0]
    assert HeatScale(1.0, 1.0, True).level(1.0) == 9


def test_a_cloud_is_denser_where_more_dots_share_a_cell() -> None:
    x, y = np.array([0.0, 1.0, 8.1, 7.9, 8.0, 8.0, -9.0]), np.array([4.0, 4.0, 4.0, 4.0, 4.1, 3.9, 0.0])
    drawn = cloud(x, y, "final")
    assert 'd="M-10 0h4M-2 4h4" class="density-0"' in drawn  # one and two dots
    assert 'd="M6 4h4" class="density-1"' in drawn  # four


@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=1))
def test_a_cloud_covers_each_cell_that_has_any_dot_once_at_its_density(places: list[tuple[float, float]]) -> None:
    dots = Counter((round(x / CELL), round(y / CELL)) for x, y in places)
    expected = {cell: min(DENSITIES - 1, (n.bit_length() - 1) // 2) for cell, n in dots.items()}
    found: dict[tuple[int, int], int] = {}
    for path, level in re.findall(r'd="([^"]*)" class="density-(\d)"', cloud(*np.array(places).T, "final")):
        for left, y, length in re.findall(r"M(-?\d+) (-?\d+)h(\d+)", path):
            column, row = int(left) / CELL + 0.5, round(int(y) / CELL)
            cells = {(round(column) + i, row): int(level) for i in range(round(int(length) / CELL))}
            assert not cells.keys() & found.keys()
            found |= cells
    assert found == expected
