"""Matrices over seeds agree with the interval of each cell computed on its own."""

from __future__ import annotations

import numpy as np
import pytest

from reports.data.task_matrices import matrix_rows, task_matrix, task_rows, untrained_mean
from studies.statistics.intervals import bounded, t_interval
from tests.reports.cases import make_trial

TRIAL = make_trial(7, 0.5, 0.9)


def runs(n_seeds: int, n_tasks: int = 4) -> np.ndarray:
    values = np.random.default_rng(n_seeds).uniform(size=(n_seeds, n_tasks + 1, n_tasks))
    for after in range(1, n_tasks):
        values[:, after, after:] = np.nan
    return values


@pytest.mark.parametrize("n_seeds", [1, 2, 5])
def test_every_cell_is_the_t_interval_over_its_seeds(n_seeds: int) -> None:
    raw = runs(n_seeds)
    raw[0, 4, 1] = np.nan
    matrix = task_matrix(TRIAL, raw)
    for after in range(5):
        for task in range(1, 5):
            cell, expected = matrix.cell(after, task), bounded("final_accuracy", t_interval(raw[:, after, task - 1]))
            assert cell.n == expected.n
            assert cell.mean == pytest.approx(expected.mean)
            assert (cell.low, cell.high) == (pytest.approx(expected.low), pytest.approx(expected.high))


def test_during_is_the_diagonal_and_final_the_last_row() -> None:
    raw = runs(3)
    matrix = task_matrix(TRIAL, raw)
    assert matrix.during(2).mean == pytest.approx(raw[:, 2, 1].mean())
    assert matrix.final(2).mean == pytest.approx(raw[:, 4, 1].mean())
    assert untrained_mean(matrix) == pytest.approx(raw[:, 0].mean())


def test_rows_hold_every_measured_cell_and_no_other() -> None:
    matrix = task_matrix(TRIAL, runs(3))
    assert [(row["number"], row["task"]) for row in task_rows({7: matrix})] == [(7, task) for task in range(1, 5)]
    cells = {(row["after_task"], row["on_task"]) for row in matrix_rows({7: matrix})}
    assert cells == {(after, task) for after in range(5) for task in range(1, 5) if after == 0 or task <= after}
