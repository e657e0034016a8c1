"""Workers of a sweep as its cluster grows and shrinks."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from studies.spec.resources import Request
from sweeps.allocation import Node
from sweeps.ray_backend.cluster_room import FIRST_DEMAND, SECONDS_BETWEEN_LOOKS, SECONDS_TO_GROW, ClusterRoom


class World:
    """A cluster, its autoscaler and a clock."""

    def __init__(self, *nodes: Node) -> None:
        self.nodes = list(nodes)
        self.asked: list[list[dict[str, Any]]] = []
        self.now = 0.0
        self.looks = 0

    def look(self) -> list[Node]:
        self.looks += 1
        return list(self.nodes)

    def room(self, *requests: Request, workers: int = 0, elastic: bool = True) -> ClusterRoom:
        return ClusterRoom(requests, workers, elastic, self.look, self.asked.append, lambda: self.now)

    def workers(self, room: ClusterRoom, n_left: int | None = None) -> int:
        """Workers at the next look."""
        self.now += SECONDS_BETWEEN_LOOKS
        return room.workers(n_left)


CPU = Node(cpus=1, gpus=0, memory=2**30)


def test_the_workers_follow_the_cluster_up_and_down_and_each_change_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world, seen = World(), []
    room = world.room(Request())
    with caplog.at_level(logging.INFO, "hnet"):
        for n in (0, 0, 4, 4, 1, 0, 2):
            world.nodes = [CPU] * n
            seen.append(world.workers(room))
    assert seen == [0, 0, 4, 4, 1, 0, 2]
    waiting = "No node has room for a trial of 1 CPU: there is no node. Waiting for one that has."
    assert caplog.messages == [
        waiting,
        "Workers: 4, as many as the cluster has room for (was 0).",
        "Workers: 1, as many as the cluster has room for (was 4).",
        waiting,
        "Workers: 2, as many as the cluster has room for (was 0).",
    ]


def test_the_cluster_is_looked_at_every_few_seconds_only() -> None:
    world = World(CPU)
    room = world.room(Request())
    for _ in range(10):
        assert room.workers() == 1
        world.now += SECONDS_BETWEEN_LOOKS / 5
    assert world.looks == 2


def test_a_given_number_of_workers_stays_and_asks_no_autoscaler() -> None:
    world = World(CPU)
    room = world.room(Request(), workers=3)
    assert world.workers(room) == 3
    room.close()
    assert world.asked == []


def test_an_autoscaler_is_asked_for_twice_the_room_but_never_for_more_trials_than_are_left() -> None:
    world = World()
    room, bundle = world.room(Request(cpus=2)), {"CPU": 2.0}
    world.workers(room, n_left=None)
    assert world.asked.pop() == [bundle] * FIRST_DEMAND
    world.nodes = [Node(20, 0, 0)]
    world.workers(room, n_left=100)
    assert world.asked.pop() == [bundle] * 20
    world.workers(room, n_left=100)
    assert world.asked == [], "asked again for what it was asked for"
    world.workers(room, n_left=3)
    assert world.asked.pop() == [bundle] * 3
    room.close()
    assert world.asked.pop() == []


def test_an_autoscaler_is_asked_for_half_as_much_while_the_cluster_does_not_grow() -> None:
    world = World()
    room = world.room(Request())

    def asked(n_nodes: int) -> list[int]:
        world.nodes, world.asked[:] = [CPU] * n_nodes, []
        for _ in range(5):
            world.workers(room)
            world.now += SECONDS_TO_GROW
        return [len(bundles) for bundles in world.asked]

    assert asked(0) == [8, 4, 2, 1]
    assert asked(2) == [8, 4, 3], "less than one more than there is room for"


def test_bundles_are_what_ray_allocates() -> None:
    world = World(Node(16, 4, 64 * 2**30))
    assert world.room(Request(gpus=None), workers=6).bundle(Request(gpus=None)) == {"CPU": 1.0, "GPU": 0.5}
    request = Request(cpus=2, gpus=0.0, memory=2**30)
    assert world.room(request).bundle(request) == {"CPU": 2.0, "memory": float(2**30)}


def test_a_kind_of_trial_that_fits_nowhere_is_named_although_others_fit(caplog: pytest.LogCaptureFixture) -> None:
    world = World(Node(4, 0, 16 * 2**30))
    room = world.room(Request(), Request(cpus=8, gpus=1.0, memory=2**30))
    with caplog.at_level(logging.INFO, "hnet"):
        assert [world.workers(room), world.workers(room)] == [4, 4]
    assert caplog.messages[1:] == [
        "No node has room for a trial of 8 CPUs, 1 GPU, 1 GiB: the most on one are 4 CPUs, 0 GPUs and 16 GiB. "
        "Waiting for one that has."
    ]
