"""A training step as a CUDA graph: on a GPU it is recorded once, then launched as a single graph per step."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Protocol

import torch


class Recording(Protocol):
    """A recording of a function of tensors on one kind of device."""

    def __init__(self, device: torch.device) -> None: ...

    def warm_up(self, function: Callable[[], None]) -> None:
        """Run the function, so that everything it allocates on first use exists."""

    def record(self, function: Callable[[], None]) -> None:
        """Record the operations of the function without running them."""

    def run(self) -> None:
        """Run the recorded operations on the tensors they were recorded with."""


class CudaGraph:
    """One launch per step: the step of a small hypernetwork is some hundred launches that take longer to issue than
    to run."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._graph = torch.cuda.CUDAGraph()

    def warm_up(self, function: Callable[[], None]) -> None:
        """Run the function on a side stream: recording must not touch memory that the main stream still uses."""
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

    def run(self) -> None:
        self._graph.replay()


RECORDINGS: dict[str, type[Recording]] = {"cuda": CudaGraph}
WARM_UP = 3


def is_recorded(device: torch.device) -> bool:
    """Return whether a RecordedStep on this device records a graph."""
    return device.type in RECORDINGS


class RecordedStep:
    """A function that is recorded after its first calls, where the device can record; calls then run the recording.

    Args:
        function: reads and writes tensors that stay in place, and depends on nothing else that changes between calls:
            no Python number, no tensor value that selects an operation, no random draw.
        device: of these tensors.
        recordable: returns, after the first calls, whether the function satisfies that; if not, every call runs it.
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
        self._recording.run()


class RecordedSteps:
    """A RecordedStep for each shape of a batch; all are made anew when the learning rate changes.

    A recording holds both. The last batch of an epoch may be smaller than the others, and a schedule changes the
    learning rate a few times per task.

    Args:
        function, device, recordable: as for RecordedStep, except that the function may read shape and learning rate.
    """

    def __init__(self, function: Callable[[], None], device: torch.device, recordable: Callable[[], bool]) -> None:
        self._make = functools.partial(RecordedStep, function, device, recordable)
        self._by_shape: dict[torch.Size, RecordedStep] = {}
        self._lr: float | None = None

    def __call__(self, shape: torch.Size, lr: float) -> None:
        if lr != self._lr:
            self._by_shape, self._lr = {}, lr
        if shape not in self._by_shape:
            self._by_shape[shape] = self._make()
        self._by_shape[shape]()
