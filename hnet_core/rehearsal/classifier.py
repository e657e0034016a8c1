"""A classifier with weights of its own, trained on present examples and rehearsed inputs with its old outputs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from hnet_core.engines import own_weights_step
from hnet_core.problem import Problem
from hnet_core.rehearsal.inputs import RehearsedInputs, Steps
from hnet_core.rehearsal.loss import RehearsalLoss
from hnet_core.weights.sources import OwnWeights

Padding = Literal["logits", "probabilities"]


@dataclass(frozen=True)
class Distillation:
    """Soft targets of rehearsed inputs, from a copy of the classifier made before the present task.

    Attributes:
        temperature: T, that divides the outputs of both.
        padding: the copy's targets for classes of the present task, in scenario class: 0 as outputs before the
            softmax, so that they have some probability (code of von Oswald et al. 2020), or 0 as probabilities (code
            of van de Ven and Tolias).
    """

    temperature: float = 2.0
    padding: Padding = "logits"


class RehearsedClassifier:
    """Training of one network for all tasks with rehearsal.

    L = share * CE(present) + (1 - share) * T^2 CE(softmax(copy / T), softmax(y / T)) on rehearsed inputs. In scenario
    task a rehearsed input counts on the head of its task, or on all earlier heads alike where that is unknown; in
    scenario domain on the only head; in scenario class on the outputs of all classes seen, as the present examples do.

    Attributes:
        source: the weights.
        rehearsed: inputs of the last step, (n_rehearsed, n_inputs); None on the first task.
    """

    rehearsed: Tensor | None

    def __init__(self, problem: Problem, distillation: Distillation) -> None:
        self._distillation = distillation
        self._loss = RehearsalLoss()
        self._problem = problem.with_loss(self._loss, "seen")
        self._teacher = dataclasses.replace(problem)  # with statistics of its own
        self.source = OwnWeights(problem)
        self._engine = own_weights_step(self._problem, self.source)

    def start_task(self, task: int, present_share: float, inputs: RehearsedInputs | None) -> None:
        """Prepare for a task; copy the classifier where inputs are rehearsed.

        Args:
            present_share: of the present examples in the loss, 1 where there are no others.
        """
        self._task, self._rehearses, self.rehearsed = task, inputs is not None, None
        self._engine.start_task(task)
        shape = self._problem.shape
        has_heads = self._problem.scenario != "class" and not shape.shared_head
        self._n_groups = task + 1 if has_heads else 1
        no_rows = torch.zeros(0, self._n_groups, dtype=self._problem.dtype)
        weights = no_rows if inputs is None else (1 - present_share) * self._shares(inputs)
        weights = weights.to(self._problem.device)
        group, temperature = task if has_heads else 0, self._distillation.temperature
        self._loss.start_task(self._n_groups, group, present_share, weights, temperature)
        if inputs is not None:
            self._copy = self.source.flat.detach().clone()
            self._teacher.statistics.load_state(self._problem.statistics.state())
            self._steps = Steps(inputs, self._with_targets)

    def step(self, inputs: Tensor, labels: Tensor) -> None:
        """Make one gradient step on present examples and the next rehearsed ones."""
        targets = self._present_targets(labels, inputs)
        if self._rehearses:
            self.rehearsed, soft = next(self._steps)
            inputs, targets = torch.cat([inputs, self.rehearsed]), torch.cat([targets, soft])
        self._engine.step(inputs, targets)

    def _shares(self, inputs: RehearsedInputs) -> Tensor:
        """Return the share of each rehearsed row and group in the loss, (n_rows, n_groups), 1 in all."""
        shares = torch.zeros(inputs.n_rows, self._n_groups, dtype=self._problem.dtype)
        if self._n_groups == 1:
            shares[:] = 1.0
        elif inputs.tasks is None:
            shares[:, : self._task] = 1 / self._task
        else:
            shares[range(inputs.n_rows), inputs.tasks] = 1.0
        return shares / inputs.n_rows

    def _present_targets(self, labels: Tensor, inputs: Tensor) -> Tensor:
        """Return the targets of present examples, (n, n_groups, n_classes): soft ones with label smoothing."""
        problem = self._problem
        heads = problem.training_heads.outputs(self._task)
        n_outputs, own = heads.stop - heads.start, problem.training_heads.labels(self._task, labels)
        smoothing, n_classes = problem.training.label_smoothing, n_outputs // self._n_groups
        targets = inputs.new_zeros(len(inputs), n_outputs)
        if smoothing:
            group = problem.shape.head(self._task) if self._n_groups > 1 else heads
            targets[:, group] = smoothing / (n_classes - 1)
        targets.scatter_(1, own.unsqueeze(1), 1 - smoothing)
        return targets.view(len(inputs), self._n_groups, n_classes)

    def _with_targets(self, drawn: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Return the inputs of each step with their soft targets, (n_rows, n_groups, n_classes)."""
        heads = self._problem.training_heads
        n_outputs, n_before = (heads.outputs(task).stop for task in (self._task, self._task - 1))
        with torch.no_grad():
            outputs = self._teacher.forward(self._task - 1, self._copy, drawn.flatten(0, 1))
        targets = soft_targets(outputs[:, :n_outputs], n_before, self._n_groups, self._distillation)
        return list(zip(drawn, targets.view(*drawn.shape[:2], self._n_groups, -1), strict=True))


def soft_targets(outputs: Tensor, n_before: int, n_groups: int, distillation: Distillation) -> Tensor:
    """Return softmax(outputs / T) of a copy that has learnt the first n_before outputs only.

    Args:
        outputs: of the copy, (n, n_outputs).
        n_groups: of outputs with a softmax of their own; with several, the last is unknown to the copy and unused.

    Returns:
        probabilities, (n, n_groups, n_outputs / n_groups).
    """
    scaled = outputs / distillation.temperature
    if n_groups > 1:
        return scaled.view(len(scaled), n_groups, -1).softmax(dim=2)
    known, n_new = scaled[:, :n_before], scaled.shape[1] - n_before
    if distillation.padding == "logits":
        return F.pad(known, (0, n_new)).softmax(dim=1).unsqueeze(1)
    return F.pad(known.softmax(dim=1), (0, n_new)).unsqueeze(1)
