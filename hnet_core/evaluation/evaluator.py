"""Evaluation of a trained method in each scenario: with the task known, inferred, or not needed.

Labels are classes within their task. A classification in scenario class is right if task and class are right.
"""

from __future__ import annotations

import functools
from typing import Literal

import torch
from torch import Tensor

from hnet_core.errors import TrainingDiverged
from hnet_core.methods import Method, Problem
from hnet_core.methods.protocol import GivesFeatures
from hnet_core.problem import Predictor
from hnet_core.streams import Split
from hnet_core.task_inference import TaskInference, TaskOutputs

EVALUATION_BATCH = 2048

Kind = Literal["scenario", "known_task", "inferred_task", "task_inference"]
Measured = dict[Kind, float]


class Evaluator:
    """Evaluation of a method after `n_seen` tasks; the weights of each network are computed once.

    Args:
        inference: finds the task, for a method with a network per task; None where nothing does.
    """

    def __init__(self, problem: Problem, method: Method, inference: TaskInference | None, n_seen: int) -> None:
        self._problem, self._method, self._inference, self._n_seen = problem, method, inference, n_seen

    def measure(self, task: int, examples: Split) -> Measured:
        """Return the mean measure of the examples of a task.

        Returns:
            "scenario" by the rule of the scenario. If the task is inferred, also "known_task" and "inferred_task", the
            measure with the task known and inferred, and "task_inference", the share of examples whose task was
            inferred right.

        Raises:
            TrainingDiverged: an output is NaN or infinite.
        """
        totals: dict[Kind, float] = {}
        with torch.inference_mode():
            for start in range(0, len(examples), EVALUATION_BATCH):
                inputs, labels = examples.batch(slice(start, start + EVALUATION_BATCH), self._problem.dtype)
                for kind, total in self._sums(task, inputs, labels).items():
                    totals[kind] = totals.get(kind, 0.0) + float(total)
        return {kind: total / len(examples) for kind, total in totals.items()}

    def _sums(self, task: int, inputs: Tensor, labels: Tensor) -> dict[Kind, Tensor]:
        if self._inference is not None:
            return self._with_inference(self._inference, task, inputs, labels)
        if self._problem.trained_classes != "own_head":
            return self._over_classes_seen(task, inputs, labels)
        return {"scenario": sum_of_measure(finite(self._predictor(task)(inputs), task), labels)}

    def _with_inference(
        self, inference: TaskInference, task: int, inputs: Tensor, labels: Tensor
    ) -> dict[Kind, Tensor]:
        """Classify each example by the network of the task it is inferred to be of."""
        outputs = TaskOutputs(inputs, [self._predictor(seen) for seen in range(self._n_seen)], self._extractor)
        known = sum_of_measure(finite(outputs.of_task(task), task), labels)
        tasks = inference.infer(outputs)
        is_of_task = tasks == task
        is_right = finite(outputs.of_tasks(tasks), task).argmax(dim=1) == labels
        if self._problem.scenario != "domain":
            is_right &= is_of_task
        inferred = is_right.sum()
        return {
            "scenario": known if self._problem.scenario == "task" else inferred,
            "known_task": known,
            "inferred_task": inferred,
            "task_inference": is_of_task.sum(),
        }

    def _over_classes_seen(self, task: int, inputs: Tensor, labels: Tensor) -> dict[Kind, Tensor]:
        """Classify by one network over the classes of all tasks seen, which also tells the task."""
        outputs = finite(self._seen_predictor(inputs), task)
        head = self._problem.shape.head(task)
        classes = outputs.argmax(dim=1)
        right = (classes == labels + head.start).sum()
        return {
            "scenario": right,
            "known_task": sum_of_measure(outputs[:, head], labels),
            "inferred_task": right,
            "task_inference": ((classes >= head.start) & (classes < head.stop)).sum(),
        }

    @functools.cached_property
    def _seen_predictor(self) -> Predictor:
        return self._method.seen_predictor(self._n_seen)

    def _extractor(self, task: int) -> Predictor:
        if task not in self._extractors:
            if not isinstance(self._method, GivesFeatures):
                raise TypeError("the method must give features; see TaskInference.unsupported.")
            self._extractors[task] = self._method.feature_extractor(task)
        return self._extractors[task]

    @functools.cached_property
    def _extractors(self) -> dict[int, Predictor]:
        return {}

    @functools.cached_property
    def _predictors(self) -> dict[int, Predictor]:
        return {}

    def _predictor(self, task: int) -> Predictor:
        if task not in self._predictors:
            self._predictors[task] = self._method.predictor(task)
        return self._predictors[task]


def finite(outputs: Tensor, task: int) -> Tensor:
    """Return the outputs if all of them are numbers.

    Raises:
        TrainingDiverged: an output is NaN or infinite.
    """
    if not torch.isfinite(outputs).all():
        raise TrainingDiverged(
            f"training diverged: an output for task {task + 1} is NaN or infinite; lower training.lr or "
            "method.beta_output."
        )
    return outputs


def sum_of_measure(outputs: Tensor, labels: Tensor) -> Tensor:
    """Return the number of correct classifications, or the sum of squared errors."""
    if labels.is_floating_point():
        return (outputs - labels).square().sum()
    return (outputs.argmax(dim=1) == labels).sum()
