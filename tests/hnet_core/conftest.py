"""Stand-ins for the colour data sets, made of the digits images; never called by their real names in a result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with npz pairs in the shapes of CIFAR-10, CIFAR-100 and TinyImageNet."""
    root = tmp_path_factory.mktemp("stand-ins")
    pixels, digits = load_digits(return_X_y=True)
    grey = (pixels.reshape(-1, 8, 8) * 15).astype(np.uint8)
    hundred = 10 * digits + np.arange(len(digits)) // 3 % 10
    rank = np.array([(digits[:position] == digit).sum() for position, digit in enumerate(digits)])
    two_hundred = 20 * digits + rank % 20
    for name, side, labels in (("cifar10", 32, digits), ("cifar100", 32, hundred), ("tiny_imagenet", 64, two_hundred)):
        (root / name).mkdir()
        images = _coloured(grey.repeat(side // 8, axis=1).repeat(side // 8, axis=2), labels)
        test = np.arange(len(labels)) % 3 == 2
        for part, members in (("train", ~test), ("test", test)):
            np.savez(root / name / f"{part}.npz", images=images[members], labels=labels[members])
    return root


def _coloured(grey: NDArray[np.uint8], labels: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return three channels, the third dimmed by the class."""
    third = (grey * (labels % 10 / 10)[:, None, None]).astype(np.uint8)
    return np.stack([grey, 255 - grey, third], axis=3)
