"""A trained model as a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import hnet_core
from hnet_core import trained_model
from hnet_core.build import method_shape
from hnet_core.data import data_root
from hnet_core.errors import ConfigInvalid, HnetError, NotFound
from hnet_core.registry import STREAMS
from hnet_core.training import TrialRun
from tests.hnet_core.tiny import tiny


@pytest.mark.parametrize("method", [{"name": "hnet"}, {"name": "scratch"}, {"name": "finetune", "network": "target"}])
def test_a_model_that_was_read_back_answers_as_the_trained_one(method: dict[str, Any], tmp_path: Path) -> None:
    config = tiny(method=method)
    run = TrialRun(config, seed=3)
    while not run.finished:
        report = run.train_task()
    stream = STREAMS[config.stream.name].open(config.stream, data_root(None))
    shape = method_shape(config, stream.shape)
    trained_model.save(tmp_path / "model.pt", config, shape, report.checkpoint)
    read = hnet_core.load(tmp_path / "model.pt")
    assert (read.config, read.seed, read.shape) == (config, 3, shape)
    for task, accuracy in enumerate(report.test):
        inputs, labels = stream.tasks[task].test.batch(slice(None), torch.float32)
        outputs = read.predict(task, inputs)
        assert float((outputs.argmax(dim=1) == labels).float().mean()) == pytest.approx(accuracy, abs=1e-6)
        assert read.weights(task).shape == (run.result().counts.target,)
        assert not read.weights(task).requires_grad
    with pytest.raises(ValueError, match="task must be 0 to 4, got 5"):
        read.weights(5)


def test_a_method_that_does_not_give_its_weights_still_predicts(tmp_path: Path) -> None:
    class Opaque:
        """A method without the optional protocol."""

        def predictor(self, task: int) -> Callable[[torch.Tensor], torch.Tensor]:
            return lambda inputs: inputs[:, :2]

    config = tiny(training={"iterations": 1})
    run = TrialRun(config, seed=0)
    while not run.finished:
        report = run.train_task()
    shape = method_shape(config, STREAMS[config.stream.name].shape(config.stream, data_root(None)))
    trained_model.save(tmp_path / "model.pt", config, shape, report.checkpoint)
    read = hnet_core.load(tmp_path / "model.pt")
    read._method = Opaque()  # type: ignore[assignment]
    assert read.predict(0, torch.ones(3, 64)).shape == (3, 2)
    with pytest.raises(HnetError, match="use predict"):
        read.weights(0)
    with pytest.raises(HnetError, match="has no task embeddings"):
        read.embeddings()


def test_what_is_no_model_is_refused_and_nothing_in_it_is_run(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="hnet trial export"):
        hnet_core.load(tmp_path / "none.pt")
    with pytest.raises(ConfigInvalid, match="must be a file that can be read, got: Is a directory"):
        hnet_core.load(tmp_path)
    (tmp_path / "text.pt").write_text("no model")
    torch.save({"weights": torch.zeros(2)}, tmp_path / "other.pt")
    torch.save(Path, tmp_path / "code.pt")
    for name in ("text", "other", "code"):
        with pytest.raises(ConfigInvalid, match="must be a model of"):
            hnet_core.load(tmp_path / f"{name}.pt")
