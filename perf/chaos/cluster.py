"""A Ray cluster on this machine whose nodes come and go, for `python -m perf.chaos --cluster`."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sweeps.ray_backend.session import NICENESS, QUIET

MOST_NODES = 3
OBJECTS = {"object_store_memory": 100 * 2**20}


class ChangingCluster:
    """A head without CPUs, and nodes of one CPU each that are added and killed while a sweep runs.

    Attributes:
        address: of the head, for `hnet sweep run --address`.
        n_added, n_killed, n_removed: nodes so far; killed ones get SIGKILL, removed ones SIGTERM.
    """

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self.address: str = cluster.address
        self.n_added = self.n_killed = self.n_removed = 0

    def add(self) -> bool:
        """Add a node; return False if there are enough."""
        if len(self._nodes) >= MOST_NODES:
            return False
        self._cluster.add_node(num_cpus=1, **OBJECTS)
        self.n_added += 1
        return True

    def kill(self, draw: random.Random) -> bool:
        """Kill a node drawn at random; return False if there is none."""
        return self._remove(draw, graceful=False)

    def remove(self, draw: random.Random) -> bool:
        """Terminate a node drawn at random; return False if there is none."""
        return self._remove(draw, graceful=True)

    def _remove(self, draw: random.Random, *, graceful: bool) -> bool:
        if not self._nodes:
            return False
        self._cluster.remove_node(draw.choice(self._nodes), allow_graceful=graceful)
        self.n_removed += graceful
        self.n_killed += not graceful
        return True

    @property
    def _nodes(self) -> list[Any]:
        return sorted(self._cluster.worker_nodes, key=lambda node: str(node.node_id))


@contextmanager
def changing_cluster() -> Iterator[ChangingCluster]:
    """Start a cluster with one node besides the head; end it at the end of the block."""
    # Nodes and workers take the environment of this process; with Ray's own niceness of 15 they starve beside others.
    os.environ.update(QUIET | {NICENESS: "0"})
    from ray.cluster_utils import Cluster

    made = Cluster(True, head_node_args={"num_cpus": 0, "num_gpus": 0, **OBJECTS})
    try:
        changing = ChangingCluster(made)
        changing.add()
        yield changing
    finally:
        made.shutdown()  # type: ignore[no-untyped-call]
