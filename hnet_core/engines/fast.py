"""The fast engine: the same step on flat buffers, every gradient by hand, the regulariser in its Gram form."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from hnet_core.engines.activations import in_place
from hnet_core.engines.adam import FlatAdam
from hnet_core.engines.generation import Generation
from hnet_core.engines.layout import FlatTheta, Layout, layout_of
from hnet_core.engines.output_drift import OutputDrift
from hnet_core.engines.protection import Protection
from hnet_core.engines.target_gradient import target_gradient
from hnet_core.methods.method import Problem
from hnet_core.methods.weights import GeneratedWeights


class FastStep:
    """The same numbers as PlainStep up to rounding; no allocation that grows with the target, no synchronisation.

    theta of the weight source becomes views of one flat buffer, so that whoever reads it always sees the present
    values and `state()` is the same for all engines.

    Raises:
        ValueError: for a hypernetwork that `unsupported` names a reason against.
    """

    def __init__(self, problem: Problem, source: GeneratedWeights) -> None:
        layout = layout_of(source.hypernet)
        if layout is None or unsupported(problem) is not None:
            raise ValueError(f"the fast engine cannot train this: {unsupported(problem)}; use the plain engine.")
        self._problem, self._source, self._layout = problem, source, layout
        like = torch.empty(0, dtype=problem.dtype, device=problem.device)
        self._theta, self._gradient = FlatTheta.zeros(layout, like), FlatTheta.zeros(layout, like)
        self._theta.fill(source.theta)
        source.theta = [part.detach().requires_grad_() for part in self._theta.parts()]
        self._generation = Generation(layout, like)
        self._target = target_gradient(problem, self._generation.weights, self._generation.weights_gradient)

    def start_task(self, task: int, protection: Protection | None = None) -> None:
        embeddings, training = self._source.embeddings, self._problem.training
        self._embedding = embeddings[task].detach().unsqueeze(0)
        self._embedding_gradient = torch.zeros_like(self._embedding)
        self._adam = FlatAdam(
            training,
            [self._theta.flat, self._embedding],
            [self._gradient.flat, self._embedding_gradient],
        )
        self._target.start_task(task)
        self._protection = protection
        if protection is not None:
            previous = torch.stack([embedding.detach() for embedding in embeddings[:task]])
            self._drift = OutputDrift(self._layout, self._theta, previous, protection.kept, protection.n_drawn)

    def step(self, inputs: Tensor, labels: Tensor, tasks: Sequence[int] | None = None) -> None:
        with torch.no_grad():
            self._step(inputs, labels, tasks)

    def _step(self, inputs: Tensor, labels: Tensor, tasks: Sequence[int] | None) -> None:
        self._generation.forward(self._theta, self._embedding)
        self._target.fill(inputs, labels)
        self._generation.backward(self._theta, self._gradient, self._embedding, self._embedding_gradient)
        self._adam.begin_step()
        if self._protection is not None:
            self._look_ahead(self._protection)
            self._drift.add_gradient(self._gradient, self._protection.beta, tasks)
        self._adam.step()

    def _look_ahead(self, protection: Protection) -> None:
        candidate = self._drift.candidate
        candidate.take(self._theta)
        if protection.lookahead == "adam":
            self._adam.look_ahead(candidate.theta.flat, protection.epsilon)
        elif protection.lookahead == "sgd":
            candidate.theta.flat.add_(self._gradient.flat, alpha=-self._problem.training.lr)


def unsupported(problem: Problem) -> str | None:
    """Why the fast engine cannot train this problem's hypernetwork; None if it can."""
    if problem.hypernet is None:
        return "it trains hypernetworks, and there is none"
    layout: Layout | None = layout_of(problem.hypernet)
    if layout is None:
        return f"it knows the hypernetworks chunked and full, got {problem.hypernet.name}"
    if in_place(layout.activation) is None:
        return "the activation of the hypernetwork has no gradient by hand"
    return None
