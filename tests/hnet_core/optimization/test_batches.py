"""The number of steps of a task, and the examples of its batches."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hnet_core.build import steps_per_task
from hnet_core.errors import ConfigInvalid
from hnet_core.optimization.batches import batches, n_steps, steps_per_epoch
from hnet_core.training import TrialRun
from hnet_core.trial import TrainingOptions
from tests.hnet_core.tiny import tiny

CPU = torch.device("cpu")


def drawn(training: TrainingOptions, n_examples: int, seed: int = 0) -> list[list[int]]:
    return [index.tolist() for index in batches(training, n_examples, torch.Generator().manual_seed(seed), CPU)]


@given(n=st.integers(1, 60), size=st.integers(1, 25), epochs=st.integers(1, 4), drop=st.sampled_from([None, False]))
def test_every_epoch_uses_every_example_once_and_has_ceil_n_over_batch_size_steps(
    n: int, size: int, epochs: int, drop: bool | None
) -> None:
    training = TrainingOptions(epochs=epochs, batch_size=size, drop_last=drop)
    found, steps = drawn(training, n), -(-n // size)
    assert len(found) == n_steps(training, n) == steps * epochs
    for epoch in range(epochs):
        within = found[epoch * steps : (epoch + 1) * steps]
        assert sorted(index for batch in within for index in batch) == list(range(n))
        assert all(len(batch) == size for batch in within[:-1])


@given(n=st.integers(1, 60), size=st.integers(1, 60), epochs=st.integers(1, 4))
def test_without_the_last_batch_all_are_full(n: int, size: int, epochs: int) -> None:
    training = TrainingOptions(epochs=epochs, batch_size=size, drop_last=True)
    if size > n:
        with pytest.raises(
            ConfigInvalid, match=rf"batch_size must be at most the {n} training examples .*, got {size}"
        ):
            n_steps(training, n)
        return
    found = drawn(training, n)
    assert [len(batch) for batch in found] == [size] * (n // size) * epochs
    for epoch in range(epochs):
        used = Counter(index for batch in found[epoch * (n // size) : (epoch + 1) * (n // size)] for index in batch)
        assert max(used.values()) == 1


def test_the_length_in_iterations_stays_whatever_becomes_of_the_last_batch() -> None:
    for drop in (None, True, False):
        assert len(drawn(TrainingOptions(iterations=7, batch_size=4, drop_last=drop), 10)) == 7
    assert {len(batch) for batch in drawn(TrainingOptions(iterations=7, batch_size=4), 10)} == {4}


def test_tasks_of_different_sizes_get_steps_in_proportion() -> None:
    config = tiny(training={"iterations": None, "epochs": 3, "batch_size": 20})
    run = TrialRun(config, 0)
    sizes = [len(task.train) for task in run._stream.tasks]
    assert len(set(sizes)) > 1
    assert run.steps_per_task == steps_per_task(config) == tuple(3 * -(-size // 20) for size in sizes)
    assert steps_per_task(tiny()) == (8,) * 5


def test_a_step_count_needs_examples_only_in_epochs() -> None:
    assert n_steps(TrainingOptions(iterations=5, batch_size=100), 1) == 5
    assert steps_per_epoch(TrainingOptions(batch_size=32), 50_000) == 1563  # split CIFAR-10 of von Oswald et al.
    assert n_steps(TrainingOptions(epochs=200, batch_size=32), 5_000) == 31_400


@pytest.mark.parametrize(
    ("training", "says"),
    [
        ({"epochs": 3, "iterations": 4}, "must have either iterations or epochs, got 4 and 3; set one to null"),
        ({"iterations": None}, "must have either iterations or epochs, got neither; give one"),
        ({"epochs": 0}, "greater than or equal to 1"),
        ({"momentum": 0.5}, r"momentum must be 0 with optimizer adam, got 0\.5; set adam_beta1 instead"),
        ({"schedule": {"after": [2, 1], "factors": [1, 1]}}, r"after must be rising numbers from 1, got \[2, 1\]"),
        ({"schedule": {"after": [1]}}, "after and factors must be equally long, got 1 and 0"),
        ({"schedule": {"after": [1], "factors": [0]}}, r"factors must be greater than 0, got \[0\.0\]"),
        ({"schedule": {}}, "must have either after and factors, or plateau"),
        ({"schedule": {"after": [1], "factors": [1], "plateau": {}}}, "must have either after and factors, or plateau"),
        ({"validation_every": 5}, "validation_every must be left out without select best_validation"),
        ({"label_smoothing": 0.5}, "less than 0.5"),
    ],
)
def test_a_wrong_training_block_is_refused_with_what_to_do(training: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        TrainingOptions.model_validate(training)


def test_options_at_their_defaults_are_not_written_and_all_others_are() -> None:
    assert set(TrainingOptions().model_dump()).isdisjoint({"epochs", "optimizer", "schedule", "select"})
    published = {"epochs": 2, "optimizer": "sgd", "momentum": 0.9, "schedule": {"plateau": {"patience": 3}}}
    written = TrainingOptions.model_validate(published).model_dump(mode="json")
    assert written["iterations"] is None and written["optimizer"] == "sgd"
    assert TrainingOptions.model_validate(written) == TrainingOptions.model_validate(published)
    hashes = {tiny(training=one).hash() for one in ({}, {"optimizer": "rmsprop"}, {"weight_decay": 0.1})}
    assert len(hashes) == 3
    assert tiny(training={"optimizer": "adam", "select": "last"}).hash() == tiny().hash()
