"""Allocation of CPUs, GPU shares and memory to the trials of a sweep: how many train at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hnet_core.memory_estimate import in_words
from hnet_core.runtime.machine import available_cpus, available_memory
from studies.spec.resources import Request
from studies.spec.spec import SweepSpec

SHARES = 10_000  # Ray counts shares of a GPU in ten-thousandths, rounded to the nearest


@dataclass(frozen=True)
class Node:
    """Resources of a machine.

    Attributes:
        memory: bytes.
    """

    cpus: float
    gpus: float
    memory: float


def this_machine() -> Node:
    """Resources of this machine that this process may use."""
    import torch

    return Node(available_cpus(), torch.cuda.device_count(), available_memory())


def resolved(request: Request, nodes: Sequence[Node], workers: int | None) -> Request:
    """Return a request with a share of a GPU in place of None.

    Without a number of workers each has a GPU; otherwise k of them share one, with the smallest k that gives each a
    share. A training that uses a GPU if there is one gets none where no node has one.
    """
    if request.gpus is not None:
        return request
    gpus = int(sum(node.gpus for node in nodes))
    if not gpus:
        return replace(request, gpus=1.0 if request.needs_gpu else 0.0)
    return replace(request, gpus=gpu_share(workers or 1, gpus))


def gpu_share(workers: int, gpus: int) -> float:
    """Share 1/k of a GPU with the smallest k that lets so many workers train on so many GPUs, none on two.

    Rounded down to what Ray can count: seven shares of 1/7, which it rounds to 0.1429, do not fit into one GPU.
    """
    return (SHARES // math.ceil(workers / gpus)) / SHARES if workers > gpus else 1.0


def room(node: Node, request: Request) -> int:
    """Return how many trials with a resolved request a node can train at a time."""
    fits = [node.cpus // request.cpus]
    if request.gpus:
        fits.append(int(node.gpus) * (SHARES // max(1, round(SHARES * request.gpus))))
    if request.memory:
        fits.append(node.memory // request.memory)
    return int(min(fits))


def capacity(nodes: Iterable[Node], request: Request) -> int:
    """Return how many trials with a resolved request all nodes together can train at a time."""
    return sum(room(node, request) for node in nodes)


def default_workers(spec: SweepSpec, node: Node) -> int:
    """Return how many trials this machine trains at a time: as many as it has room for, at least one.

    With families that differ, as many as there is room for of the smallest; Ray lets the others wait for theirs.
    """
    requests = [resolved(request, [node], None) for request in spec.requests()]
    return max(1, *(room(node, request) for request in requests))


def lacking(spec: SweepSpec, node: Node) -> list[str]:
    """List what trials ask for that a machine does not have, in words; CPUs are then shared, which is only slow."""
    found = []
    for request in spec.requests():
        if request.memory > node.memory:
            found.append(
                f"resources.memory must be at most the {in_words(int(node.memory))} that this process may use, got "
                f"{in_words(request.memory)}; take less, or a cluster with a larger machine (--address)"
            )
        if request.gpus and not node.gpus:
            found.append(
                f"resources.gpus must be 0 where torch finds no GPU, got {request.gpus:g}; leave it out, or take a "
                "cluster that has one (--address)"
            )
    return list(dict.fromkeys(found))


def in_text(request: Request) -> str:
    """Text of a request such as "2 CPUs, 0.5 GPU, 8 GiB"."""
    parts = [f"{request.cpus} CPU{'s' if request.cpus > 1 else ''}"]
    if request.gpus:
        parts.append(f"{request.gpus:.4g} GPU")
    if request.memory:
        parts.append(in_words(request.memory))
    return ", ".join(parts)
