"""Construction of the stream and the networks of a configuration, and their weight counts."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, replace
from pathlib import Path

from hnet_core.data import data_root
from hnet_core.errors import UnsupportedTrial
from hnet_core.hypernets import Hypernet
from hnet_core.optimization.batches import n_steps
from hnet_core.optimization.task_course import check_training
from hnet_core.registry import HYPERNETS, METHODS, STREAMS, TARGETS
from hnet_core.runtime.devices import pick_device
from hnet_core.streams import Stream, StreamShape
from hnet_core.streams.stream import VariesWithSeed
from hnet_core.targets import Target
from hnet_core.trial import TrialConfig, WeightCounts


@dataclass(frozen=True)
class Networks:
    """The networks of a configuration and their weight counts."""

    target: Target
    hypernet: Hypernet | None
    counts: WeightCounts


def networks(config: TrialConfig, shape: StreamShape) -> Networks:
    """Build the networks of a configuration; no weight is allocated.

    Raises:
        UnsupportedTrial: the method cannot learn such a stream, in such a scenario, with such a target network, or the
            options of training do not fit the stream.
    """
    check_training(config.training, shape)
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
    return Networks(target, hypernet, counts)


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
    """Return the shape of a stream for the method: with one head for all tasks if the method has a single head."""
    return replace(shape, shared_head=True) if METHODS[config.method.name].single_head else shape
