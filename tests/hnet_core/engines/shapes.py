"""Random hypernetworks for the tests of the fast engine, in float64."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from hypothesis import strategies as st
from torch import Tensor

from hnet_core.engines.kernels.flat_theta import FlatTheta, Layout, layout_of
from hnet_core.hypernets import Hypernet
from hnet_core.hypernets.chunked import ChunkedHypernet
from hnet_core.hypernets.full import FullHypernet


def chunked(n_outputs: int, chunk_size: int, hidden: tuple[int, ...] = (5, 4), activation: str = "tanh") -> Hypernet:
    options = ChunkedHypernet.Options(
        name="chunked",
        chunk_size=chunk_size,
        hidden=hidden,
        activation=activation,  # type: ignore[arg-type]
        task_embedding=3,
        chunk_embedding=2,
    )
    return ChunkedHypernet(options, ((n_outputs,),))


def full(n_outputs: int, hidden: tuple[int, ...] = (5,)) -> Hypernet:
    options = FullHypernet.Options(name="full", hidden=hidden, activation="elu", task_embedding=3)
    return FullHypernet(options, ((n_outputs,),))


@dataclass(frozen=True)
class Example:
    """A hypernetwork with weights before a task, weights moved by 1e-3, and embeddings of previous tasks."""

    hypernet: Hypernet
    theta_before: list[Tensor]
    theta: list[Tensor]
    embeddings: Tensor

    @property
    def layout(self) -> Layout:
        layout = layout_of(self.hypernet)
        assert layout is not None
        return layout

    def flat(self, theta: list[Tensor]) -> FlatTheta:
        flat = FlatTheta.zeros(self.layout, theta[0])
        flat.fill(theta)
        return flat

    def mask(self, seed: int) -> Tensor:
        """Return a mask that leaves out some outputs, different ones for each task, (n_previous_tasks, n_outputs)."""
        draws = torch.Generator().manual_seed(seed)
        kept = torch.rand(len(self.embeddings), self.hypernet.n_outputs, generator=draws) < 0.7
        kept[:, : self.hypernet.n_outputs // 2] = True
        return kept


def example(hypernet: Hypernet, n_previous: int, seed: int = 0) -> Example:
    draws = torch.Generator().manual_seed(seed)
    theta_before = hypernet.initialize(draws, torch.float64)
    noise = [torch.randn(part.shape, generator=draws, dtype=torch.float64) for part in theta_before]
    theta = [part + 1e-3 * part_noise for part, part_noise in zip(theta_before, noise, strict=True)]
    embeddings = torch.randn(n_previous, hypernet.embedding_size, generator=draws, dtype=torch.float64)
    return Example(hypernet, theta_before, theta, embeddings)


def relative_error(ours: list[Tensor], theirs: list[Tensor]) -> float:
    """Return the largest deviation over the largest value of all parts; parts of zeros must be equal."""
    scale = max(float(part.abs().max()) for part in theirs if part.numel())
    deviation = max(float((a - b).abs().max()) for a, b in zip(ours, theirs, strict=True) if a.numel())
    return deviation / scale if scale else deviation


@st.composite
def examples(draw: st.DrawFn) -> Example:
    """Draw full and chunked, cut and even last chunks, no to three hidden layers, all activations."""
    hidden = tuple(draw(st.lists(st.integers(1, 6), max_size=3)))
    n_outputs = draw(st.integers(1, 60))
    if draw(st.booleans()):
        activation = draw(st.sampled_from(["relu", "elu", "leaky_relu", "sigmoid", "tanh", "linear"]))
        hypernet = chunked(n_outputs, draw(st.integers(1, 70)), hidden, activation)
    else:
        hypernet = full(n_outputs, hidden)
    return example(hypernet, draw(st.integers(1, 5)), draw(st.integers(0, 2**16)))
