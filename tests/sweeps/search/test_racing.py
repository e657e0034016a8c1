"""The front of finished trials answers as a comparison with all of them does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sweeps.search.racing import FinishedFront, dominates

COSTS = st.tuples(st.integers(0, 4), st.integers(0, 4))
ADDED = st.tuples(st.integers(0, 9), st.none() | COSTS)
ASKED = st.tuples(st.integers(0, 9), COSTS)


@given(st.lists(st.tuples(st.booleans(), ADDED, ASKED)))
def test_a_point_is_dominated_as_by_a_comparison_with_every_other_trial(steps: list[tuple]) -> None:  # type: ignore[type-arg]
    front, known = FinishedFront(), dict[int, tuple[int, int] | None]()
    for is_asked, (number, costs), (but, point) in steps:
        known[number] = costs
        front.add(number, costs)
        if is_asked:
            others = [one for other, one in known.items() if other != but and one is not None]
            assert front.dominates(point, but=but) == any(dominates(one, point) for one in others)
