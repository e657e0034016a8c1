"""A step of the rehearsed classifier against the losses of the official codes, written out row by row, in float64."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from hnet_core.problem import Problem
from hnet_core.rehearsal.classifier import Distillation, Padding, RehearsedClassifier
from hnet_core.rehearsal.inputs import RealInputs, SampledPerTask, SampledTogether, Steps
from hnet_core.runtime.within_task import WithinTask
from hnet_core.seeding import generator
from hnet_core.streams import Split
from hnet_core.targets.mlp import Mlp
from tests.hnet_core.generators.problems import pixels, small_problem

N_TASKS, N_CLASSES, PRESENT = 4, 2, 2  # the present task is the third


def problem_of(scenario: str, engine: str) -> Problem:
    problem = small_problem(engine)
    shape = replace(problem.shape, shared_head=scenario == "domain")
    target = Mlp(Mlp.Options(name="mlp", hidden=(7,)), shape.input_shape, shape.n_outputs)
    given: Any = {"scenario": scenario, "trained_classes": "seen" if scenario == "class" else "own_head"}
    return replace(problem, shape=shape, target=target, **given)


class Fixed:
    """Rehearsed inputs that are the same in every step."""

    def __init__(self, inputs: Tensor, tasks: Tensor | None) -> None:
        self._inputs, self.tasks, self.n_rows = inputs, tasks, len(inputs)
        self.draws = torch.Generator()

    def draw(self, n_steps: int) -> Tensor:
        return self._inputs.expand(n_steps, -1, -1)


def distilled(student: Tensor, teacher: Tensor, padding: Padding) -> Tensor:
    """T^2 times the cross-entropy of one row at T = 2; the teacher has fewer outputs than the student."""
    n_new = len(student) - len(teacher)
    if padding == "logits":
        target = (torch.cat([teacher, teacher.new_zeros(n_new)]) / 2).softmax(0)
    else:
        target = torch.cat([(teacher / 2).softmax(0), teacher.new_zeros(n_new)])
    return -4 * (target * (student / 2).log_softmax(0)).sum()


@pytest.mark.parametrize("engine", ["plain", "fast"])
@pytest.mark.parametrize("known", [True, False], ids=["tasks known", "tasks unknown"])
@pytest.mark.parametrize("scenario", ["task", "domain", "class"])
def test_a_step_follows_the_loss_of_the_scenario(scenario: str, known: bool, engine: str) -> None:
    problem, padding = problem_of(scenario, engine), "logits" if known else "probabilities"
    classifier = RehearsedClassifier(problem, Distillation(2.0, padding))  # type: ignore[arg-type]
    weights = classifier.source.flat.detach().clone().requires_grad_()
    teacher = weights.detach().clone()
    x, labels, old = pixels(5), torch.tensor([0, 1, 1, 0, 1]), pixels(4, 1)
    tasks = torch.tensor([0, 0, 1, 1])
    classifier.start_task(PRESENT, 0.3, Fixed(old, tasks if known else None))
    adam = torch.optim.Adam([weights], lr=0.01)
    for step in range(2):
        classifier.step(x, labels)
        now, before = problem.target.forward(x, weights), problem.target.forward(old, teacher)
        of_old = problem.target.forward(old, weights)
        rows: list[Tensor] = []
        if scenario == "class":
            present = F.cross_entropy(now[:, :6], labels + 4)
            rows = [distilled(y[:6], t[:4], padding) for y, t in zip(of_old, before, strict=True)]  # type: ignore[arg-type]
        elif scenario == "domain":
            present = F.cross_entropy(now, labels)
            rows = [distilled(y, t, "logits") for y, t in zip(of_old, before, strict=True)]
        else:
            present = F.cross_entropy(now[:, 4:6], labels)
            for row, (y, t) in enumerate(zip(of_old, before, strict=True)):
                heads = [int(tasks[row])] if known else [0, 1]
                of_heads = [distilled(y[2 * j : 2 * j + 2], t[2 * j : 2 * j + 2], "logits") for j in heads]
                rows.append(torch.stack(of_heads).mean())
        adam.zero_grad()
        (0.3 * present + 0.7 * torch.stack(rows).mean()).backward()
        if engine == "plain" and step == 0:
            torch.testing.assert_close(classifier.source.flat.grad, weights.grad, rtol=1e-9, atol=1e-12)
        adam.step()
    # Adam turns the rounding of gradients near 0 into steps
    torch.testing.assert_close(classifier.source.flat.detach(), weights.detach(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("engine", ["plain", "fast"])
def test_the_first_task_is_trained_as_without_rehearsal(engine: str) -> None:
    problem = problem_of("class", engine)
    classifier = RehearsedClassifier(problem, Distillation())
    weights = classifier.source.flat.detach().clone().requires_grad_()
    classifier.start_task(0, 1.0, None)
    classifier.step(pixels(5), torch.tensor([0, 1, 1, 0, 1]))
    adam = torch.optim.Adam([weights], lr=0.01)
    F.cross_entropy(problem.target.forward(pixels(5), weights)[:, :2], torch.tensor([0, 1, 1, 0, 1])).backward()
    adam.step()
    torch.testing.assert_close(classifier.source.flat.detach(), weights.detach(), rtol=1e-6, atol=1e-7)


class Constant:
    """A generator whose samples of task j are all j."""

    def sampler(self, task: int) -> Any:
        return lambda n, draws: torch.full((n, 9), float(task), dtype=torch.float64)


def test_every_earlier_task_gives_equally_many_samples_in_its_rows() -> None:
    inputs = SampledPerTask(Constant(), small_problem(), 3, n_rows=7)  # type: ignore[arg-type]
    assert inputs.n_rows == 9 and inputs.tasks is not None
    drawn = inputs.draw(4)
    assert drawn.shape == (4, 9, 9)
    assert torch.equal(drawn[:, :, 0], inputs.tasks.double().expand(4, 9))


@pytest.mark.parametrize("n_steps", [0, 1, 15, 16, 17, 40])
def test_steps_go_on_after_an_interruption_as_without_one(n_steps: int) -> None:
    def steps(task: WithinTask) -> Steps:
        with task:
            noise = Noise(small_problem())
            return Steps(noise, list)

    task = WithinTask()
    whole = steps(task)
    for _ in range(n_steps):
        next(whole)
    resumed = steps(WithinTask(task.states()))
    for _ in range(20):
        assert torch.equal(next(resumed), next(whole))


class Noise:
    """Rehearsed inputs that are random numbers."""

    tasks = None
    n_rows = 2

    def __init__(self, problem: Problem) -> None:
        self.draws = generator(problem.seed, "rehearsal", 1)

    def draw(self, n_steps: int) -> Tensor:
        return torch.rand(n_steps, self.n_rows, 3, generator=self.draws)


def test_real_inputs_are_images_of_the_task_of_their_row() -> None:
    earlier = [Split(torch.full((3, 9), 10 * task), torch.zeros(3, dtype=torch.int64), scale=10.0) for task in (1, 2)]
    inputs = RealInputs(earlier, small_problem(), n_rows=5)
    assert inputs.n_rows == 6
    assert torch.equal(inputs.draw(2)[:, :, 0], inputs.tasks.double().expand(2, 6) + 1)


def test_samples_of_one_generator_for_all_tasks_have_no_task() -> None:
    inputs = SampledTogether(Constant().sampler(1), small_problem(), 2, n_rows=5)
    assert inputs.tasks is None
    assert inputs.draw(3).shape == (3, 5, 9)
