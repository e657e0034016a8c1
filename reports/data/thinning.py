"""Thinning of a sequence that is too long to show or to compute with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def evenly_spaced(items: Sequence[Item], at_most: int) -> list[Item]:
    """Return at most so many items, evenly spaced from first to last, both included; of one the first."""
    if len(items) <= at_most:
        return list(items)
    return [items[round(i * (len(items) - 1) / max(at_most - 1, 1))] for i in range(at_most)]
