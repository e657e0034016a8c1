"""Allocations that can never succeed, from the texts of torch and numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hnet_core.runtime.machine import available_memory
from sweeps.failures import failure_of
from sweeps.memory_requests import impossible_request

ON_GPU = (
    "CUDA out of memory. Tried to allocate {asked}. GPU 0 has a total capacity of 14.56 GiB of which 1.20 GiB is free. "
    "Process 71 has 13.36 GiB memory in use."
)


def test_a_larger_tensor_than_there_is_memory_fails_the_trial_with_both_numbers() -> None:
    with pytest.raises(RuntimeError) as raised:
        torch.empty(2**50, dtype=torch.uint8)
    failure = failure_of(raised.value)
    assert failure.kind == "trial"
    assert failure.reason.startswith("the trial asked for 1 PiB of memory at once, and there are ")
    assert failure.reason.split("there are ")[1].split(" ")[1].startswith("GiB")


def test_a_larger_array_than_there_is_memory_fails_the_trial_too() -> None:
    with pytest.raises(MemoryError) as raised:
        np.empty(2**50, dtype=np.uint8)
    assert failure_of(raised.value).kind == "trial"
    assert "asked for 1 PiB of memory" in failure_of(raised.value).reason


def test_what_would_fit_is_tried_again_in_another_process() -> None:
    fits = (
        f"DefaultCPUAllocator: can't allocate memory: you tried to allocate {available_memory()} bytes. Error code 12"
    )
    assert failure_of(RuntimeError(fits)).kind == "worker"
    assert failure_of(MemoryError()).kind == "worker"


@pytest.mark.parametrize(("asked", "kind"), [("13.00 GiB", "worker"), ("20.00 GiB", "trial"), ("512.00 MiB", "worker")])
def test_memory_of_a_gpu_is_compared_with_that_of_this_gpu(asked: str, kind: str) -> None:
    failure = failure_of(torch.OutOfMemoryError(ON_GPU.format(asked=asked)))
    assert failure.kind == kind
    if kind == "trial":
        assert "asked for 20 GiB of memory at once, and there are 14.56 GiB on the GPU; take" in failure.reason
    else:
        assert f"Tried to allocate {asked}" in failure.reason


def test_other_texts_are_no_request() -> None:
    assert impossible_request("shapes (3, 4) and (5, 6) do not fit") is None
    assert failure_of(RuntimeError("tried to allocate names twice")).kind == "trial"
