"""The diagonal of the Fisher information of a network's weights, estimated on the training examples of a task."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from hnet_core.problem import Problem
from hnet_core.runtime.precision import full_float32
from hnet_core.seeding import generator
from hnet_core.streams import Split
from hnet_core.targets.mlp import Mlp
from hnet_core.targets.target import cut

LabelChoice = Literal["true", "predicted", "sampled"]
GRADIENTS_AT_A_TIME = 16  # each as long as the network
EXAMPLES_AT_A_TIME = 1024  # where no gradient of a single example is formed


def fisher_diagonal(
    problem: Problem,
    task: int,
    weights: Tensor,
    train: Split,
    *,
    labels: LabelChoice = "true",
    n_examples: int | None = None,
    batch_size: int = 1,
) -> Tensor:
    """Return the mean squared gradient of log p(y | x) with respect to the weights, (n_weights,), in evaluation mode.

    Args:
        weights: of the target network, (n_weights,).
        labels: y: the label of the example (the empirical Fisher), the most probable class, or a class drawn from the
            network's own distribution (the Fisher information itself, in expectation).
        n_examples: examples drawn at random; None for all of them.
        batch_size: examples whose gradients are averaged before they are squared; 1 for the Fisher information.
    """
    chosen = torch.randperm(len(train), generator=generator(problem.seed, "fisher", task))[:n_examples]
    draws = generator(problem.seed, "fisher labels", task)
    flat, total, n_terms = weights.detach(), torch.zeros_like(weights.detach()), 0
    known: object = problem.target
    of_mlp = type(known) is Mlp and batch_size == 1
    at_a_time = EXAMPLES_AT_A_TIME if of_mlp else batch_size if batch_size > 1 else GRADIENTS_AT_A_TIME
    for index in chosen.to(problem.device).split(at_a_time):
        inputs, own = train.batch(index, problem.dtype)
        y = _labels(problem, task, flat, inputs, own, labels, draws)
        if of_mlp:
            total += _squared_gradients_of_mlp(problem, task, flat, inputs, y)
        elif batch_size > 1:
            total += _gradient_of_mean(problem, task, flat, inputs, y).square()
        else:
            total += _gradients(problem, task, flat, inputs, y).square().sum(dim=0)
        n_terms += 1 if batch_size > 1 else len(index)
    return total / n_terms


def _labels(
    problem: Problem,
    task: int,
    weights: Tensor,
    inputs: Tensor,
    own: Tensor,
    labels: LabelChoice,
    draws: torch.Generator,
) -> Tensor:
    """Return the position of y among the outputs of the training loss, (n,); of a regression its targets."""
    if labels == "true":
        return problem.training_heads.labels(task, own)
    with torch.no_grad():
        outputs = _outputs(problem, task, weights, inputs)
    if labels == "predicted":
        return outputs.argmax(dim=1)
    uniform = torch.rand((len(outputs), 1), generator=draws, dtype=torch.float64).to(problem.device)
    below = outputs.double().softmax(dim=1).cumsum(dim=1)[:, :-1]
    return (below < uniform).sum(dim=1)


def _outputs(problem: Problem, task: int, weights: Tensor, inputs: Tensor) -> Tensor:
    """Return the outputs over which the task is trained, (n, n_classes)."""
    return problem.forward(task, weights, inputs)[:, problem.training_heads.outputs(task)]


def _sum_of_losses(problem: Problem, outputs: Tensor, labels: Tensor) -> Tensor:
    """Return the sum over examples of -log p(y | x), or of the mean squared error, a scalar."""
    if problem.shape.measure == "mse":
        return F.mse_loss(outputs, labels, reduction="sum") / outputs.shape[1]
    return F.cross_entropy(outputs, labels, reduction="sum")


def _gradients(problem: Problem, task: int, weights: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
    """Return the gradient of every example, (n, n_weights)."""

    def loss_of_one(flat: Tensor, x: Tensor, y: Tensor) -> Tensor:
        return _sum_of_losses(problem, _outputs(problem, task, flat, x.unsqueeze(0)), y.unsqueeze(0))

    gradients: Tensor = torch.func.vmap(torch.func.grad(loss_of_one), in_dims=(None, 0, 0))(weights, inputs, labels)
    return gradients


def _gradient_of_mean(problem: Problem, task: int, weights: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
    leaf = weights.detach().requires_grad_()
    loss = _sum_of_losses(problem, _outputs(problem, task, leaf, inputs), labels) / len(inputs)
    return torch.autograd.grad(loss, [leaf])[0]


def _squared_gradients_of_mlp(problem: Problem, task: int, weights: Tensor, inputs: Tensor, labels: Tensor) -> Tensor:
    """Return the sum over examples of the squared gradient, (n_weights,), without forming a gradient.

    That of a linear layer is the outer product of delta, the gradient of its outputs, and its inputs x: its square is
    the outer product of the squares, and the sum over examples one matrix product.
    """
    target = problem.target
    tensors = cut(weights.detach(), target.shapes)
    layers = list(zip(tensors[::2], tensors[1::2], strict=True))
    given, sums = [inputs], []
    for depth, (weight, bias) in enumerate(layers):
        outputs = F.linear(given[-1], weight, bias)
        sums.append(outputs if depth else outputs.requires_grad_())
        given.append(target.activation(outputs))  # type: ignore[attr-defined]
    loss = _sum_of_losses(problem, sums[-1][:, problem.training_heads.outputs(task)], labels)
    with full_float32():
        parts = [
            part.flatten()
            for delta, x in zip(torch.autograd.grad(loss, sums), given, strict=False)
            for part in (delta.square().mT @ x.detach().square(), delta.square().sum(dim=0))
        ]
    return torch.cat(parts)
