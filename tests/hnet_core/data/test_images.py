"""Data sets: reading, splitting, and the refusal of broken files."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from hnet_core.data import open_images
from hnet_core.data.npz import pair_folders
from hnet_core.errors import ConfigInvalid, DatasetCorrupt, DatasetMissing


def write_pair(folder: Path, n: int = 40, **changes: object) -> None:
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "test"):
        arrays = {
            "images": rng.integers(0, 256, (n, 6, 6), dtype=np.uint8),
            "labels": np.arange(n) % 4,
            **changes,
        }
        np.savez(folder / f"{split}.npz", **arrays)  # type: ignore[arg-type]


def test_digits_are_split_60_20_20_and_stratified() -> None:
    images = open_images("digits", Path("unused"), None)
    assert images.validation is not None and images.validation_labels is not None
    sizes = [len(images.train), len(images.validation), len(images.test)]
    assert sum(sizes) == 1797
    for labels, share in zip(
        (images.train_labels, images.validation_labels, images.test_labels), (0.6, 0.2, 0.2), strict=True
    ):
        counts = torch.bincount(labels, minlength=10).float()
        assert torch.allclose(counts / len(labels), torch.full((10,), 0.1), atol=0.01)
        assert len(labels) / 1797 == pytest.approx(share, abs=0.005)


def test_digits_without_validation_train_on_it_and_no_other_share_is_possible() -> None:
    with_validation, without = (open_images("digits", Path("unused"), share) for share in (None, 0.0))
    assert without.validation is None
    assert with_validation.validation is not None
    assert len(without.train) == len(with_validation.train) + len(with_validation.validation)
    assert torch.equal(without.test, with_validation.test)
    with pytest.raises(ConfigInvalid, match="fixes its own split"):
        open_images("digits", Path("unused"), 0.2)


def test_mnist_is_read_from_torchvisions_layout_and_held_out_by_class(mnist_root: Path) -> None:
    images = open_images("mnist", mnist_root, None)
    assert images.validation_labels is not None
    assert (len(images.train), len(images.validation_labels), len(images.test)) == (54_001, 5_999, 10_000)
    assert torch.bincount(images.validation_labels).min() > 500
    assert len(open_images("mnist", mnist_root, 0.0).train) == 60_000
    assert open_images("fashion_mnist", mnist_root, 0.5).checksum != images.checksum


def test_a_changed_mnist_file_is_refused(mnist_root: Path, tmp_path: Path) -> None:
    for source in (mnist_root / "MNIST" / "raw").iterdir():
        copy = tmp_path / "MNIST" / "raw" / source.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        content = bytearray(source.read_bytes())
        if source.name.startswith("t10k-labels"):
            content[-1] ^= 1
        copy.write_bytes(content)
    with pytest.raises(DatasetCorrupt, match="differ from the published ones"):
        open_images("mnist", tmp_path, 0.0)


def test_a_truncated_mnist_file_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (folder / f"{name}-ubyte").write_bytes(gzip.compress(b"no idx file")[:10])
    with pytest.raises(DatasetCorrupt, match="cannot read the files"):
        open_images("mnist", tmp_path, None)


def test_an_npz_pair_below_the_data_root_is_a_data_set(tmp_path: Path) -> None:
    write_pair(tmp_path / "mine")
    images = open_images("mine", tmp_path, 0.25)
    assert images.n_classes == 4
    assert images.validation is not None
    assert (len(images.train), len(images.validation), len(images.test)) == (32, 8, 40)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"images": np.full((40, 6, 6), 0.5, dtype=np.float32)}, r"uint8.*float32 \(40, 6, 6\).*255 \* images"),
        ({"images": np.full((40, 6, 6), 90.0)}, r"uint8.*float64.*scale them to 0 \.\.\. 255"),
        ({"images": np.full((40, 6, 6), np.nan)}, r"uint8.*scale them"),
        ({"images": np.zeros((40, 6, 6), dtype=np.int32)}, r"uint8.*int32.*astype"),
        ({"images": np.zeros((40, 36), dtype=np.uint8)}, r"\(N, H, W\).*\(40, 36\); reshape"),
        ({"images": np.zeros((0, 6, 6), dtype=np.uint8), "labels": np.zeros(0, int)}, "at least one image"),
        ({"images": np.zeros((40, 0, 6), dtype=np.uint8)}, "at least one pixel"),
        ({"images": np.zeros((40, 3, 6, 6), dtype=np.uint8)}, r"\(40, 3, 6, 6\).*\(N, C, H, W\).*transpose"),
        ({"images": np.zeros((40, 1, 6, 9), dtype=np.uint8)}, r"channels last.*transpose"),
        ({"images": np.zeros((40, 2, 6, 6), dtype=np.uint8)}, r"channels last.*transpose"),
        ({"images": np.array([np.zeros((6, 6)), np.zeros((5, 5))], dtype=object)}, "images of different sizes"),
        (
            {"labels": np.arange(40) % 4 * 2},
            r"train\.npz: labels must be 0, 1, \.\.\., 3 .* classes 0, 2, 4, 6; number",
        ),
        ({"labels": np.arange(40) % 4 + 1}, r"without a gap, got classes 1, 2, 3, 4"),
        ({"labels": np.full(40, 2**63, dtype=np.uint64)}, "without a gap"),
        ({"labels": np.eye(40, dtype=np.int64)}, r"\(40, 40\); one-hot"),
        ({"labels": np.zeros(39, dtype=np.int64)}, "one non-negative integer for each of 40 images"),
        ({"labels": np.full(40, -1)}, r"one non-negative integer .* from -1;"),
        ({"labels": np.array([object()] * 40)}, "must be an npz file"),
    ],
)
def test_an_npz_pair_that_does_not_fit_is_refused(tmp_path: Path, change: dict[str, object], says: str) -> None:
    write_pair(tmp_path / "mine", **change)
    with pytest.raises(DatasetCorrupt, match=says):
        open_images("mine", tmp_path, None)


def test_test_images_of_a_class_without_training_images_are_refused(tmp_path: Path) -> None:
    write_pair(tmp_path / "mine")
    np.savez(tmp_path / "mine" / "test.npz", images=np.zeros((3, 6, 6), dtype=np.uint8), labels=np.array([0, 4, 7]))
    with pytest.raises(DatasetCorrupt, match=r"test\.npz: .* test images of classes 4, 7, which no training image has"):
        open_images("mine", tmp_path, None)


def test_train_and_test_images_of_different_sizes_are_refused(tmp_path: Path) -> None:
    write_pair(tmp_path / "mine")
    np.savez(tmp_path / "mine" / "test.npz", images=np.zeros((4, 5, 6), dtype=np.uint8), labels=np.arange(4))
    with pytest.raises(DatasetCorrupt, match=r"mine: .* one shape, got \(6, 6\) and \(5, 6\); resize"):
        open_images("mine", tmp_path, None)


@pytest.mark.parametrize("shape", [(6, 6, 1), (6, 6, 3), (3, 6, 3), (6, 6, 10), (6, 6, 6)])
def test_images_with_their_channels_last_are_read(tmp_path: Path, shape: tuple[int, ...]) -> None:
    write_pair(tmp_path / "mine", images=np.zeros((40, *shape), dtype=np.uint8))
    assert tuple(open_images("mine", tmp_path, 0.0).train.shape) == (40, *shape)


def test_arrays_of_other_names_are_listed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    np.savez(tmp_path / "mine" / "train.npz", x=np.zeros(3), labels=np.zeros(3))
    with pytest.raises(DatasetCorrupt, match=r"train\.npz must be .*: it lacks images, and has x, labels; write it"):
        open_images("mine", tmp_path, None)


def test_a_single_array_under_the_name_of_a_pair_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with (tmp_path / "mine" / "train.npz").open("wb") as file:
        np.save(file, np.zeros((2, 6, 6)))
    with pytest.raises(DatasetCorrupt, match=r"it holds a single array \(2, 6, 6\)"):
        open_images("mine", tmp_path, None)


def test_the_folders_of_own_data_sets_are_found_with_the_files_they_lack(tmp_path: Path) -> None:
    write_pair(tmp_path / "whole")
    write_pair(tmp_path / "half")
    (tmp_path / "half" / "test.npz").unlink()
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)
    assert pair_folders(tmp_path) == {"half": ["test.npz"], "whole": []}
    assert pair_folders(tmp_path / "absent") == {}


def test_a_file_that_is_no_npz_and_one_that_is_absent_are_told_apart(tmp_path: Path) -> None:
    write_pair(tmp_path / "mine")
    (tmp_path / "mine" / "test.npz").write_bytes(b"PK but not a zip")
    with pytest.raises(DatasetCorrupt, match=r"test\.npz must be an npz file"):
        open_images("mine", tmp_path, None)
    (tmp_path / "mine" / "test.npz").unlink()
    with pytest.raises(DatasetMissing, match=r"test\.npz does not exist"):
        open_images("mine", tmp_path, None)


def test_a_misspelt_data_set_gets_a_suggestion_and_a_place_for_ones_own(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissing, match=r"did you mean 'digits'\? .* train\.npz and test\.npz"):
        open_images("digts", tmp_path, None)
