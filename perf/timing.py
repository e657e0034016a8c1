"""Interleaved timing of competing functions, so that other load on the machine affects all of them equally."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch

from hnet_core.runtime.peak_memory import PeakMemory

WARM_UP = 1
K = TypeVar("K")
T = TypeVar("T")


def interleaved(functions: Mapping[K, Callable[[], object]], rounds: int) -> tuple[dict[K, float], float]:
    """Return the median milliseconds of processor time of each function, and the rate of a large matrix product.

    With one thread on an idle machine processor time is wall time; on a busy machine it excludes waiting. The rate, in
    floating-point operations per millisecond, bounds every function that consists of matrix products. Each timed call
    follows an untimed one of the same function: its data are in the cache to the extent they are in training.
    """
    product = _product()
    seconds: dict[K, list[float]] = {name: [] for name in functions}
    seconds_of_product = []
    for turn in range(rounds + WARM_UP):
        of_turn = {name: _seconds_of_second_call(function) for name, function in functions.items()}
        of_product = _seconds_of_second_call(product)
        if turn >= WARM_UP:
            seconds_of_product.append(of_product)
            for name, value in of_turn.items():
                seconds[name].append(value)
    limit = 2 * _SIDE**3 / (1e3 * statistics.median(seconds_of_product))
    return {name: 1e3 * statistics.median(values) for name, values in seconds.items()}, limit


def _seconds_of_second_call(function: Callable[[], object]) -> float:
    function()
    start = time.process_time()
    function()
    return time.process_time() - start


def peak_mib(make: Callable[[], T]) -> tuple[T, float]:
    """Return the result of `make`, and the peak of resident memory above its level before, MiB."""
    _return_freed_memory()
    before = resident_mib()
    memory = PeakMemory()
    made = make()
    return made, max(memory.mib() - before, 0.0)


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def _return_freed_memory() -> None:
    """Return freed memory to the system: memory used again would not show in the peak."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # glibc only
        ctypes.CDLL(None).malloc_trim(0)


_SIDE = 640


def _product() -> Callable[[], object]:
    left, right, out = torch.randn(_SIDE, _SIDE), torch.randn(_SIDE, _SIDE), torch.empty(_SIDE, _SIDE)
    return lambda: torch.mm(left, right, out=out)
