"""The measure of each scenario against a count by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from hnet_core.evaluation.evaluator import Evaluator
from hnet_core.problem import Problem
from hnet_core.streams import Split, StreamShape
from hnet_core.task_inference import TaskOutputs
from hnet_core.trial import TrainingOptions

# The networks of two tasks of two classes, for three examples of the second task with labels 0, 1, 1.
LABELS = torch.tensor([0, 1, 1])
FIRST = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
SECOND = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
INFERRED = torch.tensor([1, 0, 0])


class TwoNetworks:
    def predictor(self, task: int) -> Any:
        return lambda inputs: (FIRST, SECOND)[task]


class OneNetwork:
    """Its outputs over four classes: right, right class of the wrong task, wrong class of the right task."""

    def predictor(self, task: int) -> Any:
        return lambda inputs: self.outputs[:, 2 * task : 2 * task + 2]

    def seen_predictor(self, n_seen: int) -> Any:
        return lambda inputs: self.outputs[:, : 2 * n_seen]

    outputs = torch.tensor([[0.0, 0.0, 9.0, 0.0], [0.0, 9.0, 0.0, 1.0], [0.0, 0.0, 9.0, 0.0]])


class Guess:
    def infer(self, outputs: TaskOutputs) -> Tensor:
        return INFERRED


def measured(scenario: str, method: Any, inference: Any, trained: str = "own_head") -> dict[Any, float]:
    shape = StreamShape(2, (3,), 2, shared_head=scenario == "domain")
    training, device = TrainingOptions(), torch.device("cpu")
    problem = Problem(
        shape,
        None,  # type: ignore[arg-type]
        None,
        training,
        0,
        device,
        torch.float32,
        scenario=scenario,  # type: ignore[arg-type]
        trained_classes=trained,  # type: ignore[arg-type]
    )
    examples = Split(torch.zeros(3, 3), LABELS)
    return dict(Evaluator(problem, method, inference, 2).measure(1, examples))


def test_with_the_task_known_only_its_own_head_counts() -> None:
    assert measured("task", TwoNetworks(), None) == {"scenario": 1.0}


@pytest.mark.parametrize(("scenario", "own"), [("task", 1.0), ("class", 1 / 3), ("domain", 2 / 3)])
def test_with_the_task_inferred_the_network_of_that_task_classifies(scenario: str, own: float) -> None:
    """Example 1: task and class right. 2: wrong task, same class in the task. 3: wrong task, wrong class."""
    found = measured(scenario, TwoNetworks(), Guess())
    inferred = 2 / 3 if scenario == "domain" else 1 / 3
    assert found == pytest.approx(
        {"scenario": own, "known_task": 1.0, "inferred_task": inferred, "task_inference": 1 / 3}
    )


def test_one_network_tells_the_classes_of_all_tasks_apart() -> None:
    found = measured("class", OneNetwork(), None, trained="seen")
    assert found == pytest.approx(
        {"scenario": 1 / 3, "known_task": 2 / 3, "inferred_task": 1 / 3, "task_inference": 2 / 3}
    )
