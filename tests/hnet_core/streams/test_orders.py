"""Orders of classes and pixels: one for all runs, or drawn from the seed of the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from pydantic import ValidationError

from hnet_core.build import read_stream, varies_with_seed
from hnet_core.config_validation import parse_trial
from hnet_core.errors import ConfigInvalid
from hnet_core.registry import STREAMS
from hnet_core.stacked import StackedRuns, groups, run_trials
from hnet_core.streams import Stream, StreamShape
from hnet_core.streams.permuted import PermutedStream
from hnet_core.streams.split import SplitStream
from hnet_core.training import run_trial
from hnet_core.trial import TrialConfig
from tests.hnet_core.tiny import TINY, tiny

SHUFFLED = {"name": "split", "dataset": "digits", "n_tasks": 5, "class_order_seed": "run"}
PERMUTED = {"name": "permuted", "dataset": "digits", "n_tasks": 3, "permutation_seed": "run"}


def stream_of(options: dict[str, Any], seed: int, root: Path = Path("unused")) -> Stream:
    return read_stream(tiny(stream=options), root, seed)


def first_images(stream: Stream) -> list[bytes]:
    return [task.train.batch(slice(0, 3), torch.float32)[0].numpy().tobytes() for task in stream.tasks]


@pytest.mark.parametrize("options", [SHUFFLED, PERMUTED], ids=["classes", "pixels"])
def test_an_order_of_the_run_is_that_of_its_seed_as_a_number(options: dict[str, Any]) -> None:
    key = "class_order_seed" if options is SHUFFLED else "permutation_seed"
    for seed in (0, 3):
        by_number = stream_of({**options, key: seed}, 17)
        assert first_images(stream_of(options, seed)) == first_images(by_number)
    assert first_images(stream_of(options, 0)) != first_images(stream_of(options, 3))


def test_the_runs_of_van_de_ven_shuffle_classes_for_every_seed_but_0() -> None:
    options = {**SHUFFLED, "class_order_seed": "run_except_0"}
    assert first_images(stream_of(options, 0)) == first_images(stream_of({**SHUFFLED, "class_order_seed": None}, 0))
    assert first_images(stream_of(options, 1)) == first_images(stream_of(SHUFFLED, 1))


def test_the_runs_of_van_de_ven_permute_the_first_task_for_every_seed_but_0() -> None:
    options = {**PERMUTED, "permute_first": "run_except_0"}
    of_0, of_1 = (stream_of(options, seed).tasks for seed in (0, 1))
    assert of_0[0].train.order is None and of_1[0].train.order is not None
    assert not torch.equal(of_0[1].train.order, of_1[1].train.order)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["split_cifar100", "noisy_cifar100", "split_tiny_imagenet", "cross_dataset"])
def test_every_stream_with_an_order_of_classes_draws_it_by_run(name: str, stand_ins: Path) -> None:
    # The stand-in for TinyImageNet has classes too small for a validation split.
    options = {"name": name, **STREAMS[name].tiny, "class_order_seed": "run", "validation": 0.0}
    if name == "noisy_cifar100":
        options["noisy"] = False
    config = parse_trial({**TINY, "stream": options, "target": {"name": "mlp", "hidden": [4]}})
    assert varies_with_seed(config)
    one, again, other = (read_stream(config, stand_ins, seed) for seed in (1, 1, 2))
    assert first_images(one) == first_images(again) != first_images(other)
    assert one.checksum == other.checksum, "the data are the same, their order is not"
    assert one.shape == other.shape == STREAMS[name].shape(config.stream, stand_ins)


@pytest.mark.parametrize("wrong", ["ran", -1, True, 0.5])
def test_another_word_or_number_is_refused(wrong: object) -> None:
    for options, key in ((SplitStream.Options, "class_order_seed"), (PermutedStream.Options, "permutation_seed")):
        with pytest.raises(ValidationError, match="must be"):
            options.model_validate({"name": "x", "dataset": "digits", "n_tasks": 2, key: wrong})


def test_the_seeds_of_a_stack_have_their_own_streams_and_the_results_of_runs_alone() -> None:
    config = tiny(stream=SHUFFLED, training={"iterations": 20, "stack_seeds": True})
    stacked = StackedRuns(config, (0, 1))
    assert stacked.runs[0]._stream is not stacked.runs[1]._stream
    shared = StackedRuns(tiny(training={"iterations": 20}), (0, 1))
    assert shared.runs[0]._stream is shared.runs[1]._stream
    for result, seed in zip(run_trials(config, (0, 1)), (0, 1), strict=True):
        alone = run_trial(config, seed)
        assert result.test[-1] == pytest.approx(alone.test[-1], abs=0.02)
        assert result.untrained == alone.untrained and result.data_checksum == alone.data_checksum


def test_seeds_whose_tasks_may_differ_in_length_are_not_stacked() -> None:
    epochs = {"iterations": None, "epochs": 1, "stack_seeds": True}
    assert groups(tiny(stream=SHUFFLED, training=epochs), (0, 1), {}) == [(0,), (1,)]
    assert groups(tiny(training=epochs), (0, 1), {}) == [(0, 1)]
    assert groups(tiny(stream=SHUFFLED, training={"stack_seeds": True}), (0, 1), {}) == [(0, 1)]


def test_the_second_data_set_may_take_other_classes_than_the_first(stand_ins: Path) -> None:
    options = {"name": "cross_dataset", "first": "cifar10", "second": "cifar10", "classes_per_task": 5, "image_size": 8}
    same, following = (stream_of({**options, **more}, 0, stand_ins) for more in ({}, {"second_classes": "next"}))
    assert first_images(same)[0] == first_images(same)[1] == first_images(following)[0] != first_images(following)[1]
    assert tiny(stream=options).hash() == tiny(stream={**options, "second_classes": "same"}).hash()
    with pytest.raises(ConfigInvalid, match="needs images of 12 classes, cifar10 has 10"):
        stream_of({**options, "classes_per_task": 6, "second_classes": "next"}, 0, stand_ins)


def test_orders_by_number_keep_their_hash_and_orders_by_run_have_another() -> None:
    plain = tiny(stream={"class_order_seed": 3})
    assert plain.model_dump()["stream"]["class_order_seed"] == 3
    assert len({plain.hash(), tiny(stream={"class_order_seed": "run"}).hash(), tiny().hash()}) == 3


class OldStream:
    """A stream of another package that was written before orders by run."""

    name = "old"
    summary = "as split"
    Options = SplitStream.Options
    tiny: ClassVar[dict[str, Any]] = {}

    @staticmethod
    def shape(options: Any, root: Path) -> StreamShape:
        return SplitStream.shape(options, root)

    @staticmethod
    def open(options: Any, root: Path) -> Stream:
        return SplitStream.open(options, root)


def test_a_stream_whose_open_takes_no_seed_still_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STREAMS._components(), "old", OldStream)
    config: TrialConfig = tiny(stream={"name": "old", "dataset": "digits", "n_tasks": 2}, training={"iterations": 2})
    assert not varies_with_seed(config)
    assert len(run_trial(config, 1).test) == 2
