"""Streams of colour images: the classes of each task, and the preprocessing of the images."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from hnet_core.data import open_images
from hnet_core.errors import ConfigInvalid, DatasetCorrupt, DatasetMissing
from hnet_core.registry import STREAMS
from hnet_core.seeding import generator
from hnet_core.streams import Stream
from hnet_core.streams.preprocessing import Preprocessing
from hnet_core.training import run_trial
from tests.hnet_core.tiny import tiny


def open_stream(root: Path, **options: object) -> Stream:
    stream = STREAMS[str(options["name"])]
    parsed = stream.Options.model_validate(options)
    opened: Stream = stream.open(parsed, root)
    assert opened.shape == stream.shape(parsed, root)
    assert len(opened.checksum) == 16
    return opened


def test_split_cifar100_has_twenty_tasks_of_five_shuffled_classes_each_once(stand_ins: Path) -> None:
    stream = open_stream(stand_ins, name="split_cifar100")
    assert (stream.shape.n_tasks, stream.shape.outputs_per_task, stream.shape.input_shape) == (20, 5, (32, 32, 3))
    assert sum(len(task.test) for task in stream.tasks) == 599
    assert all(set(task.train.labels.tolist()) == set(range(5)) for task in stream.tasks)
    in_order = open_stream(stand_ins, name="split_cifar100", class_order_seed=None)
    assert not torch.equal(stream.tasks[0].test.inputs[:1], in_order.tasks[0].test.inputs[:1])
    assert open_stream(stand_ins, name="split_cifar100", n_tasks=10).shape.outputs_per_task == 10


def test_a_stream_may_take_the_first_classes_only(stand_ins: Path) -> None:
    whole = open_stream(stand_ins, name="split_cifar100")
    part = open_stream(stand_ins, name="split_cifar100", n_tasks=3, classes_per_task=5)
    for ours, theirs in zip(part.tasks, whole.tasks, strict=False):
        assert torch.equal(ours.train.inputs, theirs.train.inputs)
    with pytest.raises(ConfigInvalid, match="need 105 classes, cifar100 has 100"):
        open_stream(stand_ins, name="split_cifar100", n_tasks=21, classes_per_task=5)


def test_labels_follow_the_order_of_the_classes(stand_ins: Path) -> None:
    images = open_images("cifar100", stand_ins, None)
    stream = open_stream(stand_ins, name="split_cifar100", n_tasks=1, classes_per_task=3, class_order_seed=4)
    order = torch.randperm(100, generator=generator(4, "classes"))
    for label in range(3):
        expected = images.test[images.test_labels == order[label]].flatten(1)
        assert torch.equal(stream.tasks[0].test.inputs[stream.tasks[0].test.labels == label], expected)


def test_split_cifar_is_cifar10_and_then_classes_of_cifar100_in_order(stand_ins: Path) -> None:
    stream = open_stream(stand_ins, name="split_cifar")
    assert (stream.shape.n_tasks, stream.shape.n_outputs) == (6, 60)
    assert torch.equal(stream.tasks[0].test.inputs, open_images("cifar10", stand_ins, None).test.flatten(1))
    others = open_images("cifar100", stand_ins, None)
    second = (others.test_labels >= 10) & (others.test_labels < 20)
    assert torch.equal(stream.tasks[2].test.labels, others.test_labels[second] - 10)
    with pytest.raises(ConfigInvalid, match="needs 10 classes, then 110"):
        open_stream(stand_ins, name="split_cifar", n_tasks=12)


def test_the_noisy_stream_corrupts_training_and_test_images_alike(stand_ins: Path) -> None:
    clean = open_stream(stand_ins, name="noisy_cifar100", noisy=False).tasks
    noisy = open_stream(stand_ins, name="noisy_cifar100").tasks
    assert len(noisy) == 4
    assert torch.equal(clean[0].train.inputs, noisy[0].train.inputs)
    for part in ("train", "test"):
        before, after = getattr(clean[1], part).inputs, getattr(noisy[1], part).inputs
        assert torch.equal(after, torch.where(before >= 128, 255 - before, before))  # solarised at 0.5
        blurred = getattr(noisy[2], part).inputs.float()
        original = getattr(clean[2], part).inputs.float()
        assert blurred.std() < original.std()
        assert blurred.mean() == pytest.approx(float(original.mean()), rel=0.01)
        grey = getattr(noisy[3], part).inputs.view(-1, 32 * 32, 3)
        assert torch.equal(grey[..., 0], grey[..., 1]) and torch.equal(grey[..., 0], grey[..., 2])


def test_a_stream_may_join_two_data_sets_of_different_sizes(stand_ins: Path) -> None:
    stream = open_stream(stand_ins, name="cross_dataset", first="digits", second="cifar100", image_size=16)
    assert (stream.shape.n_tasks, stream.shape.input_shape) == (2, (16, 16, 3))
    grey = stream.tasks[0].train.inputs.view(-1, 256, 3)
    assert torch.equal(grey[..., 0], grey[..., 2])
    assert stream.tasks[1].train.inputs.shape[1] == 16 * 16 * 3
    turned = open_stream(stand_ins, name="cross_dataset", first="cifar100", second="digits", image_size=16)
    assert torch.equal(turned.tasks[1].train.inputs, stream.tasks[0].train.inputs)


def test_tiny_imagenet_comes_from_npz_files_and_is_scaled_down(stand_ins: Path) -> None:
    stream = open_stream(stand_ins, name="split_tiny_imagenet", n_tasks=10)
    assert (stream.shape.input_shape, stream.shape.outputs_per_task) == ((32, 32, 3), 20)
    assert stream.tasks[0].test.inputs.shape[1] == 3072
    with pytest.raises(DatasetMissing, match="tiny_imagenet"):
        open_stream(stand_ins / "nothing", name="split_tiny_imagenet")


def test_normalised_images_have_the_published_means_taken_off(stand_ins: Path) -> None:
    test = open_stream(stand_ins, name="split_cifar100").tasks[0].test
    values, _ = test.batch(slice(0, 4), torch.float64)
    mean, std = torch.tensor([0.5071, 0.4865, 0.4409]), torch.tensor([0.2673, 0.2564, 0.2762])
    expected = (test.inputs[:4].view(4, 1024, 3) / 255 - mean) / std
    assert torch.allclose(values.view(4, 1024, 3), expected.double(), atol=1e-5)


def test_augmented_images_are_shifted_and_flipped_crops_of_the_padded_ones() -> None:
    """An oracle: every augmented image must be found among all crops of its padded original and their mirror images."""
    images = torch.randint(1, 255, (30, 6 * 5 * 3), generator=generator(0), dtype=torch.uint8)
    preprocessing = Preprocessing((6, 5, 3), "crop_flip")
    augmented = preprocessing.augmented(images, generator(1)).view(30, 6, 5, 3)
    padded = torch.zeros(30, 14, 13, 3, dtype=torch.uint8)
    padded[:, 4:10, 4:9] = images.view(30, 6, 5, 3)
    found: list[tuple[int, int, bool]] = []
    for n in range(30):
        crops = [(r, c, padded[n, r : r + 6, c : c + 5]) for r in range(9) for c in range(9)]
        matches = [
            (r, c, mirrored)
            for r, c, crop in crops
            for mirrored in (False, True)
            if torch.equal(crop.flip(1) if mirrored else crop, augmented[n])
        ]
        assert matches
        found.append(matches[0])
    assert len({(r, c) for r, c, _ in found}) > 15
    assert {mirrored for *_, mirrored in found} == {False, True}


def test_a_flip_alone_keeps_the_image_in_place() -> None:
    images = torch.randint(1, 255, (30, 6 * 5 * 3), generator=generator(0), dtype=torch.uint8)
    augmented = Preprocessing((6, 5, 3), "flip").augmented(images, generator(1))
    original = images.view(30, 6, 5, 3)

    def is_one_of(image: Tensor, n: int) -> bool:
        return torch.equal(image, original[n]) or torch.equal(image, original[n].flip(1))

    assert all(is_one_of(augmented.view(30, 6, 5, 3)[n], n) for n in range(30))
    assert not torch.equal(augmented, images)


def test_test_images_are_never_augmented_and_training_draws_repeat(stand_ins: Path) -> None:
    task = open_stream(stand_ins, name="split_cifar100").tasks[0]
    index = torch.arange(5)
    assert torch.equal(*(task.test.batch(index, torch.float32)[0] for _ in range(2)))
    first, second = (task.train.batch(index, torch.float32, generator(0))[0] for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, task.train.batch(index, torch.float32)[0])


def test_no_images_are_no_images_normalised_or_not(stand_ins: Path) -> None:
    task = open_stream(stand_ins, name="split_cifar100").tasks[0]
    images, labels = task.train.batch(torch.arange(0), torch.float32, generator(0))
    assert (tuple(images.shape), len(labels)) == ((0, 3072), 0)


def test_grey_images_cannot_have_the_means_of_three_channels() -> None:
    with pytest.raises(ConfigInvalid, match="takes images with 3 channels, got 1; use none"):
        open_stream(Path("unused"), name="split", dataset="digits", n_tasks=5, normalization="cifar100")


def test_a_pair_under_the_name_of_cifar_must_have_its_shape_and_classes(stand_ins: Path, tmp_path: Path) -> None:
    (tmp_path / "cifar100").symlink_to(stand_ins / "cifar10")
    with pytest.raises(DatasetCorrupt, match=r"must hold 100 classes of images \(32, 32, 3\), got 10"):
        open_stream(tmp_path, name="split_cifar100")


def test_a_trial_on_augmented_images_is_the_same_for_the_same_seed(stand_ins: Path) -> None:
    config = tiny(
        stream={"name": "split_cifar100", "n_tasks": 2, "classes_per_task": 2},
        training={"iterations": 3, "batch_size": 4},
    )
    first, second = (run_trial(config, 0, stand_ins) for _ in range(2))
    assert first.test == second.test


def test_a_crop_alone_mirrors_no_image_and_grey_images_have_their_own_mean() -> None:
    image = torch.arange(1, 26, dtype=torch.uint8).view(1, 25).repeat(40, 1)
    cropped = Preprocessing((5, 5, 1), "crop").augmented(image, generator(2)).view(40, 5, 5).int()
    steps = cropped.diff(dim=2)[(cropped[:, :, 1:] > 0) & (cropped[:, :, :-1] > 0)]
    assert (steps == 1).all()
    assert len({tuple(row) for row in cropped.flatten(1).tolist()}) > 10
    values = Preprocessing((5, 5, 1), "none", "mnist").normalized(torch.full((2, 25), 0.1307 + 0.3081))
    torch.testing.assert_close(values, torch.ones(2, 25))
