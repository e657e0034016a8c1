"""A trained model as a file, for use without the study, the data or the optimiser."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten

from hnet_core.build import build_networks, learning_problem, task_inference
from hnet_core.config_validation import parse_trial
from hnet_core.errors import ConfigInvalid, HnetError, NotFound
from hnet_core.generators.generator import Rehearses, tells_tasks
from hnet_core.methods.protocol import FreezesBlocks, GeneratesWeights, Method
from hnet_core.registry import METHODS
from hnet_core.seeding import generator
from hnet_core.streams import StreamShape
from hnet_core.trial import TrialConfig

FORMAT = 1


def save(path: str | os.PathLike[str], config: TrialConfig, shape: StreamShape, checkpoint: dict[str, Any]) -> None:
    """Write a trained model to a file.

    Args:
        shape: of the stream for the method (`hnet_core.build.method_shape`).
        checkpoint: `TaskReport.checkpoint` of the last task.
    """
    content = {
        "format": FORMAT,
        "config": config.model_dump(mode="json"),
        "shape": {name: getattr(shape, name) for name in shape.__dataclass_fields__},
        "seed": checkpoint["seed"],
        "method": checkpoint["method"],
        "statistics": checkpoint["statistics"],
        "task_inference": checkpoint.get("task_inference", {}),
    }
    torch.save(content, path)


def load(path: str | os.PathLike[str]) -> TrainedModel:
    """Read a model written by `hnet trial export`; nothing in the file can run code.

    Raises:
        NotFound: there is no such file.
        ConfigInvalid: it is no such model, or of a newer format.
    """
    try:
        content = torch.load(path, weights_only=True, map_location="cpu")
    except FileNotFoundError:
        hint = "make one with: hnet trial export STUDY NUMBER -o FILE"
        raise NotFound(f"{os.fspath(path)}: no such file; {hint}") from None
    except OSError as error:
        raise ConfigInvalid(f"{os.fspath(path)} must be a file that can be read, got: {error.strerror}.") from None
    except Exception:  # torch raises many kinds of errors for other files
        raise ConfigInvalid(
            f"{os.fspath(path)} must be a model of hnet trial export, got another file, or a damaged one."
        ) from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ConfigInvalid(f"{os.fspath(path)} must be a model of format {FORMAT} of hnet trial export.")
    return TrainedModel(content)


class TrainedModel:
    """A trained method: predictions, weights and embeddings of each task.

    Attributes:
        config: the configuration it was trained with.
        seed: the seed it was trained with.
        shape: tasks, inputs and heads.
        target: the network that classifies.
        checksum: of configuration, seed and all weights, 16 hex digits; the same for every file of the same model.
    """

    def __init__(self, content: dict[str, Any]) -> None:
        self.config = parse_trial(content["config"])
        self.seed = int(content["seed"])
        shape = {**content["shape"], "input_shape": tuple(content["shape"]["input_shape"])}
        self.shape = StreamShape(**shape)
        parts = build_networks(self.config, self.shape)
        problem = learning_problem(self.config, self.shape, parts, self.seed, torch.device("cpu"))
        self.checksum = _checksum(content)
        self.target = parts.target
        self._problem = problem
        self._n_weights = parts.counts.target
        self._n_read = parts.hypernet.n_read if parts.hypernet is not None else 0
        self._method: Method = METHODS[self.config.method.name](self.config.method, problem)
        problem.statistics.load_state(content["statistics"])
        self._method.load_state(content["method"])
        self._inference = task_inference(self.config, problem, self._method)
        if self._inference is not None and "task_inference" in content:  # absent in earlier files
            self._inference.load_state(content["task_inference"])

    def weights(self, task: int) -> Tensor:
        """Return the weights of the target network for a task (from 0), flat, (n_weights,).

        Raises:
            HnetError: the method keeps them in parts; `predict` still works.
        """
        self._check(task)
        weights: Tensor | None = None
        if isinstance(self._method, GeneratesWeights):
            with torch.no_grad():
                weights = self._method.weights(task).detach()
                if isinstance(self._method, FreezesBlocks):
                    weights = torch.cat([self._method.frozen_weights().detach(), weights])
        if weights is None or weights.numel() != self._n_weights:
            name = self.config.method.name
            raise HnetError(f"method {name} keeps the weights of a task in parts; use predict(task, inputs).")
        return weights

    def statistics(self, task: int) -> Tensor:
        """Return the running statistics of the target network for a task, (n_statistics,); empty if it keeps none."""
        self._check(task)
        rows = self._problem.statistics.state()
        return rows[task % len(rows)] if len(rows) else rows.flatten()

    def embeddings(self) -> Tensor:
        """Return the part of the trained task embeddings that the hypernetwork reads, (n_tasks, n_read).

        Raises:
            HnetError: the method has none.
        """
        return torch.stack([embedding[: self._n_read].detach().clone() for embedding in self._trained_embeddings()])

    def gradient_cosines(self) -> list[list[float]]:
        """Return the cosines of the gradients of loss and regulariser in the first epoch of every task, step by step.

        Raises:
            HnetError: the method does not measure them (partial_hnet does).
        """
        found: list[list[float]] | None = getattr(self._method, "gradient_cosines", None)
        if found is None:
            raise HnetError(f"method {self.config.method.name} measures no cosines of gradients; partial_hnet does.")
        return found

    def predict(self, task: int, inputs: Tensor, embedding: Tensor | None = None) -> Tensor:
        """Return the outputs of the task's head for inputs in the format of the stream, (n, outputs_per_task).

        Args:
            embedding: used in place of the task's own, (n_read,); everything else of the task stays as it is.

        Raises:
            HnetError: an embedding is given, and the method has none.
        """
        self._check(task)
        with torch.inference_mode(), self._embedded(task, embedding):
            outputs: Tensor = self._method.predictor(task)(inputs)
        return outputs

    def samples(self, n: int, seed: int = 0) -> list[Tensor]:
        """Return samples of the generator that the method, or its task inference, rehearses from.

        Args:
            n: samples of each task.
            seed: of the noise.

        Returns:
            (n, n_inputs) within [0, 1] for each task that the generator has learnt, all but the last; one entry where
            it is one network for all tasks.

        Raises:
            HnetError: there is no generator.
        """
        parts: tuple[object, ...] = (self._method, self._inference)
        network = next((part.generator for part in parts if isinstance(part, Rehearses)), None)
        if network is None:
            raise HnetError(
                f"method {self.config.method.name} has no generator to sample from; train hnet_replay, "
                "generative_replay, or any method with task_inference network."
            )
        tasks = range(network.n_tasks) if tells_tasks(network.options) else [network.n_tasks - 1]
        return [network.sampler(task)(n, generator(seed, "samples", task)) for task in tasks]

    @contextmanager
    def _embedded(self, task: int, embedding: Tensor | None) -> Iterator[None]:
        """Replace the embedding of a task until the end of the block."""
        if embedding is None:
            yield
            return
        read = self._trained_embeddings()[task].data[: self._n_read]
        trained = read.clone()
        read.copy_(embedding)
        try:
            yield
        finally:
            read.copy_(trained)

    def _trained_embeddings(self) -> list[Tensor]:
        found = self._method.task_embeddings() if isinstance(self._method, GeneratesWeights) else None
        if found is None:
            raise HnetError(
                f"method {self.config.method.name} has no task embeddings; use a model with a hypernetwork."
            )
        return found

    def _check(self, task: int) -> None:
        if not 0 <= task < self.shape.n_tasks:
            raise ValueError(f"task must be 0 to {self.shape.n_tasks - 1}, got {task}.")


def _checksum(content: dict[str, Any]) -> str:
    """Return the sha256 of an exported model: of its tensors and numbers, not of the bytes of its file."""
    digest = hashlib.sha256(parse_trial(content["config"]).hash().encode())
    for key in ("seed", "method", "statistics"):
        leaves, structure = tree_flatten(content[key])
        digest.update(str(structure).encode())
        for leaf in leaves:
            is_tensor = isinstance(leaf, Tensor)
            digest.update(str((leaf.dtype, tuple(leaf.shape)) if is_tensor else leaf).encode())
            digest.update(leaf.contiguous().numpy().tobytes() if is_tensor else b"")
    return digest.hexdigest()[:16]
