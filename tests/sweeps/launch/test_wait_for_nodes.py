"""Waiting for the nodes of a cluster, on a count that grows."""

from __future__ import annotations

from sweeps.launch.wait_for_nodes import wait_for_nodes


def test_it_ends_as_soon_as_all_are_there() -> None:
    counts = iter([1, 1, 2, 3])
    assert wait_for_nodes(lambda: next(counts), 3, seconds=60, pause=0) == 3


def test_it_ends_without_those_that_do_not_come() -> None:
    assert wait_for_nodes(lambda: 1, 3, seconds=0.05, pause=0.01) == 1
