"""Filters of a trained network: kernels of its convolutions, or weights of the first layer of an MLP as images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from hnet_core.errors import ConfigInvalid
from hnet_core.targets.target import Target, cut, numel
from hnet_core.trained_model import TrainedModel


@dataclass(frozen=True)
class LayerFilters:
    """Filters of one layer for each of some tasks.

    Attributes:
        layer: place among the layers that have filters, from 1.
        block: place of its block in the target network, from 1; None after the last block.
        by_task: the tasks, from 0, with filters (n_filters, n_channels, height, width) each; tasks of equal weights
            are one entry.
    """

    layer: int
    block: int | None
    by_task: tuple[tuple[tuple[int, ...], Tensor], ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.by_task[0][1].shape)

    def cosine(self, first: int, second: int) -> float:
        """Return the mean over filters of the cosine between two entries of `by_task`; 1 where none has changed."""
        one, other = (self.by_task[i][1].flatten(1) for i in (first, second))
        return float(torch.nn.functional.cosine_similarity(one, other, dim=1).mean())


def layers_with_filters(target: Target) -> list[int]:
    """Return the tensors of a target network, by place, that are filters.

    These are the kernels of its convolutions; without any, the first layer of a network that takes images.
    """
    found = [i for i, shape in enumerate(target.shapes) if len(shape) == 4]
    if not found and len(target.input_shape) > 1 and target.shapes[0][1:] == (numel(target.input_shape),):
        return [0]
    return found


def first_layers(target: Target) -> list[int]:
    """Return the first layer with filters of each block, from 1."""
    places = layers_with_filters(target)
    ends = (
        [len(target.part(0, n).shapes) for n in range(target.n_blocks + 1)]
        if len(places) > 1
        else [0, len(target.shapes)]
    )
    firsts = [next((place for place in places if low <= place < high), None) for low, high in pairwise(ends)]
    return [places.index(place) + 1 for place in firsts if place is not None]


def layer_filters(model: TrainedModel, layers: Sequence[int] = (), tasks: Sequence[int] = ()) -> list[LayerFilters]:
    """Read filters of a trained model.

    Args:
        layers: which, from 1; empty: the first of each block.
        tasks: which, from 0; empty: all.

    Raises:
        ConfigInvalid: the network has no filters, or there is no such layer or task.
        HnetError: the method does not give the weights of a task.
    """
    places = layers_with_filters(model.target)
    if not places:
        raise ConfigInvalid(
            f"filters need a target network of convolutions, or an mlp on images, got target "
            f"{model.config.target.name} on inputs of shape {model.shape.input_shape}."
        )
    chosen, every = list(layers) or first_layers(model.target), list(tasks) or list(range(model.shape.n_tasks))
    _check("--layer", chosen, 1, len(places))
    _check("--task", [task + 1 for task in every], 1, model.shape.n_tasks)
    tensors = {task: cut(model.weights(task), model.target.shapes) for task in every}
    return [
        LayerFilters(layer, _block(model.target, places[layer - 1]), _distinct(model, tensors, places[layer - 1]))
        for layer in chosen
    ]


def _check(option: str, values: Sequence[int], low: int, high: int) -> None:
    wrong = [value for value in values if not low <= value <= high]
    if wrong:
        raise ConfigInvalid(f"{option} must be {low} to {high} for this model, got {wrong[0]}.")


def _block(target: Target, place: int) -> int | None:
    return next((n for n in range(1, target.n_blocks + 1) if place < len(target.part(0, n).shapes)), None)


def _distinct(
    model: TrainedModel, tensors: dict[int, list[Tensor]], place: int
) -> tuple[tuple[tuple[int, ...], Tensor], ...]:
    """Join the tasks whose filters are equal."""
    found: list[tuple[list[int], Tensor]] = []
    for task, of_task in tensors.items():
        filters = _as_images(of_task[place], model.target.input_shape)
        same = next((tasks for tasks, other in found if torch.equal(other, filters)), None)
        if same is None:
            found.append(([task], filters))
        else:
            same.append(task)
    return tuple((tuple(tasks), filters) for tasks, filters in found)


def _as_images(weights: Tensor, input_shape: tuple[int, ...]) -> Tensor:
    """Return filters, (n_filters, n_channels, height, width), of a convolution or of a layer on flat images."""
    if weights.dim() == 4:
        return weights
    height, width, channels = (*input_shape, 1)[:3]
    return weights.view(len(weights), height, width, channels).permute(0, 3, 1, 2)
