"""Views of the flat buffer hold the same numbers as the tensors of the hypernetwork."""

from __future__ import annotations

import torch
from hypothesis import given, settings

from hnet_core.engines.kernels.flat_theta import ALIGNMENT, FlatTheta
from hnet_core.engines.kernels.generation import Generation
from tests.hnet_core.engines.shapes import Example, examples, relative_error


@settings(max_examples=40, deadline=None)
@given(case=examples())
def test_parts_have_the_shapes_of_the_hypernetwork_and_start_on_cache_lines(case: Example) -> None:
    flat = case.flat(case.theta)
    assert [part.shape for part in flat.parts()] == [torch.Size(shape) for shape in case.hypernet.shapes]
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(flat.parts(), case.theta, strict=True))
    starts = [part.storage_offset() for part in (flat.chunks, *flat.hidden, flat.last)]
    assert all(start % ALIGNMENT == 0 for start in starts)


@settings(max_examples=60, deadline=None)
@given(case=examples())
def test_generated_weights_and_their_gradient_equal_autograd(case: Example) -> None:
    theta = case.flat(case.theta)
    embedding = case.embeddings[:1]
    generation = Generation(case.layout, embedding)
    generation.forward(theta, embedding)
    leaves = [part.clone().requires_grad_() for part in [*case.theta, embedding]]
    weights = case.hypernet.generate(leaves[:-1], leaves[-1]).squeeze(0)
    torch.testing.assert_close(generation.weights, weights.detach(), rtol=1e-12, atol=1e-13)

    direction = torch.linspace(-1, 1, len(weights), dtype=torch.float64)
    generation.weights.copy_(direction)
    gradient = FlatTheta(case.layout, torch.ones_like(theta.flat))
    embedding_gradient = torch.ones_like(embedding)
    generation.backward(theta, gradient, embedding, embedding_gradient)
    expected = torch.autograd.grad(weights @ direction, leaves)
    assert relative_error([*gradient.parts(), embedding_gradient], list(expected)) < 1e-10
