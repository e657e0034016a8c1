"""The fast engine: a step on flat buffers, every gradient by hand, the regulariser in its Gram form."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from hnet_core.engines.cuda_graph import RecordedSteps
from hnet_core.engines.kernels.activations import in_place
from hnet_core.engines.kernels.adam import FlatAdam
from hnet_core.engines.kernels.flat_theta import FlatTheta, Layout, layout_of
from hnet_core.engines.kernels.generation import Generation
from hnet_core.engines.kernels.stacked_batches import Batches
from hnet_core.engines.kernels.target_gradient import target_gradient
from hnet_core.engines.output_drift.output_drift import OutputDrift
from hnet_core.hypernets import Hypernet
from hnet_core.optimization.optimizers import why_no_flat_adam
from hnet_core.problem import Problem
from hnet_core.regularizers.options import Protection
from hnet_core.trial import TrainingOptions
from hnet_core.weights.sources import GeneratedWeights


class FastStep:
    """PlainStep on flat buffers, equal up to rounding; no allocation that grows with the target, no synchronisation.

    theta and embeddings of the weight sources become views of flat buffers: a reader of the sources always gets the
    current values, and `state()` is the same for all engines. Several sources are those of stacked seeds: every buffer
    then has a leading dimension (S, ...).

    Raises:
        ValueError: for a hypernetwork that `unsupported` rejects.
    """

    def __init__(self, problems: Sequence[Problem], sources: Sequence[GeneratedWeights]) -> None:
        problem, layout = problems[0], layout_of(sources[0].hypernet)
        reason = unsupported(sources[0].hypernet, problem.training)
        if layout is None or reason is not None:
            raise ValueError(f"the fast engine cannot train this: {reason}; use the plain engine.")
        self._problem, self._layout = problem, layout
        stack = (len(sources),) if len(sources) > 1 else ()
        like = torch.empty(0, dtype=problem.dtype, device=problem.device)
        self._theta, self._gradient = (FlatTheta.zeros(layout, like, stack) for _ in range(2))
        n_tasks = len(sources[0].embeddings)
        self._embeddings = like.new_zeros(n_tasks, *stack, 1, layout.task_embedding)  # contiguous for each task
        for seed, source in enumerate(sources):
            theta = self._theta.of_seed(seed) if stack else self._theta
            _move(source, theta, self._embeddings.view(n_tasks, len(sources), -1)[:, seed])
        self._generation = Generation(layout, like, stack=stack)
        self._target = target_gradient(problems, self._generation.weights, self._generation.weights)
        self._batches = Batches(stack, problem.device)

    @property
    def inputs_gradient(self) -> Tensor:
        return self._target.inputs_gradient

    def start_task(self, task: int, protection: Protection | None = None) -> None:
        training = self._problem.training
        self._embedding = self._embeddings[task]
        self._embedding_gradient = torch.zeros_like(self._embedding)
        self._adam = FlatAdam(
            training,
            [self._theta.flat, self._embedding],
            [self._gradient.flat, self._embedding_gradient],
        )
        self._target.start_task(task)
        self._protection = protection
        if protection is not None:
            previous = self._embeddings[:task].squeeze(-2).movedim(0, -2)  # (task, te), stacked
            form, n_drawn = training.regularizer_form, protection.n_drawn
            self._drift = OutputDrift(self._layout, self._theta, previous, protection.kept, n_drawn, form)
        self._recorded_steps = RecordedSteps(self._step, self._problem.device, self._is_recordable)

    def set_batch(self, seed: int, inputs: Tensor, labels: Tensor, tasks: Sequence[int] | None = None) -> None:
        self._batches.put(seed, inputs, labels)
        if self._protection is not None:
            self._drift.draw(tasks, seed)

    def step(self) -> None:
        with torch.no_grad():
            self._adam.lr = self._problem.lr
            self._recorded_steps(self._batches.inputs.shape, self._adam.lr)

    def _is_recordable(self) -> bool:
        return self._target.recordable and (self._protection is None or not self._drift.depends_on_draw)

    def _step(self) -> None:
        self._generation.forward(self._theta, self._embedding)
        self._target.fill(self._batches.inputs, self._batches.labels)
        self._generation.backward(self._theta, self._gradient, self._embedding, self._embedding_gradient)
        self._adam.begin_step()
        if self._protection is not None:
            self._look_ahead(self._protection)
            self._drift.add_gradient(self._gradient, self._protection.beta)
        self._adam.step()

    def _look_ahead(self, protection: Protection) -> None:
        lookahead = self._drift.lookahead
        if protection.lookahead == "adam":
            self._adam.look_ahead(lookahead.theta.flat, lookahead.before, protection.epsilon)
            return
        lookahead.set_to(self._theta)
        if protection.lookahead == "sgd":
            lookahead.theta.flat.add_(self._gradient.flat, alpha=-self._adam.lr)


def _move(source: GeneratedWeights, theta: FlatTheta, embeddings: Tensor) -> None:
    """Replace the weights of one seed by views of theta and of embeddings, (n_tasks, te)."""
    theta.fill(source.theta)
    source.theta = [part.detach().requires_grad_() for part in theta.parts()]
    with torch.no_grad():
        embeddings.copy_(torch.stack(source.embeddings))
    source.embeddings = [embedding.detach().requires_grad_() for embedding in embeddings]


def unsupported(hypernet: Hypernet | None, training: TrainingOptions) -> str | None:
    """Return the reason why the fast engine cannot train a hypernetwork with these options; None if it can."""
    if hypernet is None:
        return "it trains hypernetworks, and there is none"
    layout: Layout | None = layout_of(hypernet)
    if layout is None:
        return f"it supports the hypernetworks chunked and full, got {hypernet.name}"
    if in_place(layout.activation) is None:
        return "the activation of the hypernetwork has no gradient by hand"
    return why_no_flat_adam(training)
