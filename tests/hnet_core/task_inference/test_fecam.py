"""Task inference by FeCAM against the formulas in numpy, and the features it reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from hnet_core.build import networks, stream_shape
from hnet_core.errors import UnsupportedTrial
from hnet_core.methods.protocol import GivesFeatures
from hnet_core.problem import Predictor, Problem
from hnet_core.streams import Split, StreamShape
from hnet_core.task_inference import TaskOutputs
from hnet_core.task_inference.fecam import Fecam, inverse_of, normalized, shrunk, squared_distance
from hnet_core.training import TrialRun
from tests.hnet_core.tiny import tiny

Array = NDArray[np.float64]
N_FEATURES = 7


class StandIn:
    """A method whose network of a task is a matrix of that task and a rectifier."""

    def __init__(self) -> None:
        draws = np.random.default_rng(0)
        self.matrices = [torch.tensor(draws.normal(size=(5, N_FEATURES))) for _ in range(3)]

    def feature_extractor(self, task: int) -> Predictor:
        return lambda inputs: torch.relu(inputs @ self.matrices[task])


def examples(task: int, n: int, seed: int, n_classes: int = 2) -> Split:
    """Classes of 5 inputs around different centres, of another scale in each."""
    draws = np.random.default_rng((seed, task))
    labels = np.arange(n) % n_classes
    centres = np.random.default_rng(task).normal(size=(n_classes, 5)) * 2
    inputs = centres[labels] + draws.normal(size=(n, 5)) * (1 + labels[:, None])
    return Split(torch.tensor(inputs), torch.tensor(labels))


def fecam(n_classes: int = 2) -> tuple[Fecam, StandIn]:
    config = tiny()
    shape = StreamShape(3, (5,), n_classes)
    parts = networks(config, stream_shape(config))
    problem = Problem(shape, parts.target, None, config.training, 0, torch.device("cpu"), torch.float64)
    method = StandIn()
    assert isinstance(method, GivesFeatures)
    return Fecam(Fecam.Options(name="fecam"), problem, method), method  # type: ignore[arg-type]


def obvious_distance(train: Array, test: Array) -> Array:
    """Distances of the rows of `test` to one class with the features `train`, entry by entry."""
    covariance = np.cov(train.T)
    for _ in range(2):
        size, shrunken = len(covariance), covariance.copy()
        off = [covariance[i, j] for i in range(size) for j in range(size) if i != j and covariance[i, j] != 0]
        for i in range(size):
            for j in range(size):
                shrunken[i, j] += np.mean(np.diag(covariance)) if i == j else np.mean(off)
        covariance = shrunken
    deviation = np.sqrt(np.diag(covariance))
    correlation = covariance / deviation[:, None] / deviation[None, :]
    inverse = np.linalg.pinv(correlation + 1e-8)
    mean = train.mean(axis=0) / np.linalg.norm(train.mean(axis=0))
    rows = test / np.maximum(np.linalg.norm(test, axis=1, keepdims=True), 1e-12) - mean
    return np.array([row @ inverse @ row for row in rows])


def test_distances_and_tasks_are_those_of_the_formulas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hnet_core.task_inference.fecam.BATCH", 17)  # moments over several batches
    inference, method = fecam()
    train = [examples(task, 60, seed=1) for task in range(3)]
    for task in range(3):
        inference.end_task(task, train[task])
    inputs = torch.cat([examples(task, 30, seed=2).inputs for task in range(3)])
    expected = []
    for task in range(3):
        features = method.feature_extractor(task)
        of_train, of_test = features(train[task].inputs).numpy(), features(inputs).numpy()
        of_classes = [obvious_distance(of_train[train[task].labels.numpy() == c], of_test) for c in range(2)]
        expected.append(np.minimum(*of_classes))
        found = inference._distance(task, features(inputs)).numpy()
        assert np.abs(found - expected[-1]).max() < 1e-9 * np.abs(expected[-1]).max()
    outputs = TaskOutputs(inputs, [lambda x: x] * 3, method.feature_extractor)
    assert inference.infer(outputs).tolist() == np.argmin(expected, axis=0).tolist()
    assert len(set(inference.infer(outputs).tolist())) == 3


@pytest.mark.parametrize(
    "function",
    [lambda c: normalized(shrunk(shrunk(c))), lambda c: inverse_of(normalized(shrunk(c)))],
)
def test_a_feature_that_never_varies_is_no_problem(function: Callable[[Tensor], Tensor]) -> None:
    assert bool(function(torch.zeros(4, 4, dtype=torch.float64)).isfinite().all())
    once = torch.zeros(4, 4, dtype=torch.float64)
    once[0, 0] = 2.0
    assert bool(function(once).isfinite().all())


def test_the_distance_is_a_quadratic_form() -> None:
    inverse = torch.tensor([[2.0, 0.5], [0.5, 1.0]])
    assert squared_distance(torch.tensor([[1.0, -2.0]]), inverse).tolist() == [2 * 1 - 2 * 0.5 * 2 + 4]


def test_a_class_that_a_task_does_not_have_is_nobodys_nearest() -> None:
    inference, method = fecam(n_classes=3)
    for task in range(2):
        inference.end_task(task, examples(task, 40, seed=1))  # classes 0 and 1 only
    inputs = examples(0, 20, seed=2).inputs
    assert bool(inference._distance(0, method.feature_extractor(0)(inputs)).isfinite().all())


def test_a_task_in_training_is_not_inferred_before_its_classes_are_known() -> None:
    inference, method = fecam()
    inputs = examples(1, 20, seed=2).inputs
    outputs = TaskOutputs(inputs, [lambda x: x] * 2, method.feature_extractor)
    assert inference.infer(outputs).tolist() == [0] * 20
    inference.end_task(0, examples(0, 40, seed=1))
    assert inference.infer(outputs).tolist() == [0] * 20
    inference.end_task(1, examples(1, 40, seed=1))
    assert 1 in inference.infer(outputs).tolist()


def test_state_is_restored() -> None:
    inference, method = fecam()
    inference.end_task(0, examples(0, 40, seed=1))
    again, _ = fecam()
    again.load_state(inference.state())
    features = method.feature_extractor(0)(examples(0, 20, seed=2).inputs)
    assert torch.equal(again._distance(0, features), inference._distance(0, features))


@pytest.mark.parametrize(
    "method",
    [{"name": "hypermask"}, {"name": "hnet"}, {"name": "hat"}, {"name": "partial_hnet", "freeze_depth": 1}],
    ids=str,
)
def test_the_head_on_top_of_the_features_gives_the_outputs(method: dict[str, Any]) -> None:
    config = tiny(method=method, target={"hidden": [12, 9]}, task_inference={"name": "fecam"}, scenario="class")
    run = TrialRun(config, 0, dtype=torch.float64)
    run.train_task()
    inputs, _ = run._stream.tasks[0].test.batch(slice(0, 10), torch.float64)
    features = run._method.feature_extractor(0)(inputs)  # type: ignore[attr-defined]
    weights = run._method.weights(0).detach()  # type: ignore[attr-defined]
    problem = run._problem
    n_out = problem.shape.n_outputs
    bias, weight = weights[-n_out:], weights[-10 * n_out : -n_out].view(n_out, 9)
    outputs = (features @ weight.mT + bias)[:, problem.shape.head(0)]
    torch.testing.assert_close(outputs, run._method.predictor(0)(inputs), rtol=1e-9, atol=1e-12)


def test_what_it_stores_and_costs_is_counted() -> None:
    config = tiny(
        method={"name": "hypermask"}, target={"hidden": [12, 9]}, scenario="class", task_inference={"name": "fecam"}
    )
    shape = stream_shape(config)
    without = networks(config.model_copy(update={"task_inference": None, "scenario": "task"}), shape).counts
    counts = networks(config, shape).counts
    assert counts.model - without.model == 5 * 2 * (9 + 9 * 9)
    run = TrialRun(config, 0)
    for _ in range(5):
        run.train_task()
    state = run._inference.state()  # type: ignore[union-attr]
    assert sum(part.numel() for key in ("means", "inverses") for part in state[key]) == counts.model - without.model


def test_a_target_network_without_hidden_layers_is_refused() -> None:
    config = tiny(target={"hidden": []}, scenario="class", task_inference={"name": "fecam"})
    with pytest.raises(UnsupportedTrial, match="has no layer before them"):
        networks(config, stream_shape(config))
