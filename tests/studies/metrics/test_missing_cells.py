from __future__ import annotations

import pytest

from studies.metrics.missing_cells import missing_cells


def lower(n_tasks: int, split: str = "test") -> set[tuple[str, int, int]]:
    return {(split, after, on) for after in range(1, n_tasks + 1) for on in range(1, after + 1)}


@pytest.mark.parametrize("n_tasks", [1, 2, 5])
def test_a_matrix_with_every_task_trained_so_far_lacks_nothing(n_tasks: int) -> None:
    assert missing_cells(lower(n_tasks), n_tasks) is None
    assert missing_cells(lower(n_tasks) | {("validation", n_tasks, on + 1) for on in range(n_tasks)}, n_tasks) is None


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (lower(4) - {("test", 4, 2)}, "no value after task 4 on task 2; final accuracy or error is not defined"),
        (lower(3), "no value after task 4; final accuracy or error is not defined"),
        ({("test", 4, on) for on in range(1, 5)}, "no value after task 1 to 3; metrics that need them are not defined"),
        (lower(4) - {("test", 2, 1)}, "no value after task 2 on task 1; metrics that need them are not defined"),
        (
            lower(4) | {("validation", 4, on) for on in (1, 3)},
            "no validation value after task 4 on task 2, 4; metrics that need them are not defined",
        ),
        (
            {("test", after, on) for after in range(4) for on in range(1, after + 2)},
            "no value after task 4 (after_task counts from 1; 0 is the untrained model); "
            "final accuracy or error is not defined",
        ),
    ],
)
def test_missing_evaluations_are_named_with_what_goes_with_them(cells: set[tuple[str, int, int]], words: str) -> None:
    assert missing_cells(cells, 4) == words
