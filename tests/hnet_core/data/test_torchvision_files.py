"""SVHN, GTSRB and TinyImageNet from small files in the formats of their archives."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat
from torchvision.datasets import SVHN

from hnet_core.data import open_images
from hnet_core.errors import DatasetCorrupt, DatasetMissing
from hnet_core.registry import DATASETS


def write_svhn(root: Path, monkeypatch: pytest.MonkeyPatch, n: int = 20) -> None:
    """Write train_32x32.mat and test_32x32.mat: X (32, 32, 3, n), y (n, 1) with 10 for the digit 0."""
    (root / "SVHN").mkdir(parents=True)
    files = {}
    for part in ("train", "test"):
        labels = (np.arange(n) % 10 + 1).astype(np.uint8)[:, None]
        pixels = np.arange(n, dtype=np.uint8)[None, None, None] + np.zeros((32, 32, 3, 1), dtype=np.uint8)
        pixels[0, 1, 2] = 250
        file = root / "SVHN" / f"{part}_32x32.mat"
        savemat(file, {"X": pixels, "y": labels})
        files[part] = ["", file.name, hashlib.md5(file.read_bytes()).hexdigest()]
    monkeypatch.setattr(SVHN, "split_list", files)


def write_gtsrb(root: Path, n_classes: int = 43) -> None:
    """Write two training images and one test image of each class, of different sizes, as the archives have them."""
    base = root / "gtsrb"
    test = base / "GTSRB" / "Final_Test" / "Images"
    test.mkdir(parents=True)
    rows = ["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"]
    for label in range(n_classes):
        train = base / "GTSRB" / "Training" / f"{label:05d}"
        train.mkdir(parents=True)
        for number in range(2):
            sides = (20 + label, 15 + 30 * number)
            Image.new("RGB", sides, (label, 100, 200)).save(train / f"00000_{number:05d}.ppm")
        Image.new("RGB", (40, 40), (5 * label, 0, 7)).save(test / f"{label:05d}.ppm")
        rows.append(f"{label:05d}.ppm;40;40;5;5;35;35;{label}")
    (base / "GT-final_test.csv").write_text("\n".join(rows))


def test_svhn_is_read_from_its_mat_files_with_class_0_for_the_digit_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_svhn(tmp_path, monkeypatch)
    assert DATASETS["svhn"].is_present(tmp_path)
    images = open_images("svhn", tmp_path, 0.0)
    assert tuple(images.train.shape) == tuple(images.test.shape) == (20, 32, 32, 3)
    assert images.train_labels.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0] * 2
    assert images.train[7, 5, 5].tolist() == [7, 7, 7] and images.train[7, 0, 1].tolist() == [7, 7, 250]
    (tmp_path / "SVHN" / "test_32x32.mat").write_bytes(b"changed")
    with pytest.raises(DatasetCorrupt, match=r"svhn: cannot read the files in .*SVHN"):
        DATASETS["svhn"].load(tmp_path)


def test_gtsrb_is_read_from_its_folders_and_scaled_to_32_pixels(tmp_path: Path) -> None:
    write_gtsrb(tmp_path)
    images = open_images("gtsrb", tmp_path, 0.0)
    assert tuple(images.train.shape) == (86, 32, 32, 3) and tuple(images.test.shape) == (43, 32, 32, 3)
    assert images.train_labels.tolist() == [label for label in range(43) for _ in range(2)]
    for label in (0, 20, 42):
        assert (images.train[images.train_labels == label] == torch.tensor([label, 100, 200])).all()
        assert (images.test[images.test_labels == label] == torch.tensor([5 * label, 0, 7])).all()


def test_tiny_imagenet_is_read_from_its_official_folder(tmp_path: Path) -> None:
    folder = tmp_path / "tiny-imagenet-200"
    (folder / "val" / "images").mkdir(parents=True)
    rows = []
    for label in range(200):
        name = f"n{9_000_000 - label:08d}"
        (folder / "train" / name / "images").mkdir(parents=True)
        grey = Image.new("L", (64, 64), label)
        grey.save(folder / "train" / name / "images" / f"{name}_0.JPEG", quality=100)
        grey.convert("RGB").save(folder / "val" / "images" / f"val_{label}.JPEG", quality=100)
        rows.append(f"val_{label}.JPEG\t{name}\t0\t0\t62\t62")
    (folder / "val" / "val_annotations.txt").write_text("\n".join(rows))
    images = open_images("tiny_imagenet", tmp_path, 0.0)
    assert (tuple(images.train.shape), images.n_classes) == ((200, 64, 64, 3), 200)
    assert images.train_labels.tolist() == list(range(200)) and images.test_labels.tolist() == list(range(199, -1, -1))
    for pixels, labels in ((images.train, images.train_labels), (images.test, images.test_labels)):
        assert (pixels[:, 30, 30, 0].int() - (199 - labels)).abs().max() <= 1


def test_files_with_fewer_classes_than_gtsrb_has_are_refused(tmp_path: Path) -> None:
    write_gtsrb(tmp_path, n_classes=3)
    with pytest.raises(DatasetCorrupt, match=r"gtsrb.GTSRB must hold 43 classes of images \(32, 32, 3\), got 3"):
        open_images("gtsrb", tmp_path, None)


@pytest.mark.parametrize("name", ["svhn", "gtsrb", "tiny_imagenet"])
def test_a_pair_of_npz_files_takes_the_place_of_torchvisions(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    n_classes = DATASETS[name].n_classes
    for part in ("train", "test"):
        pixels = np.zeros((n_classes, *DATASETS[name].input_shape), dtype=np.uint8)
        np.savez(tmp_path / name / f"{part}.npz", images=pixels, labels=np.arange(n_classes))
    assert open_images(name, tmp_path, 0.0).n_classes == n_classes


@pytest.mark.parametrize("name", ["svhn", "gtsrb"])
def test_without_files_and_network_the_message_names_the_folders(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(f"torchvision.datasets.{name.upper()}.download", offline)
    with pytest.raises(DatasetMissing, match=rf"{name} is not in .* \(no network\); put its files into"):
        open_images(name, tmp_path, None)
