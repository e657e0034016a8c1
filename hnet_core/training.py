"""The task loop: a configuration and a seed in, the raw result out."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hnet_core.build import learning_problem, method_shape, networks, open_stream, task_inference
from hnet_core.engines import StackMember
from hnet_core.errors import ConfigInvalid
from hnet_core.evaluation.evaluator import Evaluator, Kind
from hnet_core.further_networks import FurtherNetworks
from hnet_core.methods import Method
from hnet_core.methods.protocol import MeasuresGradientCosines, ReadsEarlierTasks, ReadsTask
from hnet_core.optimization.batches import batches, n_steps
from hnet_core.optimization.task_course import TaskCourse, check_validation
from hnet_core.registry import METHODS
from hnet_core.runtime.devices import device_name, pick_device, seconds_since
from hnet_core.runtime.peak_memory import PeakMemory
from hnet_core.runtime.within_task import WithinTask
from hnet_core.seeding import generator
from hnet_core.streams import Split, Stream
from hnet_core.trial import TaskReport, TrialConfig, TrialResult

BATCHES_AT_ONCE = {"cpu": 1, "cuda": 32}  # fetched from the data: a CPU's cache is small, a GPU's launches cost

MatrixRow = tuple[float | None, ...]
MATRIX_OF: dict[Kind, str] = {"scenario": "test"}  # others have the name of their kind


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
        seed: of initial weights and batch order, and of the tasks where the stream is drawn by run.
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
        self._stream: Stream = open_stream(config, root, seed) if stream is None else stream
        self._shape = method_shape(config, self._stream.shape)
        parts = networks(config, self._shape)
        check_validation(config.training, has_validation=self.has_validation)
        steps = tuple(n_steps(config.training, len(task.train)) for task in self._stream.tasks)
        problem = learning_problem(config, self._shape, parts, seed, device)
        self._problem = problem = replace(problem, dtype=dtype, member=member, steps=steps)
        self._method: Method = METHODS[config.method.name](config.method, problem)
        self._inference = task_inference(config, problem, self._method)
        self._further = FurtherNetworks(self._method, self._inference)
        self._counts = parts.counts
        self._within: dict[str, Any] | None = None
        if resume is None:
            self._progress = _Progress([], [], [], [], 0.0)
            untrained = Evaluator(problem, self._method, None, self.n_tasks)
            self._progress.untrained = [
                untrained.measure(i, task.test)["scenario"] for i, task in enumerate(self._stream.tasks)
            ]
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
        self._further.start_task()
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
            for task, examples in enumerate(self._stream.tasks):
                yield from self._after_steps(task, examples.train)
        else:
            task = self.tasks_done
            train = self._stream.tasks[task].train
            indices = self._indices(task)
            with made:
                course = self._course([task])
                if isinstance(method, ReadsEarlierTasks):
                    method.read_earlier([earlier.train for earlier in self._stream.tasks[:task]])
                method.start_task(task)
                read = method.prepare(task, train) if isinstance(method, ReadsTask) else train
            yield from self._train(course, ((task, *batch) for batch in self._batches(task, read, indices)))
            yield from self._after_steps(task, train)

    def _after_steps(self, task: int, train: Split) -> Iterator[None]:
        """Train what is trained once the method's own steps are done, then let the parts read the examples."""
        yield from self._further.steps(task, train)
        if self._further.resumes:  # of all tasks at once, an earlier one: the parts have read it before the checkpoint
            return
        if isinstance(self._method, ReadsTask):
            self._method.end_task(task, train)
        if self._inference is not None:
            self._inference.end_task(task, train)

    def _train(self, course: TaskCourse, batches: Iterator[tuple[int, Tensor, Tensor]]) -> Iterator[None]:
        """Make the steps of a task that is begun, of a resumed one those that are left."""
        yield
        within, self._within = self._within, None
        if within is not None:  # only now has every seed of a stack begun the task
            self._method.load_state(within["method"])
            self._problem.statistics.load_state(within["statistics"])
            if "further" in within:  # the method's own steps are done
                self._further.resume(within["further"])
                return
            batches = itertools.islice(batches, within["step"], None)
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
        for name, row in self._rows(task).items():
            matrix: list[MatrixRow] = getattr(progress, name)
            matrix += [(None,) * n_tasks] * (task - len(matrix))  # rows of tasks that were not trained on their own
            matrix.append(row)
        progress.seconds += [0.0] * (task - len(progress.seconds))
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
        progress = self._progress
        longer: dict[str, Any] = {
            name: [*getattr(progress, name), row] for name, row in self._rows(self.tasks_done).items()
        }
        return self._result(replace(progress, **longer, seconds=[*progress.seconds, 0.0]))

    @property
    def steps_resumed(self) -> int:
        """Number of steps of the task in training, or to be trained, that an interrupted run has made."""
        return 0 if self._within is None else int(self._within["step"])

    def checkpoint_within_task(self, step: int, seconds: float) -> dict[str, Any]:
        """Return a checkpoint to resume from within the task in training; to be called between two of `steps`.

        Args:
            step: number of steps of the task made so far, those of further networks included, at least 1.
            seconds: spent on them.
        """
        within = {
            "step": step,
            "seconds": seconds,
            "method": self._method.state(),
            "statistics": self._problem.statistics.state(),
            "made": self._task.states(),
        }
        return {**self._begun, "within": {**within, **self._further.checkpoint()}}

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
            known_task=tuple(progress.known_task) or None,
            inferred_task=tuple(progress.inferred_task) or None,
            task_inference=tuple(progress.task_inference) or None,
            gradient_cosine=tuple(progress.gradient_cosine) if _has_value(progress.gradient_cosine) else None,
        )

    @property
    def steps_per_task(self) -> tuple[int, ...]:
        """Gradient steps of each task."""
        return self._problem.steps

    def validate(self, tasks: Sequence[int]) -> float:
        """Return the mean measure on the validation splits of these tasks."""
        evaluator = Evaluator(self._problem, self._method, None, tasks[-1] + 1)
        return sum(self._validation(evaluator, task) for task in tasks) / len(tasks)

    def _course(self, tasks: Sequence[int]) -> TaskCourse:
        """Return the course of the training of one task, or of all tasks at once."""
        problem = self._problem

        def load_state(state: tuple[dict[str, Any], Tensor]) -> None:
            self._method.load_state(state[0])
            problem.statistics.load_state(state[1])

        return TaskCourse(
            self._config.training,
            problem.optimizers,
            self._shape.measure,
            steps_per_unit=sum(self._steps_per_unit(task) for task in tasks),
            n_steps=sum(problem.steps[task] for task in tasks),
            validate=lambda: self.validate(tasks),
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

    def _rows(self, after: int) -> dict[str, MatrixRow]:
        """Measure every task seen so far; return a row of each matrix of the result, by its name."""
        evaluator = Evaluator(self._problem, self._method, self._inference, after + 1)
        unseen = (None,) * (self.n_tasks - after - 1)
        measured = [evaluator.measure(i, task.test) for i, task in enumerate(self._stream.tasks[: after + 1])]
        rows: dict[str, MatrixRow] = {
            MATRIX_OF.get(kind, kind): (*(one[kind] for one in measured), *unseen) for kind in measured[0]
        }
        rows["validation"] = (None,) * self.n_tasks
        if self.has_validation:
            rows["validation"] = (*(self._validation(evaluator, task) for task in range(after + 1)), *unseen)
        if isinstance(self._method, MeasuresGradientCosines):
            rows["gradient_cosine"] = (*(None,) * after, _mean_cosine(self._method.gradient_cosines[after:]), *unseen)
        return rows

    def _validation(self, evaluator: Evaluator, task: int) -> float:
        examples = self._stream.tasks[task].validation
        if examples is None:
            raise ValueError("the stream must hold examples out of training, got none.")
        return evaluator.measure(task, examples)["scenario"]

    def _checkpoint(self) -> dict[str, Any]:
        return {
            "config_hash": self._config.hash(),
            "seed": self._seed,
            "method": self._method.state(),
            "statistics": self._problem.statistics.state(),
            "optimizers": self._problem.optimizers.state(),
            "task_inference": {} if self._inference is None else self._inference.state(),
            "progress": _copied(vars(self._progress)),
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
        if self._inference is not None:
            self._inference.load_state(checkpoint["task_inference"])
        self._progress = _Progress(**_copied(checkpoint["progress"]))
        self._within = checkpoint.get("within")


@dataclass
class _Progress:
    """Results of the finished tasks; plain lists, so that a checkpoint loads with weights_only=True."""

    untrained: list[float]
    test: list[MatrixRow]
    validation: list[MatrixRow]
    seconds: list[float]
    peak_memory_mib: float
    known_task: list[MatrixRow] = field(default_factory=list)
    inferred_task: list[MatrixRow] = field(default_factory=list)
    task_inference: list[MatrixRow] = field(default_factory=list)
    gradient_cosine: list[MatrixRow] = field(default_factory=list)


def _mean_cosine(of_task: Sequence[Sequence[float]]) -> float | None:
    """Return the mean over the steps of a task; None while it is trained, or where it has no regulariser."""
    if not of_task or not of_task[0]:
        return None
    return min(1.0, max(-1.0, sum(of_task[0]) / len(of_task[0])))  # float32 may round beyond


def _has_value(rows: Sequence[MatrixRow]) -> bool:
    return any(value is not None for row in rows for value in row)


def _copied(progress: dict[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, list) else value for key, value in progress.items()}


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint written by `torch.save(report.checkpoint, path)`; nothing in it can run code."""
    checkpoint: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    return checkpoint
