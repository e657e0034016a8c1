"""The order of an epsilon-net, against its definition and on a case computed by hand."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sweeps.search.epsilon_net import epsilon_net

STEPS = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=40)


def slow_net(points: np.ndarray) -> list[int]:
    """The next point is the farthest from those before; of equally far ones the first."""
    order = [int(points[:, 0].argmin())]
    while len(order) < len(points):
        distance = ((points[:, None] - points[None, order]) ** 2).sum(axis=2).min(axis=1)
        distance[order] = -1
        order.append(int(distance.argmax()))
    return order


@given(STEPS, st.randoms(use_true_random=False))
def test_the_order_on_a_curve_is_that_of_the_definition(steps: list[tuple[int, int]], random: object) -> None:
    down = np.cumsum([(0, 0), *steps], axis=0) * (1, -1)
    points = np.array([down[random.randrange(len(down))] for _ in range(2 * len(down))], dtype=float)  # some twice
    assert epsilon_net(points).tolist() == slow_net(points)


@given(st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=1, max_size=20))
def test_the_order_in_space_is_that_of_the_definition(cells: list[tuple[int, int, int]]) -> None:
    points = np.array(cells, dtype=float)
    assert epsilon_net(points).tolist() == slow_net(points)


def test_an_epsilon_net_takes_the_ends_first_and_then_the_middle() -> None:
    line = np.array([[0.1, 0.9], [0.0, 1.0], [0.5, 0.5], [1.0, 0.0], [0.9, 0.1]])
    assert epsilon_net(line)[:3].tolist() == [1, 3, 2]
    assert sorted(epsilon_net(line)) == list(range(5))
    assert epsilon_net(line[:0]).tolist() == []
