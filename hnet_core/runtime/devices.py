"""The device of a trial: the CPU or a GPU."""

from __future__ import annotations

import gc
import time

import torch

from hnet_core.errors import ConfigInvalid


class NoGpu(ConfigInvalid):
    """A GPU is asked for where there is none."""


def pick_device(name: str) -> torch.device:
    """Return the device of a name; auto is a GPU if there is one.

    Raises:
        NoGpu: the name is that of a GPU, and torch finds none.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise NoGpu(f"training.device is {name}, but torch finds no GPU here; use auto or cpu.")
    return device


def release_gpu_memory() -> None:
    """Return the memory of deleted tensors to the GPU, for other processes; nothing where no GPU was used."""
    if torch.cuda.is_initialized():
        gc.collect()
        torch.cuda.empty_cache()


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def seconds_since(start: float, device: torch.device) -> float:
    """Return the seconds since a time.perf_counter(), all work queued on the device included."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start
