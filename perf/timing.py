"""Times of competing functions, measured in turns so that whatever else the machine does hits all of them alike."""

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
    """Median milliseconds of processor time of each function, and the rate of a large matrix product between them.

    With one thread on an idle machine the first is the time on the clock; on a busy one it leaves out the waiting. The
    rate, in floating-point operations per millisecond, is the limit for whatever consists of matrix products. Every
    call that counts follows one of the same function: its data lie in the cache as far as they do in training.
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
    """What `make` returns, and how far the resident memory rose above its level before."""
    _return_freed_memory()
    before = resident_mib()
    memory = PeakMemory()
    made = make()
    return made, max(memory.mib() - before, 0.0)


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def _return_freed_memory() -> None:
    """Give what was freed earlier back to the system, or it would be used again unseen."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # glibc only
        ctypes.CDLL(None).malloc_trim(0)


_SIDE = 640


def _product() -> Callable[[], object]:
    left, right, out = torch.randn(_SIDE, _SIDE), torch.randn(_SIDE, _SIDE), torch.empty(_SIDE, _SIDE)
    return lambda: torch.mm(left, right, out=out)
