"""HyperMask: target weights that all tasks train, under semi-binary masks from a hypernetwork."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field
from torch import Tensor

from hnet_core.engines.masked_plain import MaskedProtection
from hnet_core.engines.masked_step import NEEDS_HIDDEN_LAYERS, masked_step
from hnet_core.hypernets import Hypernet
from hnet_core.methods.base import BaseMethod
from hnet_core.problem import Problem, Tensors
from hnet_core.regularizers.output import NormName
from hnet_core.runtime import within_task
from hnet_core.streams import StreamShape
from hnet_core.targets import Target
from hnet_core.trial import ComponentOptions, TrialConfig, WeightCounts
from hnet_core.weights.masked import MaskedWeights
from hnet_core.weights.semi_binary_masks import MaskValues, SemiBinaryMask
from hnet_core.weights.sources import shared_counts


class HyperMask(BaseMethod):
    """Joint training of W and the hypernetwork of the masks, with penalties on changes of previous masks and of W.

    L = L_task(W * m_t) + beta_output * R_out + lambda_target * R_target, "HyperMask: Adaptive hypernetwork-based masks
    for continual learning" (Ksiazek and Spurek 2023, https://arxiv.org/abs/2310.00113) as its official code has it:
    m_t the semi-binary mask of `hnet_core.weights.semi_binary_masks`, R_out the drift of the mask logits of previous
    tasks (no look-ahead), R_target the norm of the change of W since the task began. One head for all tasks.
    docs/methods/hypermask.md lists the points where paper and code differ; each is an option, the default is the
    code's version.
    """

    name = "hypermask"
    summary = "trained target weights under semi-binary masks from a hypernetwork (Ksiazek and Spurek 2023)"
    page = "hypermask"
    uses_engine = True
    tested_options: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"previous_embeddings": False})
    single_head: ClassVar[bool] = True

    class Options(ComponentOptions):
        mask_sparsity: float = Field(
            30.0,
            ge=0,
            le=99,
            description="percentage of each weight tensor masked out, p",
            json_schema_extra={"search": {"choice": [0, 30, 50, 70, 95]}},
        )
        beta_output: float = Field(
            0.001,
            ge=0,
            description="strength of the regulariser of previous mask logits",
            json_schema_extra={"search": {"float": [0.0001, 1.0], "log": True}},
        )
        lambda_target: float = Field(
            0.001,
            ge=0,
            description="strength of the regulariser of the target weights",
            json_schema_extra={"search": {"float": [0.0001, 1.0], "log": True}},
        )
        mask_values: MaskValues = Field("absolute", description="kept values are |tanh| (code) or tanh")
        output_division: int = Field(
            2, ge=1, le=2, description="divide R_out by the number of previous tasks once, or twice as the code does"
        )
        target_norm: NormName = Field("l1", description="norm of the change of each tensor of the target")
        target_norm_masked: bool = Field(True, description="count the change of weights as far as the mask uses them")
        sparsity_ramp: bool = Field(True, description="raise p from 0 over the first task, as the code does")
        previous_embeddings: bool = Field(True, description="R_out may move the embeddings of previous tasks (code)")

    def __init__(self, options: Options, problem: Problem) -> None:
        self.options = options
        self.problem = problem
        mask = SemiBinaryMask(problem.target.shapes, problem.target.kinds, options.mask_values)
        self.source: MaskedWeights = MaskedWeights(problem, mask, options.mask_sparsity)
        self._engine = masked_step(problem, self.source, options.previous_embeddings)

    @staticmethod
    def uses_hypernet(options: Options) -> bool:
        return True

    @classmethod
    def keeps_networks(cls, options: Any) -> bool:
        return bool(options.beta_output > 0)

    @staticmethod
    def unsupported(config: TrialConfig, shape: StreamShape, target: Target) -> str | None:
        options: Any = config.method
        hypernet: Any = config.hypernet
        if config.training.engine == "fast" and options.previous_embeddings and not hypernet.hidden:
            return f"cannot be trained by training.engine fast: {NEEDS_HIDDEN_LAYERS}; use auto or plain"
        return None

    @staticmethod
    def generated(options: Options, target: Target) -> Tensors:
        return SemiBinaryMask(target.shapes, target.kinds).masked

    @staticmethod
    def counts(options: Options, target: Target, hypernet: Hypernet | None, n_tasks: int) -> WeightCounts:
        masks = shared_counts("hypernet", target, hypernet, n_tasks)
        model = masks.hypernet + target.n_weights
        kept = 1 - options.mask_sparsity / 100
        return replace(masks, model=model, trained=model, inference=round(kept * target.multiply_adds(1)))

    @staticmethod
    def multiply_adds(options: Options, target: Target, hypernet: Hypernet, batch_size: int, task: int) -> int:
        generated = 1 + task if options.beta_output else 1
        return 3 * (target.multiply_adds(batch_size) + generated * hypernet.multiply_adds())

    def start_task(self, task: int) -> None:
        self._go_to(0)
        within_task.note(lambda: self._iteration, self._go_to)
        options = self.options
        division = max(1, task) if options.output_division == 2 else 1
        self._engine.start_task(
            task,
            MaskedProtection(
                beta=options.beta_output / division,
                lambda_=options.lambda_target,
                norm=options.target_norm,
                masked=options.target_norm_masked,
            ),
        )

    def step(self, task: int, inputs: Tensor, labels: Tensor) -> None:
        self._iteration += 1
        self._engine.step(inputs, labels, self._sparsity(task))

    def _go_to(self, iteration: int) -> None:
        self._iteration = iteration

    def _sparsity(self, task: int) -> float:
        """Return p of this step: from 0 to p over the first task, p afterwards."""
        p = self.options.mask_sparsity
        if task > 0 or not self.options.sparsity_ramp:
            return p
        return p * self._iteration / self.problem.steps[0]
