"""Known data sets of colour images: a pair of npz files, or torchvision's files, downloaded if absent."""

from __future__ import annotations

import contextlib
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from hnet_core.data.images import Images
from hnet_core.data.mnist import first_line
from hnet_core.data.npz import FILES, load_pair
from hnet_core.errors import DatasetCorrupt, DatasetMissing


class ColourImages(ABC):
    """A data set that torchvision reads.

    Attributes:
        folder: torchvision's files, below the data root; those of an npz pair are in the folder `name`.
    """

    name: ClassVar[str]
    n_classes: ClassVar[int]
    input_shape: ClassVar[tuple[int, ...]] = (32, 32, 3)
    folder: ClassVar[str]

    @classmethod
    @abstractmethod
    def read(cls, root: Path, *, download: bool) -> Images:
        """Read both splits by torchvision, after a download if wanted."""

    @classmethod
    def is_present(cls, root: Path) -> bool:
        return _has_pair(root / cls.name) or (root / cls.folder).is_dir()

    @classmethod
    def load(cls, root: Path) -> Images:
        """Read the npz pair of the folder `name` if there is one, else torchvision's files.

        Raises:
            DatasetMissing: neither exists and the download failed.
            DatasetCorrupt: a file cannot be read, or its images are not of the data set's shape and classes.
        """
        where = root / (cls.name if _has_pair(root / cls.name) else cls.folder)
        images = load_pair(cls.name, where) if _has_pair(root / cls.name) else cls._read(root)
        if tuple(images.train.shape[1:]) != cls.input_shape or images.n_classes != cls.n_classes:
            raise DatasetCorrupt(
                f"{where} must hold {cls.n_classes} classes of images {cls.input_shape}, got "
                f"{images.n_classes} of {tuple(images.train.shape[1:])}; name a stand-in otherwise."
            )
        return images

    @classmethod
    def _read(cls, root: Path) -> Images:
        folder = root / cls.folder
        present = folder.is_dir()
        try:
            with contextlib.redirect_stdout(
                sys.stderr
            ):  # torchvision reports its download on stdout, which is for data
                return cls.read(root, download=not present)
        except Exception as error:  # RuntimeError, OSError, URLError, tarfile, pickle and scipy errors
            if present:
                raise DatasetCorrupt(
                    f"{cls.name}: cannot read the files in {folder} ({first_line(error)}); delete them and run again."
                ) from error
            raise DatasetMissing(
                f"{cls.name} is not in {root} and could not be downloaded ({first_line(error)}); put its files "
                f"into {folder}, or train.npz and test.npz into {root / cls.name}, or name the data folder with "
                "--data or HNET_DATA."
            ) from error


def _has_pair(folder: Path) -> bool:
    return any((folder / file).exists() for file in FILES)
