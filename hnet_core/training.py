"""The task loop: a configuration and a seed in, the raw result out."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hnet_core.build import method_shape, networks, open_stream
from hnet_core.engines import StackMember
from hnet_core.errors import ConfigInvalid, TrainingDiverged
from hnet_core.methods import Method, Problem
from hnet_core.methods.protocol import ReadsTask
from hnet_core.optimization.batches import batches, n_steps
from hnet_core.optimization.task_course import TaskCourse, check_validation
from hnet_core.registry import METHODS
from hnet_core.runtime.devices import device_name, pick_device, seconds_since
from hnet_core.runtime.peak_memory import PeakMemory
from hnet_core.runtime.within_task import WithinTask
from hnet_core.seeding import generator
from hnet_core.streams import Split, Stream
from hnet_core.trial import TaskReport, TrialConfig, TrialResult

EVALUATION_BATCH = 2048
BATCHES_AT_ONCE = {"cpu": 1, "cuda": 32}  # fetched from the data: a CPU's cache is small, a GPU's launches cost

MatrixRow = tuple[float | None, ...]


def run_trial(
    config: TrialConfig,
    seed: int,
    root: str | os.PathLike[str] | None = None,
    resume: dict[str, Any] | None = None,
    on_task: Callable[[TaskReport], None] | None = None,
) -> TrialResult:
    """Train one configuration with one seed on all tasks of its stream.

    Args:
        config: the configuration to train.
        seed: of initial weights and batch order; the data and its permutations do not depend on it.
        root: data root, see hnet_core.data.data_root.
        resume: `TaskReport.checkpoint` of an interrupted run of the same configuration and seed; the result is
            bit-identical to that of a run that was not interrupted.
        on_task: called after each task.

    Raises:
        ConfigInvalid: the parts of the configuration do not fit together, or the checkpoint is of another run.
        DatasetMissing, DatasetCorrupt: the data cannot be read.
        TrainingDiverged: a weight became NaN or infinite.
    """
    run = TrialRun(config, seed, root, resume)
    while not run.finished:
        report = run.train_task()
        if on_task is not None:
            on_task(report)
    return run.result()


class TrialRun:
    """A training run, one task per call; used by `run_trial`, and by hnet_core.stacked for several seeds at once.

    Args:
        stream: the configuration's stream, if it is open already.
        member: of a stack of seeds trained in the same steps; the caller then advances `steps` of each in turn.

    Attributes:
        finished: True once all tasks are trained.
    """

    def __init__(
        self,
        config: TrialConfig,
        seed: int,
        root: str | os.PathLike[str] | None = None,
        resume: dict[str, Any] | None = None,
        dtype: torch.dtype = torch.float32,
        stream: Stream | None = None,
        member: StackMember | None = None,
    ) -> None:
        torch.set_num_threads(config.training.threads)
        self._config = config
        self._seed = seed
        self._memory = PeakMemory()
        device = pick_device(config.training.device)
        self._stream: Stream = open_stream(config, root) if stream is None else stream
        self._shape = method_shape(config, self._stream.shape)
        parts = networks(config, self._shape)
        check_validation(config.training, has_validation=self.has_validation)
        steps = tuple(n_steps(config.training, len(task.train)) for task in self._stream.tasks)
        problem = Problem(
            self._shape, parts.target, parts.hypernet, config.training, seed, device, dtype, member, steps
        )
        self._problem = problem
        self._method: Method = METHODS[config.method.name](config.method, problem)
        self._counts = parts.counts
        self._within: dict[str, Any] | None = None
        if resume is None:
            self._progress = _Progress([], [], [], [], 0.0)
            self._progress.untrained = [self._measure(task, "test") for task in range(self._shape.n_tasks)]
            self._begun = self._checkpoint()
        else:
            self._restore(resume)
            self._begun = {key: value for key, value in resume.items() if key != "within"}

    @property
    def finished(self) -> bool:
        return self.tasks_done == self._shape.n_tasks

    def train_task(self) -> TaskReport:
        """Train the next task (all of them, for a method that trains all at once) and evaluate.

        Raises:
            TrainingDiverged: a weight became NaN or infinite.
        """
        start = time.perf_counter()
        for _ in self.steps():
            pass
        return self.finish_task(seconds_since(start, self._problem.device))

    def steps(self) -> Iterator[None]:
        """Train the next task without evaluating it; pauses once the task is begun and after every step.

        A run resumed within the task pauses first as after the step it was interrupted at.
        """
        method, dtype = self._method, self._problem.dtype
        self._task = made = WithinTask(() if self._within is None else self._within["made"])
        if method.trains_all_tasks_at_once:
            with made:
                course = self._course(range(self._shape.n_tasks))
                method.start_task(0)
            draws = generator(self._seed, "augmentation")
            mixed = (
                (task, *self._stream.tasks[task].train.batch(index, dtype, draws))
                for task, index in self._mixed_batches()
            )
            yield from self._train(course, mixed)
        else:
            task = self.tasks_done
            train = self._stream.tasks[task].train
            indices = self._indices(task)
            with made:
                course = self._course([task])
                method.start_task(task)
                read = method.prepare(task, train) if isinstance(method, ReadsTask) else train
            yield from self._train(course, ((task, *batch) for batch in self._batches(task, read, indices)))
            if isinstance(method, ReadsTask):
                method.end_task(task, train)

    def _train(self, course: TaskCourse, batches: Iterator[tuple[int, Tensor, Tensor]]) -> Iterator[None]:
        """Make the steps of a task that is begun, of a resumed one those that are left."""
        yield
        if self._within is not None:  # only now has every seed of a stack begun the task
            self._method.load_state(self._within["method"])
            self._problem.statistics.load_state(self._within["statistics"])
            batches = itertools.islice(batches, self._within["step"], None)
            self._within = None
            course.after_step()
        for task, inputs, labels in batches:
            with self._task:
                course.before_step()
                self._method.step(task, inputs, labels)
            yield
            course.after_step()  # only now has a stack of seeds made the step
        course.finish()

    def finish_task(self, seconds: float) -> TaskReport:
        """Evaluate after the last of `steps`, which took `seconds`.

        Raises:
            TrainingDiverged: a weight became NaN or infinite.
        """
        n_tasks, progress = self._shape.n_tasks, self._progress
        task = n_tasks - 1 if self._method.trains_all_tasks_at_once else self.tasks_done
        unseen = (None,) * n_tasks
        while len(progress.test) < task:  # rows of tasks that were not trained on their own
            progress.test.append(unseen)
            progress.validation.append(unseen)
            progress.seconds.append(0.0)
        progress.test.append(self._row(task, "test"))
        progress.validation.append(self._row(task, "validation"))
        progress.seconds.append(seconds)
        progress.peak_memory_mib = max(progress.peak_memory_mib, self._memory.mib())
        self._begun = self._checkpoint()
        return TaskReport(
            task=task,
            n_tasks=n_tasks,
            test=progress.test[-1],
            validation=progress.validation[-1] if self.has_validation else None,
            seconds=seconds,
            checkpoint=self._begun,
        )

    def result(self) -> TrialResult:
        """Return the raw result; only once all tasks are trained."""
        if not self.finished:
            raise ValueError(f"all {self._shape.n_tasks} tasks must be trained, got {self.tasks_done}.")
        return self.result_so_far()

    @property
    def tasks_done(self) -> int:
        """Number of tasks trained so far."""
        return len(self._progress.test)

    @property
    def n_tasks(self) -> int:
        return self._shape.n_tasks

    def result_within_task(self) -> TrialResult:
        """Return `result_so_far` with a further row for the task in training.

        To be called between two of `steps`; the training continues bit for bit as without the call.
        """
        progress, task = self._progress, self.tasks_done
        test = [*progress.test, self._row(task, "test")]
        validation = [*progress.validation, self._row(task, "validation")]
        return self._result(replace(progress, test=test, validation=validation, seconds=[*progress.seconds, 0.0]))

    @property
    def steps_resumed(self) -> int:
        """Number of steps of the task in training, or to be trained, that an interrupted run has made."""
        return 0 if self._within is None else int(self._within["step"])

    def checkpoint_within_task(self, step: int, seconds: float) -> dict[str, Any]:
        """Return a checkpoint to resume from within the task in training; to be called between two of `steps`.

        Args:
            step: number of steps of the task made so far, at least 1.
            seconds: spent on them.
        """
        within = {
            "step": step,
            "seconds": seconds,
            "method": self._method.state(),
            "statistics": self._problem.statistics.state(),
            "made": self._task.states(),
        }
        return {**self._begun, "within": within}

    def result_so_far(self) -> TrialResult:
        """Return the raw result with a row for each task trained so far."""
        return self._result(self._progress)

    def _result(self, progress: _Progress) -> TrialResult:
        return TrialResult(
            config_hash=self._config.hash(),
            seed=self._seed,
            measure=self._shape.measure,
            counts=self._counts,
            test=tuple(progress.test),
            validation=tuple(progress.validation) if self.has_validation else None,
            untrained=tuple(progress.untrained),
            seconds=tuple(progress.seconds),
            peak_memory_mib=progress.peak_memory_mib,
            device=device_name(self._problem.device),
            threads=self._config.training.threads,
            data_checksum=self._stream.checksum,
        )

    @property
    def steps_per_task(self) -> tuple[int, ...]:
        """Gradient steps of each task."""
        return self._problem.steps

    def _course(self, tasks: Sequence[int]) -> TaskCourse:
        """Return the course of the training of one task, or of all tasks at once."""
        problem = self._problem

        def validate() -> float:
            return sum(self._measure(task, "validation") for task in tasks) / len(tasks)

        def load_state(state: tuple[dict[str, Any], Tensor]) -> None:
            self._method.load_state(state[0])
            problem.statistics.load_state(state[1])

        return TaskCourse(
            self._config.training,
            problem.optimizers,
            self._shape.measure,
            steps_per_unit=sum(self._steps_per_unit(task) for task in tasks),
            n_steps=sum(problem.steps[task] for task in tasks),
            validate=validate,
            state=lambda: (self._method.state(), problem.statistics.state()),
            load_state=load_state,
        )

    def _steps_per_unit(self, task: int) -> int:
        """Steps of a task in an epoch, or in an iteration where the length is given in iterations."""
        return self._problem.steps[task] // (self._config.training.epochs or self._problem.steps[task])

    def _batches(self, task: int, train: Split, indices: Iterator[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield inputs and labels of every step, on the device."""
        draws = generator(self._seed, "augmentation", task)
        at_once = BATCHES_AT_ONCE.get(self._problem.device.type, 1)
        while several := list(itertools.islice(indices, at_once)):
            sizes = [len(index) for index in several]
            inputs, labels = train.batch(torch.cat(several), self._problem.dtype, draws)
            yield from zip(inputs.split(sizes), labels.split(sizes), strict=True)

    def _indices(self, task: int) -> Iterator[Tensor]:
        """Iterate over the examples of every step, on the device."""
        draws = generator(self._seed, "batches", task)
        return batches(self._config.training, len(self._stream.tasks[task].train), draws, self._problem.device)

    def _mixed_batches(self) -> Iterator[tuple[int, Tensor]]:
        """Yield the batches of all tasks in random order: one of each per iteration, all of them once per epoch."""
        n_tasks, training = self._shape.n_tasks, self._config.training
        per_task = [self._indices(task) for task in range(n_tasks)]
        once = torch.tensor([task for task in range(n_tasks) for _ in range(self._steps_per_unit(task))])
        draws = generator(self._seed, "task order")
        for _ in range(training.epochs or training.iterations or 0):
            for task in once[torch.randperm(len(once), generator=draws)].tolist():
                yield task, next(per_task[task])

    @property
    def has_validation(self) -> bool:
        """True if the stream holds examples out of training."""
        return self._stream.tasks[0].validation is not None

    def _row(self, after: int, split: str) -> MatrixRow:
        """Measure every task seen so far."""
        if split == "validation" and not self.has_validation:
            return (None,) * self._shape.n_tasks
        seen = [self._measure(task, split) for task in range(after + 1)]
        return (*seen, *(None,) * (self._shape.n_tasks - after - 1))

    def _measure(self, task: int, split: str) -> float:
        examples: Split = getattr(self._stream.tasks[task], split)
        predict = self._method.predictor(task)
        total = 0.0
        with torch.inference_mode():
            for start in range(0, len(examples), EVALUATION_BATCH):
                inputs, labels = examples.batch(slice(start, start + EVALUATION_BATCH), self._problem.dtype)
                outputs = predict(inputs)
                if not torch.isfinite(outputs).all():
                    raise TrainingDiverged(
                        f"training diverged: an output for task {task + 1} is NaN or infinite; lower training.lr "
                        "or method.beta_output."
                    )
                total += float(sum_of_measure(outputs, labels))
        return total / len(examples)

    def _checkpoint(self) -> dict[str, Any]:
        return {
            "config_hash": self._config.hash(),
            "seed": self._seed,
            "method": self._method.state(),
            "statistics": self._problem.statistics.state(),
            "optimizers": self._problem.optimizers.state(),
            "progress": {
                key: list(value) if isinstance(value, list) else value for key, value in vars(self._progress).items()
            },
        }

    def _restore(self, checkpoint: dict[str, Any]) -> None:
        of = checkpoint["config_hash"], checkpoint["seed"]
        if of != (self._config.hash(), self._seed):
            raise ConfigInvalid(
                f"the checkpoint must be of configuration {self._config.hash()} and seed {self._seed}, got {of[0]} "
                f"and {of[1]}; resume with the configuration it was made with."
            )
        self._method.load_state(checkpoint["method"])
        self._problem.statistics.load_state(checkpoint["statistics"])
        self._problem.optimizers.load_state(checkpoint.get("optimizers", []))  # absent in earlier checkpoints
        self._progress = _Progress(**checkpoint["progress"])
        self._within = checkpoint.get("within")


@dataclass
class _Progress:
    """Results of the finished tasks; plain lists, so that a checkpoint loads with weights_only=True."""

    untrained: list[float]
    test: list[MatrixRow]
    validation: list[MatrixRow]
    seconds: list[float]
    peak_memory_mib: float


def sum_of_measure(outputs: Tensor, labels: Tensor) -> Tensor:
    """Return the number of correct classifications, or the sum of squared errors."""
    if labels.is_floating_point():
        return (outputs - labels).square().sum()
    return (outputs.argmax(dim=1) == labels).sum()


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint written by `torch.save(report.checkpoint, path)`; nothing in it can run code."""
    checkpoint: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    return checkpoint
