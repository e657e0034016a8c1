"""The training core: one checked configuration in, one raw result out; no files, no globals, no SQL."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hnet_core.trained_model import TrainedModel

__all__ = ["load"]


def load(path: str | os.PathLike[str]) -> TrainedModel:
    """A trained model from a file of `hnet trial export`; see `hnet_core.trained_model.load`."""
    from hnet_core import trained_model as model

    return model.load(path)
