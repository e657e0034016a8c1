"""The 8x8 digits images that scikit-learn ships: real data without a download, for demos and tests."""

from __future__ import annotations

from pathlib import Path

import torch

from hnet_core.data.images import Images


class Digits:
    """1,797 scanned digits (UCI optical recognition of handwritten digits), pixels 0-16.

    Split 60/20/20 into training, validation and test, stratified by class and fixed: within each class, in file
    order, every fifth image is test, the one before it validation.
    """

    name = "digits"
    summary = "8x8 scanned digits, 1,797 images, built in (scikit-learn)"
    n_classes = 10
    input_shape = (8, 8)

    @staticmethod
    def is_present(root: Path) -> bool:
        return True

    @staticmethod
    def load(root: Path) -> Images:
        from sklearn.datasets import load_digits

        pixels, labels = load_digits(return_X_y=True)
        images = torch.as_tensor(pixels, dtype=torch.uint8).view(-1, 8, 8)
        targets = torch.as_tensor(labels, dtype=torch.int64)
        fifth = torch.empty_like(targets)
        for label in range(Digits.n_classes):
            members = targets == label
            fifth[members] = torch.arange(int(members.sum())) % 5
        parts = {name: fifth == position for name, position in (("validation", 3), ("test", 4))}
        train = fifth < 3
        return Images(
            name=Digits.name,
            train=images[train],
            train_labels=targets[train],
            validation=images[parts["validation"]],
            validation_labels=targets[parts["validation"]],
            test=images[parts["test"]],
            test_labels=targets[parts["test"]],
            scale=16.0,
        )
