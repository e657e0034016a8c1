"""Functions learnt in one dimension, beside their targets: von Oswald et al. (2020), Fig. 2."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hnet_core.errors import ConfigInvalid
from hnet_core.streams import Split, Stream
from hnet_core.trained_model import TrainedModel


@dataclass(frozen=True)
class LearnedFunction:
    """One task of a regression in one dimension.

    Attributes:
        task: from 0.
        inputs: of the test split, ascending, (n,).
        targets, outputs: wanted and predicted at each, (n,).
        train_inputs, train_targets: the noisy points it was trained on, (n_train,).
    """

    task: int
    inputs: Tensor
    targets: Tensor
    outputs: Tensor
    train_inputs: Tensor
    train_targets: Tensor

    @property
    def mse(self) -> float:
        """Mean squared error on the test split."""
        return float((self.outputs - self.targets).square().mean())


def learned_functions(model: TrainedModel, stream: Stream) -> list[LearnedFunction]:
    """Evaluate the network of every task on its test split, (n_tasks,).

    Args:
        stream: that of the model's configuration.

    Raises:
        ConfigInvalid: if the model is no regression with one input and one output.
    """
    check_regression(model)
    return [_learned(model, i, task.test, task.train) for i, task in enumerate(stream.tasks)]


def check_regression(model: TrainedModel) -> None:
    """Raise ConfigInvalid if the model is no regression with one input and one output."""
    shape = model.shape
    if shape.measure != "mse" or shape.input_shape != (1,) or shape.outputs_per_task != 1:
        raise ConfigInvalid(
            f"functions need a regression with one input and one output, such as stream polynomials, got stream "
            f"{model.config.stream.name} with inputs of shape {shape.input_shape} and measure {shape.measure}."
        )


def _learned(model: TrainedModel, task: int, test: Split, train: Split) -> LearnedFunction:
    order = test.inputs[:, 0].argsort()
    inputs, targets = test.batch(order, torch.float32)
    points, noisy = train.batch(slice(None), torch.float64)
    outputs = model.predict(task, inputs)
    columns = (inputs, targets, outputs, points, noisy)
    return LearnedFunction(task, *(column.double().flatten() for column in columns))
