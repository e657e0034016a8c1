"""Learnt functions: predictions in ascending order of the input, beside targets that the stream really has."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from hnet_core import trained_model
from hnet_core.build import method_shape, read_stream, stream_shape
from hnet_core.errors import ConfigInvalid
from hnet_core.evaluation.learned_functions import learned_functions
from hnet_core.streams.polynomials import POLYNOMIALS
from hnet_core.trained_model import TrainedModel
from hnet_core.training import TrialRun
from tests.hnet_core.tiny import tiny

REGRESSION = {"stream": {"name": "polynomials", "n_train": 12}, "target": {"name": "mlp", "hidden": [4]}}


def saved(folder: Path, **changes: object) -> Path:
    """A model of a few steps."""
    config = tiny(**{"training": {"iterations": 3}, **changes})
    run = TrialRun(config, seed=0)
    while not run.finished:
        report = run.train_task()
    shape = method_shape(config, stream_shape(config))
    trained_model.save(folder / "model.pt", config, shape, report.checkpoint)
    return folder / "model.pt"


def regression(folder: Path) -> TrainedModel:
    return trained_model.load(saved(folder, **REGRESSION))


def test_each_function_is_the_prediction_on_its_interval(tmp_path: Path) -> None:
    model = regression(tmp_path)
    found = learned_functions(model, read_stream(model.config, None, model.seed))
    assert [one.task for one in found] == [0, 1, 2]
    for one, (function, (low, high)) in zip(found, POLYNOMIALS, strict=True):
        assert (one.inputs.diff() > 0).all()
        assert (float(one.inputs[0]), float(one.inputs[-1])) == (low, high)
        assert torch.allclose(one.targets, function(one.inputs), atol=1e-5)
        predicted = model.predict(one.task, one.inputs.float().unsqueeze(1)).flatten().double()
        assert torch.equal(one.outputs, predicted)
        assert one.mse == pytest.approx(float(((predicted - one.targets) ** 2).mean()))
        assert len(one.train_inputs) == len(one.train_targets) == 12


def test_a_classifier_has_no_functions(tmp_path: Path) -> None:
    model = trained_model.load(saved(tmp_path))
    with pytest.raises(ConfigInvalid, match="regression with one input and one output, such as stream polynomials"):
        learned_functions(model, read_stream(model.config, None, model.seed))
