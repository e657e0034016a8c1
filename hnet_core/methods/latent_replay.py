"""Latent replay: stored features of earlier examples are trained together with those of new examples."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from hnet_core.hypernets import Hypernet
from hnet_core.methods.base import BaseMethod
from hnet_core.methods.exported_blocks import StartOptions, misfit, take_blocks
from hnet_core.methods.frozen_blocks import FREEZE_DEPTHS, FrozenBlocks, too_deep
from hnet_core.methods.replay_buffer import ReplayBuffer
from hnet_core.options import ADDED_LATER
from hnet_core.problem import Predictor, Problem
from hnet_core.seeding import generator
from hnet_core.streams import Split, StreamShape
from hnet_core.targets import Target
from hnet_core.targets.target import Normalization, numel
from hnet_core.trial import TrialConfig, WeightCounts
from hnet_core.weights.sources import OwnWeights, shared_counts


class LatentReplay(BaseMethod):
    """L = L_task(batch) + coefficient * L(replayed batch), each example on the head of its own task.

    The first `freeze_depth` blocks are learnt with the first task and frozen; a class-balanced buffer holds their
    features of earlier examples, so that replay starts behind them. Depth 0 replays images. Pellegrini et al., "Latent
    replay for real-time continual learning" (IROS 2020), https://arxiv.org/abs/1912.01100, as the baseline LR of Hemati
    et al., "Partial hypernetworks for continual learning" (CoLLAs 2023). Without a buffer (`buffer_size: 0`) it is
    fine-tuning with frozen blocks, the network ResNet-k of their sec. 4.1.

    Differs: LR-0 replays images as their Table 6 counts it; the least their code can replay are features behind the
    first convolution.
    """

    name = "latent_replay"
    summary = "first blocks frozen after task 1, features of earlier examples replayed to the others"
    page = "latent_replay"
    tested_options: ClassVar[tuple[dict[str, Any], ...]] = (
        {},
        {"freeze_depth": 1, "buffer_size": 40},
        {"freeze_depth": 1, "buffer_size": 0},
    )
    source: OwnWeights

    class Options(StartOptions):
        freeze_depth: int = Field(
            0,
            ge=0,
            description="blocks frozen after the first task; 0 replays images",
            json_schema_extra=FREEZE_DEPTHS,
        )
        buffer_size: int = Field(
            200, ge=0, description="total number of examples kept, the same number of every class; 0: none"
        )
        replay_batch_size: int = Field(64, ge=1, description="replayed examples per step")
        frozen_normalization: Normalization | None = Field(
            None, description="in the frozen blocks; left out: that of the target network"
        )
        coefficient: float = Field(1.0, ge=0, description="weight c of the loss of the replayed examples")
        replay_order: Literal["draws", "passes"] = Field(
            "draws",
            description="replayed examples of a step: drawn anew, or, as in the official code, by passes over the "
            "shuffled buffer in full batches",
            json_schema_extra=ADDED_LATER,
        )
        frozen_statistics_update: bool = Field(
            False, description="running statistics of frozen blocks keep changing, as in the official code"
        )

    def __init__(self, options: Options, problem: Problem) -> None:
        self.options = options
        self.frozen = FrozenBlocks(
            problem,
            options.freeze_depth,
            options.frozen_normalization,
            keeps_updating=options.frozen_statistics_update,
        )
        self.problem = problem.part(options.freeze_depth)
        self.source = OwnWeights(self.problem)
        if problem.steps:  # a model that is read back has its weights already
            take_blocks(options, [(self.frozen.part, self.frozen.flat), (self.problem, self.source.flat)])
        self.buffer = ReplayBuffer(options.buffer_size, problem.device)
        self._given_features = False

    @staticmethod
    def unsupported(config: TrialConfig, shape: StreamShape, target: Target) -> str | None:
        if shape.measure != "accuracy":
            return "keeps examples of every class, and the stream has none"
        options: Any = config.method
        return too_deep(options.freeze_depth, target) or misfit(options, target, target.n_blocks)

    @staticmethod
    def counts(options: Options, target: Target, hypernet: Hypernet | None, n_tasks: int) -> WeightCounts:
        counts = shared_counts("target", target, hypernet, n_tasks)
        return dataclasses.replace(counts, memory_bytes=LatentReplay.replay_bytes(options, target))

    @staticmethod
    def replay_bytes(options: Options, target: Target) -> int:
        """Return the bytes of the full buffer, float32 features, labels not counted (Table 6 of Hemati et al.)."""
        return 4 * options.buffer_size * numel(target.part(0, options.freeze_depth).output_shape)

    @staticmethod
    def multiply_adds(options: Options, target: Target, hypernet: Hypernet | None, batch_size: int, task: int) -> int:
        frozen, rest = target.part(0, options.freeze_depth), target.part(options.freeze_depth)
        replays = task > 0 and options.buffer_size > 0 and options.coefficient > 0
        replayed = min(options.replay_batch_size, options.buffer_size) if replays else 0
        of_frozen = (3 if task == 0 else 1) * frozen.multiply_adds(batch_size)
        return of_frozen + 3 * rest.multiply_adds(batch_size + replayed)

    def start_task(self, task: int) -> None:
        self._optimizer = self.problem.optimizer([self.source.flat, *self.frozen.parameters(0)])
        self._draws = generator(self.problem.seed, "replay", task)
        self._passes = self.buffer.passes(self.options.replay_batch_size, self._draws)

    def prepare(self, task: int, train: Split) -> Split:
        features = self.frozen.computed_once(train) if task > 0 else None
        self._given_features = features is not None
        return features or train

    def step(self, task: int, inputs: Tensor, labels: Tensor) -> None:
        features = inputs if self._given_features else self.frozen.features(task, inputs, training=True)
        loss = self.problem.task_loss(task, self.source.flat, features, labels)
        if len(self.buffer) and self.options.coefficient > 0:
            loss = loss + self.options.coefficient * self._replay_loss(task)
        self._optimizer.zero_grad()  # frozen blocks get no gradient, and stay
        loss.backward()
        self._optimizer.step()

    def end_task(self, task: int, train: Split) -> None:
        """Store features of randomly drawn examples of each class, augmented once, as many as fit."""
        if self.options.buffer_size == 0:
            return
        draws = generator(self.problem.seed, "replay buffer", task)
        n_classes = self.problem.shape.n_classes(task + 1)
        index = self.buffer.chosen(train.labels.cpu(), n_classes, draws).to(self.problem.device)
        inputs, labels = train.batch(index, self.problem.dtype, draws)
        features = self.frozen.features(task, inputs)
        self.buffer.add(features, labels, task, n_classes)

    def frozen_weights(self) -> Tensor:
        return self.frozen.flat

    def predictor(self, task: int) -> Predictor:
        def predict(inputs: Tensor) -> Tensor:
            return self.problem.outputs(task, self.source.flat, self.frozen.features(task, inputs))

        return predict

    def seen_predictor(self, n_seen: int) -> Predictor:
        seen = slice(0, self.problem.shape.head(n_seen - 1).stop)

        def predict(inputs: Tensor) -> Tensor:
            features = self.frozen.features(n_seen - 1, inputs)
            return self.problem.forward(n_seen - 1, self.source.flat, features)[:, seen]

        return predict

    def state(self) -> dict[str, Any]:
        return {
            "back": self.source.state(),
            "front": self.frozen.state(),
            "statistics": self.problem.statistics.state(),
            "buffer": self.buffer.state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        self.source.load_state(state["back"])
        self.frozen.load_state(state["front"])
        self.problem.statistics.load_state(state["statistics"])
        self.buffer.load_state(state["buffer"])

    def _replay_loss(self, task: int) -> Tensor:
        """Return the mean cross-entropy of replayed examples, each over the outputs of its own task or of all seen."""
        features, labels, tasks = (
            next(self._passes)
            if self.options.replay_order == "passes"
            else self.buffer.draw(self.options.replay_batch_size, self._draws)
        )
        outputs = self.problem.forward(task, self.source.flat, features, training=True)
        if self.problem.trained_classes == "own_head":
            return self.problem.cross_entropy(outputs.gather(1, self._heads[tasks]), labels)
        labels = labels + self._heads[tasks, 0]
        return self.problem.cross_entropy(outputs[:, self.problem.training_heads.outputs(task)], labels)

    @functools.cached_property
    def _heads(self) -> Tensor:
        """Output neurons of every task, (n_tasks, outputs_per_task)."""
        shape = self.problem.shape
        heads = [torch.arange(shape.n_outputs)[shape.head(task)] for task in range(shape.n_tasks)]
        return torch.stack(heads).to(self.problem.device)
