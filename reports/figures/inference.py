"""One configuration where a run infers the task: its matrices, and both measures task by task."""

from __future__ import annotations

from typing import Any

from reports.data.study_data import Quality
from reports.data.task_matrices import SHARE_RIGHT, Inference, TaskMatrix
from reports.drawing.heatmap import HeatScale
from reports.figures.matrix import MatrixView, matrix_view, seeds_text, shared_scale
from reports.table import Row, Table, integer_column, interval_cells, mean_columns

LABELS = {
    "known_task": "Test {word} with the task of every input known",
    "inferred_task": "Test {word} with the task of every input inferred",
    SHARE_RIGHT: "Share of test inputs whose task is inferred right",
}


def inference_views(quality: Quality, matrix: TaskMatrix, inference: Inference, heat: HeatScale) -> list[MatrixView]:
    """Show the matrices of task inference but the one that the scenario asks for, which is `matrix` itself.

    Args:
        heat: the shades of the measure; shares of inputs have their own.
    """
    views = []
    for name, one in inference.items():
        if _is_same(one, matrix):
            continue
        label = LABELS[name].format(word=quality.word)
        scale = shared_scale([one], higher_is_better=True) if name == SHARE_RIGHT else heat
        caption = f"{label}, on each task (column) after training each task (row), mean over seeds, {seeds_text(one)}."
        description = "Rows: after training each task; columns: each task. The numbers are in inference.csv."
        views.append(matrix_view(one, scale, caption, (f"{name}-{one.trial.number}", label, description)))
    return views


def tasks_known_or_inferred(matrix: TaskMatrix, inference: Inference) -> str:
    """Return a sentence on the matrix that the scenario asks for; empty where nothing infers the task."""
    for name, text in (("inferred_task", "inferred"), ("known_task", "known")):
        if name in inference and _is_same(inference[name], matrix):
            return f" The task of every input is {text}."
    return ""


def _is_same(one: TaskMatrix, matrix: TaskMatrix) -> bool:
    import numpy as np

    return np.array_equal(one.mean[1:], matrix.mean[1:], equal_nan=True)  # the untrained model has no inferred task


def inference_table(number: int, inference: Inference) -> Table:
    """Tabulate the measure after the last task with the task known and inferred, and the share inferred right."""
    shown = {"known_task": "task known", "inferred_task": "task inferred", SHARE_RIGHT: "inferred right"}
    columns = [
        integer_column("task", "task"),
        *(column for name, label in shown.items() for column in mean_columns(name, label)),
        integer_column("n", "n"),
    ]
    n_tasks = next(iter(inference.values())).n_tasks
    rows = [_row(inference, task) for task in range(1, n_tasks + 1)]
    caption = f"Trial {number} after the last task, with the task of every input known and inferred."
    return Table(f"inference-{number}", caption, columns, rows, key="task")


def _row(inference: Inference, task: int) -> Row:
    row: dict[str, Any] = {"task": task}
    for name, matrix in inference.items():
        cell = matrix.final(task)
        row |= {**interval_cells(name, cell), "n": cell.n}
    return row
