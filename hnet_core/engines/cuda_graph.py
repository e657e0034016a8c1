"""A training step run again and again; on a GPU it is recorded once as a CUDA graph and then replayed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch


class Recording(Protocol):
    """How a function of tensors is recorded on one kind of device."""

    def __init__(self, device: torch.device) -> None: ...

    def warm_up(self, function: Callable[[], None]) -> None:
        """Run it, so that whatever it makes on first use is there."""

    def record(self, function: Callable[[], None]) -> None:
        """Record its operations without running them."""

    def replay(self) -> None:
        """Run what was recorded, on the memory it was recorded with."""


class CudaGraph:
    """One launch for the whole step, where a small hypernetwork's step is some hundred launches that take longer to
    issue than to run."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._graph = torch.cuda.CUDAGraph()

    def warm_up(self, function: Callable[[], None]) -> None:
        """On a side stream: recording must not meet memory that the main stream still works on."""
        with torch.cuda.device(self._device):
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                function()
            torch.cuda.current_stream().wait_stream(side)

    def record(self, function: Callable[[], None]) -> None:
        # thread_local: automatic differentiation runs on threads of its own
        with (
            torch.cuda.device(self._device),
            torch.cuda.graph(self._graph, capture_error_mode="thread_local"),
        ):
            function()

    def replay(self) -> None:
        self._graph.replay()


RECORDINGS: dict[str, type[Recording]] = {"cuda": CudaGraph}
WARM_UP = 3


def is_recorded(device: torch.device) -> bool:
    """Whether a Replay on this device records."""
    return device.type in RECORDINGS


class Replay:
    """Calls a function; after some calls, where the device can record, replays it instead.

    Args:
        function: reads and writes tensors that stay where they are, and nothing else that changes between calls: no
            number of Python, no value of a tensor that decides what is done next, no random draw.
        device: where these tensors are.
        recordable: says, after some calls, whether the function keeps to that; if not, it is called every time.
    """

    def __init__(
        self, function: Callable[[], None], device: torch.device, recordable: Callable[[], bool] = lambda: True
    ) -> None:
        self._function, self._recordable = function, recordable
        kind = RECORDINGS.get(device.type)
        self._recording = None if kind is None else kind(device)
        self._calls = 0

    def __call__(self) -> None:
        if self._recording is None:
            self._function()
            return
        self._calls += 1
        if self._calls <= WARM_UP:
            self._recording.warm_up(self._function)
            return
        if self._calls == WARM_UP + 1:
            if not self._recordable():
                self._recording = None
                self._function()
                return
            self._recording.record(self._function)
        self._recording.replay()
