"""A CUDA graph's behaviour on a CPU: the operations of a step are recorded and run again on the same memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

# Operations whose result Python would have to wait for, or whose shape depends on values.
WAITING = {
    "aten::_local_scalar_dense",
    "aten::is_nonzero",
    "aten::nonzero",
    "aten::masked_select",
    "aten::_unique2",
    "aten::equal",
    "aten::randperm",
    "aten::normal_",
    "aten::bernoulli_",
}


class NoWaiting(TorchDispatchMode):
    """A dispatch mode that refuses operations for which the host would wait for a GPU."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # True imports torch._dynamo, which takes seconds

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.name().split(".")[0]
        assert name not in WAITING, f"{name} makes the host wait for the device, or cannot be recorded"
        return func(*args, **(kwargs or {}))


class Tape(NoWaiting):
    """A Recording for tests: every operation is repeated with the very tensors and numbers it was recorded with."""

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self._operations: list[tuple[Any, Any, Any, list[Tensor]]] = []

    def warm_up(self, function: Callable[[], None]) -> None:
        with NoWaiting():
            function()

    def record(self, function: Callable[[], None]) -> None:
        """Run the function to record it, then restore the tensors: recording on a GPU runs nothing."""
        before: dict[int, tuple[Tensor, Tensor]] = {}
        self._before = before
        with self:
            function()
        for storage_of, values in before.values():
            storage_of.copy_(values)

    def run(self) -> None:
        for func, args, kwargs, results in self._operations:
            again = [leaf for leaf in tree_leaves(func(*args, **kwargs)) if isinstance(leaf, Tensor)]
            for old, new in zip(results, again, strict=True):
                if old.data_ptr() != new.data_ptr():
                    old.copy_(new)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        for leaf in tree_leaves((args, kwargs)):
            if isinstance(leaf, Tensor):
                self._keep(leaf)
        result = super().__torch_dispatch__(func, types, args, kwargs)
        tensors = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor)]
        self._operations.append((func, args, kwargs, tensors))
        return result

    def _keep(self, tensor: Tensor) -> None:
        """Keep the values of a tensor's storage at its first use."""
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._before:
            whole = torch.empty(0, dtype=tensor.dtype).set_(storage)  # type: ignore[call-overload]
            self._before[storage.data_ptr()] = whole, whole.clone()
