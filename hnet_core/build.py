"""Construction of the stream and the networks of a configuration, and their weight counts."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from hnet_core.configuration.method_properties import network_per_task
from hnet_core.configuration.normalization_choice import outlived_statistics
from hnet_core.data import data_root
from hnet_core.engines import picked, why_not_fast
from hnet_core.errors import UnsupportedTrial
from hnet_core.hypernets import Hypernet
from hnet_core.hypernets.chunked import unused_outputs
from hnet_core.methods import Method
from hnet_core.optimization.batches import n_steps
from hnet_core.optimization.idle_settings import idle_training
from hnet_core.optimization.task_course import check_training, check_validation, may_validate
from hnet_core.problem import Problem
from hnet_core.registry import HYPERNETS, METHODS, STREAMS, TARGETS, TASK_INFERENCE
from hnet_core.runtime.devices import pick_device
from hnet_core.scenario import check_scenario
from hnet_core.streams import Stream, StreamShape
from hnet_core.streams.stream import VariesWithSeed
from hnet_core.streams.training_heads import Classes
from hnet_core.targets import Target
from hnet_core.task_inference import InferenceCounts, TaskInference
from hnet_core.trial import ComponentOptions, TrialConfig, WeightCounts


@dataclass(frozen=True)
class Networks:
    """The networks of a configuration and their weight counts."""

    target: Target
    hypernet: Hypernet | None
    counts: WeightCounts


def networks(config: TrialConfig, shape: StreamShape) -> Networks:
    """Check that a configuration can be trained and build its networks; no weight is allocated.

    Raises:
        UnsupportedTrial: the method cannot learn such a stream, in such a scenario, with such a target network or such
            an engine, or the options of training do not fit the stream.
    """
    check_training(config, shape)
    check_validation(config.training, has_validation=may_validate(config.stream))
    check_scenario(config, shape)
    reason = outlived_statistics(config.target, config.method)
    if reason is not None:
        raise UnsupportedTrial(f"method {config.method.name} {reason}.", key="target.normalization")
    parts = build_networks(config, shape)
    if getattr(METHODS[config.method.name], "uses_engine", False):  # methods of other packages may lack it
        picked(config.training.engine, why_not_fast(parts.hypernet, config.training))
    return parts


def build_networks(config: TrialConfig, shape: StreamShape) -> Networks:
    """Build the networks of a configuration that was trained already; no weight is allocated.

    Raises:
        UnsupportedTrial: the method, or its task inference, cannot work with this stream and target network.
    """
    target: Target = TARGETS[config.target.name](config.target, shape.input_shape, shape.n_outputs)
    method = METHODS[config.method.name]
    reason = method.unsupported(config, shape, target)
    if reason is not None:
        raise UnsupportedTrial(f"method {config.method.name} {reason}.", key="method")
    hypernet: Hypernet | None = None
    if config.hypernet is not None:
        generated = method.generated(config.method, target)
        hypernet = HYPERNETS[config.hypernet.name](config.hypernet, generated.shapes, generated.kinds)
    counts = method.counts(config.method, target, hypernet, shape.n_tasks)
    if config.task_inference is not None:
        counts = _with_inference(config, config.task_inference, shape, target, counts)
    return Networks(target, hypernet, counts)


def _with_inference(
    config: TrialConfig, options: ComponentOptions, shape: StreamShape, target: Target, counts: WeightCounts
) -> WeightCounts:
    """Add the weights and operations of task inference to the counts of the method."""
    inference = TASK_INFERENCE[options.name]
    reason = inference.unsupported(config, shape, target)
    if reason is not None:
        raise UnsupportedTrial(f"task inference {options.name} {reason}.", key="task_inference")
    more: InferenceCounts = inference.counts(options, shape, target, counts)
    return replace(
        counts,
        model=counts.model + more.weights,
        hypernet=counts.hypernet + more.hypernet,
        per_task=counts.per_task + more.per_task,
        trained=None if counts.trained is None else counts.trained + more.weights,
        memory_bytes=counts.memory_bytes + more.memory_bytes,
        inference=None if counts.inference is None else counts.inference + more.multiply_adds,
        generator=counts.generator + more.generator,
        generator_hypernet=counts.generator_hypernet + more.generator_hypernet,
    )


def idle_settings(config: TrialConfig, parts: Networks) -> dict[str, str]:
    """Return the settings of a configuration that change nothing, in words by dotted key; empty for none."""
    unused = unused_outputs(parts.hypernet)
    of_hypernet = {} if unused is None else {"hypernet.chunk_size": unused}
    return {**idle_training(config.training), **of_hypernet}


def learning_problem(
    config: TrialConfig, shape: StreamShape, parts: Networks, seed: int, device: torch.device
) -> Problem:
    """Return the learning problem of a configuration for its method.

    Args:
        shape: of the stream for the method, see `method_shape`.
    """
    classes: Classes = "own_head"
    if config.scenario == "class" and not network_per_task(config.method):
        classes = "all" if METHODS[config.method.name].trains_all_tasks_at_once else "seen"
    return Problem(
        shape,
        parts.target,
        parts.hypernet,
        config.training,
        seed,
        device,
        torch.float32,
        scenario=config.scenario,
        trained_classes=classes,
    )


def task_inference(config: TrialConfig, problem: Problem, method: Method) -> TaskInference | None:
    """Return the task inference of a configuration for its method; None if it has none."""
    options = config.task_inference
    if options is None:
        return None
    inference: TaskInference = TASK_INFERENCE[options.name](options, problem, method)
    return inference


def open_stream(config: TrialConfig, root: str | os.PathLike[str] | None = None, seed: int = 0) -> Stream:
    """Open the stream of a configuration with its data, on the device of the training, for the run with this seed."""
    return read_stream(config, root, seed).to(pick_device(config.training.device))


def read_stream(config: TrialConfig, root: str | os.PathLike[str] | None = None, seed: int = 0) -> Stream:
    """Open the stream of a configuration in main memory, for the run with this seed."""
    named = STREAMS[config.stream.name]
    of_run = {"seed": seed} if varies_with_seed(config) else {}
    stream: Stream = named.open(config.stream, data_root(root), **of_run)
    return stream


def varies_with_seed(config: TrialConfig) -> bool:
    """Return whether the tasks of a run depend on its seed."""
    named = STREAMS[config.stream.name]
    return isinstance(named, VariesWithSeed) and named.varies_with_seed(config.stream)


def steps_per_task(config: TrialConfig, root: str | os.PathLike[str] | None = None) -> tuple[int, ...]:
    """Return the gradient steps of each task; with a length in epochs the data is read to count its examples.

    Where the tasks depend on the seed of the run they are those of seed 0.

    Raises:
        DatasetMissing, DatasetCorrupt: the data cannot be read.
    """
    if config.training.iterations is not None:
        return (config.training.iterations,) * stream_shape(config, root).n_tasks
    sizes = _n_examples(config.stream.name, config.stream.model_dump_json(), str(data_root(root)))
    return tuple(n_steps(config.training, size) for size in sizes)


@functools.lru_cache(maxsize=64)
def _n_examples(stream: str, options: str, root: str) -> tuple[int, ...]:
    """Count the training examples of each task."""
    opened: Stream = STREAMS[stream].open(STREAMS[stream].Options.model_validate_json(options), Path(root))
    return tuple(len(task.train) for task in opened.tasks)


def stream_shape(config: TrialConfig, root: str | os.PathLike[str] | None = None) -> StreamShape:
    """Return tasks, inputs and heads of a configuration without loading the images of a known data set."""
    return method_shape(config, STREAMS[config.stream.name].shape(config.stream, data_root(root)))


def method_shape(config: TrialConfig, shape: StreamShape) -> StreamShape:
    """Return the shape of a stream for the method.

    All tasks share one head in scenario domain, and always if the method has a single head.
    """
    shared = config.scenario == "domain" or METHODS[config.method.name].single_head
    return replace(shape, shared_head=True) if shared else shape
