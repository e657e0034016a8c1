"""The map holds the accuracy of the model under each embedding, and does not change the model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from hnet_core import trained_model as model
from hnet_core.build import method_shape
from hnet_core.data import data_root
from hnet_core.errors import ConfigInvalid, HnetError
from hnet_core.evaluation.embedding_map import embedding_grid, embedding_map
from hnet_core.registry import STREAMS
from hnet_core.streams import Stream
from hnet_core.trained_model import TrainedModel
from hnet_core.training import TrialRun
from tests.hnet_core.tiny import tiny


def trained(folder: Path, **changes: object) -> tuple[TrainedModel, Stream]:
    config = tiny(**changes)
    run = TrialRun(config, seed=0)
    while not run.finished:
        report = run.train_task()
    stream = STREAMS[config.stream.name].open(config.stream, data_root(None))
    model.save(folder / "model.pt", config, method_shape(config, stream.shape), report.checkpoint)
    return model.load(folder / "model.pt"), stream


def test_the_own_embedding_gives_what_the_model_predicts(tmp_path: Path) -> None:
    network, stream = trained(tmp_path, hypernet={"task_embedding": 2}, training={"iterations": 30})
    examples = stream.tasks[2].test
    inputs, labels = examples.batch(slice(None), torch.float32)
    before = network.predict(2, inputs)
    own = network.embeddings()[2]
    around = (own[0] + torch.tensor([-1.0, 0.0, 1.0]), own[1] + torch.tensor([-1.0, 0.0, 1.0]))
    rows: list[int] = []
    found = embedding_map(network, 2, examples, around, on_row=rows.append)
    accuracy = float((before.argmax(dim=1) == labels).float().mean())
    assert float(found.on_grid[1, 1]) == pytest.approx(accuracy)
    assert float(found.at_trained[2]) == pytest.approx(accuracy)
    moved = network.predict(2, inputs, torch.stack([around[0][2], around[1][0]]))
    assert float(found.on_grid[0, 2]) == pytest.approx(float((moved.argmax(dim=1) == labels).float().mean()))
    assert torch.equal(network.predict(2, inputs), before)
    assert found.n_examples == len(examples)
    assert rows == [1, 2, 3]


def test_the_grid_is_square_and_holds_every_trained_embedding() -> None:
    embeddings = torch.tensor([[0.0, 0.0], [4.0, 1.0]])
    first, second = embedding_grid(embeddings, 5)
    assert float(first[0]) == pytest.approx(-1.6)
    assert float(first[-1]) == pytest.approx(5.6)
    assert float(second[-1] - second[0]) == pytest.approx(float(first[-1] - first[0]))
    lonely, _ = embedding_grid(torch.zeros(1, 2), 3)
    assert lonely.tolist() == [-1.0, 0.0, 1.0]


def test_embeddings_of_another_length_are_refused(tmp_path: Path) -> None:
    network, _ = trained(tmp_path, training={"iterations": 1})
    with pytest.raises(ConfigInvalid, match="two numbers, got 4; train a configuration with hypernet"):
        embedding_grid(network.embeddings(), 5)


def test_a_method_without_embeddings_says_so(tmp_path: Path) -> None:
    network, _ = trained(tmp_path, method={"name": "ewc"}, training={"iterations": 1})
    with pytest.raises(HnetError, match="ewc has no task embeddings"):
        network.embeddings()
