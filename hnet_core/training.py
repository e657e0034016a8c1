"""The task loop: a configuration and a seed in, the raw result out."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch

from hnet_core.build import learning_problem, method_shape, networks, open_stream, task_inference
from hnet_core.engines import StackMember
from hnet_core.errors import ConfigInvalid
from hnet_core.evaluation.result_matrices import ResultMatrices, ResultsSoFar
from hnet_core.further_networks import FurtherNetworks
from hnet_core.learned_state import LearnedState
from hnet_core.methods import Method
from hnet_core.methods.protocol import ReadsEarlierTasks, ReadsTask
from hnet_core.optimization.batches import n_steps
from hnet_core.optimization.task_batches import Batch, TaskBatches
from hnet_core.optimization.task_course import TaskCourse, check_validation
from hnet_core.registry import METHODS
from hnet_core.runtime.devices import device_name, pick_device, seconds_since
from hnet_core.runtime.peak_memory import PeakMemory
from hnet_core.runtime.within_task import WithinTask
from hnet_core.streams import Split, Stream
from hnet_core.trial import TaskReport, TrialConfig, TrialResult


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
        self._matrices = ResultMatrices(problem, self._method, self._inference, self._stream)
        self._batches = TaskBatches(config.training, self._stream, steps, seed, device, dtype)
        self._state = LearnedState(problem, self._method, self._inference)
        self._within: dict[str, Any] | None = None
        if resume is None:
            self._results = ResultsSoFar(self._matrices.untrained())
            self._begun = self._checkpoint()
        else:
            self._restore(resume)
            self._begun = {key: value for key, value in resume.items() if key != "within"}

    @property
    def finished(self) -> bool:
        return self.tasks_done == self.n_tasks

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
        method, tasks = self._method, self._stream.tasks
        self._further.start_task()
        self._task = made = WithinTask(() if self._within is None else self._within["made"])
        if method.trains_all_tasks_at_once:
            with made:
                course = self._course(range(self.n_tasks))
                method.start_task(0)
            yield from self._train(course, self._batches.of_all_tasks())
            for task, examples in enumerate(tasks):
                yield from self._after_steps(task, examples.train)
        else:
            task = self.tasks_done
            train = tasks[task].train
            with made:
                course = self._course([task])
                if isinstance(method, ReadsEarlierTasks):
                    method.read_earlier([earlier.train for earlier in tasks[:task]])
                method.start_task(task)
                read = method.prepare(task, train) if isinstance(method, ReadsTask) else train
            yield from self._train(course, self._batches.of_task(task, read))
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

    def _train(self, course: TaskCourse, batches: Iterator[Batch]) -> Iterator[None]:
        """Make the steps of a task that is begun, of a resumed one those that are left."""
        yield
        within, self._within = self._within, None
        if within is not None:  # only now has every seed of a stack begun the task
            self._state.load((within["method"], within["statistics"]))
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
        results = self._results
        task = self.n_tasks - 1 if self._method.trains_all_tasks_at_once else self.tasks_done
        results.add(task, self._matrices.rows(task), seconds, self._memory.mib())
        self._begun = self._checkpoint()
        return TaskReport(
            task=task,
            n_tasks=self.n_tasks,
            test=results.test[-1],
            validation=results.validation[-1] if self.has_validation else None,
            seconds=seconds,
            checkpoint=self._begun,
        )

    def result(self) -> TrialResult:
        """Return the raw result; only once all tasks are trained."""
        if not self.finished:
            raise ValueError(f"all {self.n_tasks} tasks must be trained, got {self.tasks_done}.")
        return self.result_so_far()

    @property
    def tasks_done(self) -> int:
        """Number of tasks trained so far."""
        return len(self._results.test)

    @property
    def n_tasks(self) -> int:
        return self._shape.n_tasks

    def result_within_task(self) -> TrialResult:
        """Return `result_so_far` with a further row for the task in training.

        To be called between two of `steps`; the training continues bit for bit as without the call.
        """
        results = self._results
        longer: dict[str, Any] = {
            name: [*getattr(results, name), row] for name, row in self._matrices.rows(self.tasks_done).items()
        }
        return self._result(replace(results, **longer, seconds=[*results.seconds, 0.0]))

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
        method, statistics = self._state.within_task()
        within = {
            "step": step,
            "seconds": seconds,
            "method": method,
            "statistics": statistics,
            "made": self._task.states(),
        }
        return {**self._begun, "within": {**within, **self._further.checkpoint()}}

    def result_so_far(self) -> TrialResult:
        """Return the raw result with a row for each task trained so far."""
        return self._result(self._results)

    def _result(self, results: ResultsSoFar) -> TrialResult:
        return TrialResult(
            config_hash=self._config.hash(),
            seed=self._seed,
            measure=self._shape.measure,
            counts=self._counts,
            test=tuple(results.test),
            validation=tuple(results.validation) if self.has_validation else None,
            untrained=tuple(results.untrained),
            seconds=tuple(results.seconds),
            peak_memory_mib=results.peak_memory_mib,
            device=device_name(self._problem.device),
            threads=self._config.training.threads,
            data_checksum=self._stream.checksum,
            known_task=tuple(results.known_task) or None,
            inferred_task=tuple(results.inferred_task) or None,
            task_inference=tuple(results.task_inference) or None,
            gradient_cosine=tuple(results.gradient_cosine) if results.has_gradient_cosine else None,
        )

    @property
    def steps_per_task(self) -> tuple[int, ...]:
        """Gradient steps of each task."""
        return self._problem.steps

    def validate(self, tasks: Sequence[int]) -> float:
        """Return the mean measure on the validation splits of these tasks."""
        return self._matrices.validation(tasks)

    @property
    def has_validation(self) -> bool:
        """True if the stream holds examples out of training."""
        return self._stream.tasks[0].validation is not None

    def _course(self, tasks: Sequence[int]) -> TaskCourse:
        """Return the course of the training of one task, or of all tasks at once."""
        return TaskCourse(
            self._config.training,
            self._problem.optimizers,
            self._shape.measure,
            steps_per_unit=sum(self._batches.steps_per_unit(task) for task in tasks),
            n_steps=sum(self._problem.steps[task] for task in tasks),
            validate=lambda: self.validate(tasks),
            state=self._state.within_task,
            load_state=self._state.load,
        )

    def _checkpoint(self) -> dict[str, Any]:
        return {
            "config_hash": self._config.hash(),
            "seed": self._seed,
            **self._state.between_tasks(),
            "progress": self._results.state(),
        }

    def _restore(self, checkpoint: dict[str, Any]) -> None:
        of = checkpoint["config_hash"], checkpoint["seed"]
        if of != (self._config.hash(), self._seed):
            raise ConfigInvalid(
                f"the checkpoint must be of configuration {self._config.hash()} and seed {self._seed}, got {of[0]} "
                f"and {of[1]}; resume with the configuration it was made with."
            )
        self._state.load_between_tasks(checkpoint)
        self._results = ResultsSoFar.from_state(checkpoint["progress"])
        self._within = checkpoint.get("within")
