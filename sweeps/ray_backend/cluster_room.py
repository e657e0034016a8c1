"""How many trials a Ray cluster has room for, followed while it grows and shrinks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ray
from ray.autoscaler.sdk import request_resources

from hnet_core.memory_estimate import in_words
from studies.spec.resources import Request
from sweeps.allocation import Node, capacity, in_text, resolved

SECONDS_BETWEEN_LOOKS = 2.0
FIRST_DEMAND = 8  # trials an autoscaler is asked to make room for while there is room for less than half as many
SECONDS_TO_GROW = 60.0  # without a change of the room, after which the autoscaler is asked for half as much

log = logging.getLogger("hnet")


def nodes_now() -> list[Node]:
    """Read the resources of each node that is alive."""
    found = [node["Resources"] for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
    return [Node(one.get("CPU", 0), one.get("GPU", 0), one.get("memory", 0)) for one in found]


def ask_autoscaler(bundles: list[dict[str, Any]]) -> None:
    """Ask Ray's autoscaler for a cluster with room for these bundles; nothing happens where there is none."""
    request_resources(bundles=bundles)


class ClusterRoom:
    """Number of workers of a sweep: as given, else as many as the cluster has room for now.

    Args:
        requests: of the trials, one for each family.
        workers: 0 for as many as there is room for.
        elastic: ask an autoscaler for more room. One request is kept for the entire cluster, so of several sweeps that
            ask the newest counts.
    """

    def __init__(
        self,
        requests: Sequence[Request],
        workers: int,
        elastic: bool = False,
        look: Callable[[], list[Node]] = nodes_now,
        ask: Callable[[list[dict[str, Any]]], None] = ask_autoscaler,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._requests = requests
        self._given = workers
        self._elastic = elastic and not workers
        self._look, self._ask, self._clock = look, ask, clock
        self._nodes: list[Node] = []
        self._looked_at: float | None = None
        self._room: int | None = None
        self._lacking: set[Request] = set()
        self._asked_for: list[dict[str, Any]] = []
        self._n_halvings, self._halved_at, self._halved_for = 0, 0.0, -1

    def workers(self, n_left: int | None = None) -> int:
        """Return how many trials may be handed out at a time.

        Args:
            n_left: trials that are still to be trained, running ones included; None if unknown.
        """
        now = self._clock()
        if self._looked_at is None or now - self._looked_at >= SECONDS_BETWEEN_LOOKS:
            self._looked_at = now
            self._nodes = self._look()
            self._note({one: capacity(self._nodes, one) for one in map(self._resolved, self._requests)})
            if self._elastic:
                self._demand(n_left)
        return self._given or self._room or 0

    def bundle(self, request: Request) -> dict[str, float]:
        """Return the resources of a trial as Ray names them."""
        if self._looked_at is None:
            self.workers()
        one = self._resolved(request)
        bundle = {"CPU": float(one.cpus), "GPU": one.gpus or 0.0, "memory": float(one.memory)}
        return {name: amount for name, amount in bundle.items() if amount}

    def close(self) -> None:
        """Ask an autoscaler for nothing more."""
        if self._asked_for:
            self._ask([])

    def _resolved(self, request: Request) -> Request:
        return resolved(request, self._nodes, self._given)

    def _note(self, rooms: Mapping[Request, int]) -> None:
        """Log a change of the number of workers, and every kind of trial that no node has room for."""
        before, self._room = self._room, max(rooms.values())
        if self._elastic and self._room and self._room != before:
            was = "" if before is None else f" (was {before})"
            log.info("Workers: %d, as many as the cluster has room for%s.", self._room, was)
        lacking = {request for request, n in rooms.items() if not n}
        for request in lacking - self._lacking:
            trial, most = in_text(request), self._most_on_one_node()
            log.warning("No node has room for a trial of %s: %s. Waiting for one that has.", trial, most)
        self._lacking = lacking

    def _most_on_one_node(self) -> str:
        if not self._nodes:
            return "there is no node"
        cpus, gpus, memory = (max(getattr(node, name) for node in self._nodes) for name in ("cpus", "gpus", "memory"))
        return f"the most on one are {cpus:g} CPUs, {gpus:g} GPUs and {in_words(int(memory))}"

    def _demand(self, n_left: int | None) -> None:
        """Ask for room for twice as many trials, not more than are left, and for less where the cluster does not grow.

        Version 2 of the autoscaler starts no node at all for a request that it cannot meet in full.
        """
        room, now = self._room or 0, self._looked_at or 0.0
        if room != self._halved_for:
            self._n_halvings, self._halved_at, self._halved_for = 0, now, room
        elif now - self._halved_at >= SECONDS_TO_GROW:
            self._n_halvings, self._halved_at = self._n_halvings + 1, now
        wanted = max(room + 1, max(FIRST_DEMAND, 2 * room) >> self._n_halvings)
        smallest = min(self._requests, key=lambda one: (one.cpus, one.memory))
        bundles = [self.bundle(smallest)] * (wanted if n_left is None else min(wanted, n_left))
        if bundles != self._asked_for:
            self._asked_for = bundles
            self._ask(bundles)
