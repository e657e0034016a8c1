"""Properties of a method under its options, also of methods of other packages that do not state them."""

from __future__ import annotations

from hnet_core.options import ComponentOptions
from hnet_core.registry import METHODS


def network_per_task(method: ComponentOptions) -> bool:
    """Return whether the method classifies each task by a network of its own; left out: if it uses a hypernetwork."""
    one = METHODS[method.name]
    return bool(getattr(one, "network_per_task", one.uses_hypernet)(method))


def keeps_networks(method: ComponentOptions) -> bool:
    """Return whether the network of a task stays as it was in later tasks; left out: if it uses a hypernetwork."""
    one = METHODS[method.name]
    return bool(getattr(one, "keeps_networks", one.uses_hypernet)(method))


def two_gradients(method: ComponentOptions) -> bool:
    """Return whether the cosine of the gradients of loss and regulariser is measured; left out: false."""
    one = METHODS[method.name]
    return bool(one.two_gradients(method)) if hasattr(one, "two_gradients") else False


def separate_networks(method: ComponentOptions) -> bool:
    """Return whether the network of every task has weights of its own from the start; left out: false."""
    return bool(getattr(METHODS[method.name], "separate_networks", False))
