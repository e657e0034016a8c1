"""Thinning keeps both ends and the order."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reports.data.thinning import evenly_spaced


@given(st.integers(0, 60), st.integers(0, 70))
def test_a_thinned_sequence_is_a_part_in_order_with_both_ends(length: int, at_most: int) -> None:
    found = evenly_spaced(range(length), at_most)
    assert len(found) == min(length, at_most)
    assert found == sorted(set(found))
    assert not found or found[0] == 0
    assert len(found) < 2 or found[-1] == length - 1


def test_gaps_differ_by_one_at_most() -> None:
    found = evenly_spaced(range(100), 7)
    gaps = {b - a for a, b in pairwise(found)}
    assert max(gaps) - min(gaps) <= 1
