from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hnet_core.errors import ConfigInvalid
from hnet_core.registry import STREAMS
from hnet_core.streams import Stream
from hnet_core.streams.stream import mini_batches
from hnet_core.training import TrialRun
from tests.hnet_core.tiny import tiny

ROOT = Path("unused")


def open_stream(**options: object) -> Stream:
    stream = STREAMS[str(options["name"])]
    opened: Stream = stream.open(stream.Options.model_validate(options), ROOT)
    return opened


def test_a_split_stream_assigns_the_classes_in_order_and_relabels_them() -> None:
    stream = open_stream(name="split", dataset="digits", n_tasks=5)
    whole = open_stream(name="split", dataset="digits", n_tasks=1)
    assert sum(len(task.train) for task in stream.tasks) == len(whole.tasks[0].train)
    for number, task in enumerate(stream.tasks):
        assert set(task.train.labels.tolist()) == {0, 1}
        of_class = whole.tasks[0].train.inputs[whole.tasks[0].train.labels == 2 * number + 1]
        assert torch.equal(task.train.inputs[task.train.labels == 1], of_class)


def test_tasks_have_heads_of_their_own_and_a_regression_shares_one() -> None:
    shape = open_stream(name="split", dataset="digits", n_tasks=5).shape
    assert (shape.n_outputs, shape.head(0), shape.head(3)) == (10, slice(0, 2), slice(6, 8))
    shape = open_stream(name="polynomials").shape
    assert (shape.n_outputs, shape.head(2), shape.measure) == (1, slice(0, 1), "mse")


def test_the_number_of_tasks_must_divide_the_classes() -> None:
    with pytest.raises(ConfigInvalid, match=r"must divide the 10 classes of digits, got 3; use one of 1, 2, 5, 10"):
        open_stream(name="split", dataset="digits", n_tasks=3)


def test_permutations_are_fixed_distinct_and_leave_the_first_task_alone() -> None:
    first, second, third = open_stream(name="permuted", dataset="digits", n_tasks=3).tasks
    assert first.train.order is None
    assert second.train.order is not None and third.train.order is not None
    assert not torch.equal(second.train.order, third.train.order)
    again = open_stream(name="permuted", dataset="digits", n_tasks=2).tasks[1]
    assert again.train.order is not None
    assert torch.equal(second.train.order, again.train.order)
    x, y = second.train.batch(slice(0, 5), torch.float32)
    plain, same = first.train.batch(slice(0, 5), torch.float32)
    assert torch.equal(x, plain[:, second.train.order])
    assert torch.equal(y, same)
    everything = open_stream(name="permuted", dataset="digits", n_tasks=2, permute_first=True)
    assert everything.tasks[0].train.order is not None


def test_padding_adds_zero_pixels_on_each_side() -> None:
    stream = open_stream(name="permuted", dataset="digits", n_tasks=1, padding=2)
    assert stream.shape.input_shape == (12, 12)
    image = stream.tasks[0].train.inputs[0].view(12, 12)
    assert image[:2].sum() == image[-2:].sum() == image[:, :2].sum() == image[:, -2:].sum() == 0
    assert image.sum() > 0


def test_pixels_become_numbers_from_zero_to_one() -> None:
    x, _ = open_stream(name="split", dataset="digits", n_tasks=5).tasks[0].train.batch(slice(None), torch.float32)
    assert (x.min(), x.max()) == (0.0, 1.0)


def test_the_polynomials_are_those_of_the_paper() -> None:
    for task, (function, low, high) in zip(
        open_stream(name="polynomials").tasks,
        ((lambda x: x + 3, -4, -2), (lambda x: 2 * x**2 - 1, -1, 1), (lambda x: (x - 3) ** 3, 2, 4)),
        strict=True,
    ):
        assert len(task.train) == 100
        assert task.train.inputs.min() >= low and task.train.inputs.max() <= high
        noise = task.train.labels - function(task.train.inputs)
        assert 0.04 < float(noise.std()) < 0.06
        assert torch.equal(task.test.labels, function(task.test.inputs))


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 50), batch=st.integers(1, 20), iterations=st.integers(1, 20), seed=st.integers(0, 99))
def test_batches_use_every_example_once_before_any_twice(n: int, batch: int, iterations: int, seed: int) -> None:
    batches = mini_batches(n, batch, iterations, torch.Generator().manual_seed(seed))
    assert batches.shape == (iterations, batch)
    drawn = batches.flatten()
    for start in range(0, len(drawn), n):
        part = drawn[start : start + n]
        assert len(part.unique()) == len(part)


def test_tasks_may_have_different_numbers_of_classes_and_heads_as_wide_as_the_widest() -> None:
    stream = open_stream(name="split", dataset="digits", n_tasks=3, classes_per_task=[5, 2, 3])
    whole = open_stream(name="split", dataset="digits", n_tasks=1).tasks[0].train
    assert (stream.shape.outputs_per_task, stream.shape.classes, stream.shape.n_outputs) == (5, (5, 2, 3), 15)
    assert [stream.shape.n_classes(n) for n in range(4)] == [0, 5, 7, 10]
    assert [sorted(set(task.test.labels.tolist())) for task in stream.tasks] == [[*range(5)], [0, 1], [0, 1, 2]]
    assert torch.equal(stream.tasks[2].train.inputs[stream.tasks[2].train.labels == 1], whole.inputs[whole.labels == 8])
    equal = open_stream(name="split", dataset="digits", n_tasks=2, classes_per_task=[2, 2])
    assert equal.shape == open_stream(name="split", dataset="digits", n_tasks=2, classes_per_task=2).shape


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"n_tasks": 3, "classes_per_task": [5, 2]}, "one for each of 3 tasks, got 2 of them"),
        ({"n_tasks": 2, "classes_per_task": [5, 6]}, r"2 tasks of 5, 6 classes need 11 classes, digits has 10"),
        ({"n_tasks": 5, "head_width": 1}, "head_width must be at least the 2 classes of the widest task, got 1"),
    ],
)
def test_classes_and_heads_that_do_not_fit_are_refused(options: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigInvalid, match=says):
        open_stream(name="split", dataset="digits", **options)


def test_a_replay_buffer_counts_classes_not_the_outputs_of_a_wide_head() -> None:
    replay = {"name": "latent_replay", "buffer_size": 12}
    config = tiny(stream={"n_tasks": 2, "head_width": 50}, method=replay, training={"iterations": 1})
    checkpoint = TrialRun(config, 0).train_task().checkpoint
    assert len(checkpoint["method"]["buffer"]["labels"]) == 10, "two of each of five classes"
    assert tiny(stream={"head_width": None}).hash() == tiny().hash()
