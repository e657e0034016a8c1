"""Configurations task by task, for figures of several: their matrices, and their means over the tasks learnt so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hnet_core.errors import ConfigInvalid
from hnet_core.trial import MATRICES
from reports.data.compared_methods import ComparedMethod, compared_methods
from reports.data.study_data import MEASURE_WORDS, Quality
from reports.data.task_matrices import TaskMatrix, task_matrix
from studies.statistics.interval import Interval
from studies.statistics.intervals import bounded, t_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from studies.queries.studies import Studies

MAX_CURVES = 8
SPLIT_WORDS = {
    "test": "{} on the test split",
    "validation": "{} on the validation split",
    "known_task": "{} with the task known",
    "inferred_task": "{} with the task inferred",
    "task_inference": "task inference {}",
}


@dataclass(frozen=True)
class TaskCurve:
    """One configuration task by task.

    Attributes:
        index: place of its label in the report, which decides colour, line and mark.
        averages: mean over the tasks learnt so far after each task, with its interval over seeds, (n_tasks,).
    """

    index: int
    method: ComparedMethod
    matrix: TaskMatrix
    averages: tuple[Interval, ...]

    @property
    def label(self) -> str:
        return self.method.label

    @property
    def style(self) -> str:
        return f"family-{self.index}"

    @property
    def n_tasks(self) -> int:
        return self.matrix.n_tasks

    def finals(self) -> list[Interval]:
        """Return the measure on each task after the last one, (n_tasks,)."""
        return [self.matrix.final(task) for task in range(1, self.n_tasks + 1)]

    def during(self) -> list[Interval]:
        """Return the measure on each task right after it was trained, (n_tasks,); no means where nothing was."""
        empty = Interval(None, None, None, 0)
        return [self.matrix.during(t) if self.matrix.has_during else empty for t in range(1, self.n_tasks + 1)]

    def over_time(self, task: int) -> list[Interval]:
        """Return the measure on a task (from 1) after itself and each later one, (n_tasks - task + 1,)."""
        return [self.matrix.cell(after, task) for after in range(task, self.n_tasks + 1)]


@dataclass(frozen=True)
class StreamCurves:
    """The configurations of one stream, which can share a figure.

    Attributes:
        index: place of the stream in the report.
        word: name of the measure in a sentence, with the split it is of.
    """

    index: int
    stream: str
    quality: Quality
    word: str
    curves: tuple[TaskCurve, ...]

    @property
    def n_tasks(self) -> int:
        return max(curve.n_tasks for curve in self.curves)

    @property
    def has_during(self) -> bool:
        """Return whether any configuration was evaluated right after each task."""
        return any(curve.matrix.has_during for curve in self.curves)


def task_curves(
    studies: Studies, names: Sequence[str], by: Sequence[str] = (), split: str = "test"
) -> list[StreamCurves]:
    """Select one configuration per name and stream as `compared_methods` does, and read its matrix.

    Args:
        names: studies, or STUDY:NUMBER for one configuration of a study.
        by: fields of a trial; one configuration for each of their values.
        split: a matrix of `hnet_core.trial.MATRICES`.

    Raises:
        StudyNotFound: if there is no study of a name.
        ConfigInvalid: if nothing has finished, an argument is invalid, or there are more curves than one figure shows.
    """
    if split not in MATRICES:
        raise ConfigInvalid(f"--split must be one of {', '.join(MATRICES)}, got {split!r}.")
    methods = compared_methods(studies, names, by)
    labels = list(dict.fromkeys(method.label for method in methods))
    if len(labels) > MAX_CURVES:
        raise ConfigInvalid(
            f"one figure shows at most {MAX_CURVES} curves, got {len(labels)}: {', '.join(labels)}; name fewer, or a "
            "field with fewer values with --by."
        )
    curves = [_curve(studies, labels.index(method.label), method, split) for method in methods]
    streams: dict[tuple[str, str], list[TaskCurve]] = {}  # an imported study may have another measure on a stream
    for curve in curves:
        streams.setdefault((curve.method.stream, curve.method.measure), []).append(curve)
    return [_of_stream(i, stream, split, group) for i, ((stream, _), group) in enumerate(streams.items())]


def _curve(studies: Studies, index: int, method: ComparedMethod, split: str) -> TaskCurve:
    import numpy as np

    number = method.trial.number
    runs = studies.matrices_of(method.study, [number], split)[number]
    if np.isnan(runs).all():
        raise ConfigInvalid(
            f"trial {number} of {method.study!r} has no matrix {split!r}; leave --split out, or name configurations "
            "that were evaluated so."
        )
    return TaskCurve(index, method, task_matrix(method.trial, runs), tuple(_averages(runs, method.measure)))


def _averages(runs: NDArray[np.float64], measure: str) -> list[Interval]:
    """Average over the tasks learnt so far in each run, then over runs; (n_seeds, n_tasks + 1, n_tasks) to (n_tasks,).

    A run that was not evaluated on all of them does not count.
    """
    n_tasks = runs.shape[2]
    means = [runs[:, n, :n].mean(axis=1).tolist() for n in range(1, n_tasks + 1)]
    return [bounded(f"final_{measure}", t_interval(values)) for values in means]


def _of_stream(index: int, stream: str, split: str, curves: Sequence[TaskCurve]) -> StreamCurves:
    measure = curves[0].method.measure
    text = SPLIT_WORDS[split].format(MEASURE_WORDS[measure])
    word = text if split == "task_inference" else MEASURE_WORDS[measure]
    quality = Quality(f"final_{measure}", f"during_{measure}", curves[0].method.selection, word)
    return StreamCurves(index, stream, quality, text, tuple(curves))
