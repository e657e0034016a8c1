"""Lower bound of the memory a training takes, from counts alone; nothing of the network's size is allocated."""

from __future__ import annotations

from typing import Any

from hnet_core.runtime.machine import training_memory
from hnet_core.streams import StreamShape
from hnet_core.trial import BYTES_PER_WEIGHT, TrialConfig, WeightCounts


def training_bytes(config: TrialConfig, shape: StreamShape, counts: WeightCounts) -> int:
    """Bytes that training one seed takes at least, activations, data and libraries left out.

    - every weight of the model, and what is kept from task to task (replayed data, importance of weights);
    - for each weight trained at a time, its gradient and two moments of Adam;
    - where weights are generated, those of one task and their gradient;
    - where an output regulariser protects previous tasks, their weights (engine plain, which stores them) or the
      hypernetwork as it was before the task;
    - the examples of every step of a task (8 bytes an index), the permutations of the inputs, and the accuracies of
      each task after each task.
    """
    at_a_time = min(counts.model if counts.trained is None else counts.trained, counts.hypernet + counts.target)
    weights = counts.model + 3 * at_a_time
    if counts.hypernet:
        weights += 2 * counts.target + _protected(config, shape.n_tasks, counts)
    indices = config.training.batch_size * (config.training.iterations or 0)  # with epochs no more than the data has
    indices += shape.n_tasks * shape.n_inputs if config.stream.name == "permuted" else 0
    return BYTES_PER_WEIGHT * weights + counts.memory_bytes + 8 * (indices + shape.n_tasks**2)


def _protected(config: TrialConfig, n_tasks: int, counts: WeightCounts) -> int:
    """Weights that an output regulariser keeps at the last task."""
    options: Any = config.method
    if n_tasks == 1 or not getattr(options, "beta_output", 0):
        return 0
    stores = config.training.engine == "plain" and getattr(options, "regularizer_target", "") == "stored"
    return (n_tasks - 1) * counts.target if stores else counts.hypernet


def in_words(n_bytes: int) -> str:
    """A number of bytes with a unit, such as 1.5 GiB."""
    size, units = float(n_bytes) if n_bytes < 1e300 else 1e300, ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"]
    for unit in units[:-1]:
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} {units[-1]}"


def memory_complaint(config: TrialConfig, shape: StreamShape, counts: WeightCounts) -> str | None:
    """Explain why this machine cannot train a configuration, with both numbers; None if its memory may be enough."""
    needed, there_is = training_bytes(config, shape, counts), training_memory(config.training.device)
    if needed <= there_is:
        return None
    return (
        f"training takes at least {in_words(needed)} of memory ({counts.model:.4g} weights of the model, "
        f"{counts.target:.4g} of the target network), and there are {in_words(there_is)}; take smaller networks, fewer "
        "tasks or fewer examples a task"
    )
