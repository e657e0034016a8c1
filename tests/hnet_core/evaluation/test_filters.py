"""Filters of a trained model: frozen layers are one entry, generated ones one for each task, in the right places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from hnet_core import trained_model
from hnet_core.errors import ConfigInvalid
from hnet_core.evaluation.filters import first_layers, layer_filters, layers_with_filters
from hnet_core.targets.target import ForwardMode
from hnet_core.trained_model import TrainedModel
from tests.hnet_core.evaluation.test_learned_functions import REGRESSION, saved

CONVOLUTIONS: dict[str, Any] = {
    "stream": {
        "name": "cross_dataset",
        "first": "digits",
        "second": "digits",
        "image_size": 16,
        "classes_per_task": 2,
        "normalization": "none",
    },
    "method": {"name": "partial_hnet", "freeze_depth": 1, "frozen_normalization": "instance"},
    "target": {"name": "slim_resnet18", "n_filters": 3, "normalization": "instance"},
    "hypernet": {"name": "channelwise", "hidden": [4], "task_embedding": 3, "channel_embedding": 3},
    "training": {"iterations": 1},
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    return trained_model.load(saved(tmp_path_factory.mktemp("filters"), **CONVOLUTIONS))


def test_frozen_layers_are_shared_and_generated_ones_differ_by_task(model: TrainedModel) -> None:
    frozen, generated = layer_filters(model)[:2]
    assert (frozen.layer, frozen.block, frozen.shape) == (1, 1, (3, 3, 3, 3))
    every = range(model.shape.n_tasks)
    assert [tasks for tasks, _ in frozen.by_task] == [tuple(every)]
    assert generated.block == 2
    assert [tasks for tasks, _ in generated.by_task] == [(task,) for task in every]
    assert generated.cosine(0, 0) == pytest.approx(1.0)
    assert generated.cosine(0, 1) < 1.0 - 1e-7


def test_the_weights_of_a_partial_hypernetwork_are_those_it_predicts_with(model: TrainedModel) -> None:
    inputs = torch.rand(6, 3 * 16 * 16, generator=torch.Generator().manual_seed(0))
    weights = model.weights(1)
    assert weights.shape == (model.target.n_weights,)
    outputs = model.target.forward(inputs, weights, ForwardMode(normalization="instance"))[:, model.shape.head(1)]
    assert torch.allclose(outputs, model.predict(1, inputs), atol=1e-5)


def test_the_first_layer_of_each_block_is_chosen(model: TrainedModel) -> None:
    places = layers_with_filters(model.target)
    for layer, block in zip(first_layers(model.target), range(model.target.n_blocks), strict=True):
        start = len(model.target.part(0, block).shapes)
        assert places[layer - 1] >= start
        assert layer == 1 or places[layer - 2] < start


def test_the_first_layer_of_an_mlp_is_seen_as_images(tmp_path: Path) -> None:
    model = trained_model.load(saved(tmp_path))
    (layer,) = layer_filters(model, tasks=[1])
    ((tasks, filters),) = layer.by_task
    assert tasks == (1,)
    width = model.target.shapes[0][0]
    assert filters.shape == (width, 1, 8, 8)
    assert torch.equal(filters.flatten(), model.weights(1)[: width * 64])


@pytest.mark.parametrize(
    ("layers", "tasks", "message"),
    [([99], [], "--layer must be 1 to 20 for this model, got 99"), ([], [50], "--task must be 1 to .* got 51")],
)
def test_layers_and_tasks_that_do_not_exist_are_refused(
    model: TrainedModel, layers: list[int], tasks: list[int], message: str
) -> None:
    with pytest.raises(ConfigInvalid, match=message):
        layer_filters(model, layers, tasks)


def test_a_network_without_images_has_no_filters(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="filters need a target network of convolutions, or an mlp on images"):
        layer_filters(trained_model.load(saved(tmp_path, **REGRESSION)))
