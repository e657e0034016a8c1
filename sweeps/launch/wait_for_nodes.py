"""Waiting for the nodes of a Ray cluster, run within a job: python -m sweeps.launch.wait_for_nodes ADDRESS NODES."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable

SECONDS = 300.0


def wait_for_nodes(count: Callable[[], int], wanted: int, seconds: float = SECONDS, pause: float = 1.0) -> int:
    """Wait until a cluster has so many nodes, or `seconds` are over; return how many it has."""
    end = time.monotonic() + seconds
    while (found := count()) < wanted and time.monotonic() < end:
        time.sleep(pause)
    return found


def main() -> None:
    import ray

    address, wanted = sys.argv[1], int(sys.argv[2])
    ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    found = wait_for_nodes(lambda: sum(node["Alive"] for node in ray.nodes()), wanted)  # type: ignore[no-untyped-call]
    missing = "" if found >= wanted else f", {wanted - found} are missing; the sweep starts without them"
    print(f"{found} of {wanted} nodes have joined{missing}.", file=sys.stderr)
    ray.shutdown()


if __name__ == "__main__":
    main()
