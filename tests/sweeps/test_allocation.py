"""How many trials train at a time, and their shares of GPUs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.spec.resources import Request
from sweeps.allocation import Node, capacity, default_workers, gpu_share, in_text, lacking, resolved, room
from tests.sweeps.tiny import SPEC, tiny_spec

GIB = 2**30
AUTO = Request(gpus=None)


@pytest.mark.parametrize(
    ("workers", "gpus", "share"),
    [(6, 4, 0.5), (3, 1, 0.3333), (4, 4, 1.0), (1, 4, 1.0), (9, 4, 0.3333), (7, 1, 0.1428)],
)
def test_shares_are_one_over_k(workers: int, gpus: int, share: float) -> None:
    assert gpu_share(workers, gpus) == share


@given(st.integers(1, 64), st.integers(1, 16))
def test_so_many_workers_get_their_shares_as_ray_counts_them_and_none_lies_on_two_gpus(workers: int, gpus: int) -> None:
    share = gpu_share(workers, gpus)
    per_gpu = 10_000 // round(share * 10_000)  # whole shares, in the ten-thousandths of Ray
    assert per_gpu * gpus >= workers
    assert (per_gpu - 1) * gpus < workers or per_gpu == 1, "a larger share would do"
    node = Node(cpus=1000, gpus=gpus, memory=0)
    assert room(node, Request(gpus=share)) >= workers


@pytest.mark.parametrize(
    ("node", "request_", "trials"),
    [
        (Node(8, 0, 0), Request(cpus=3), 2),
        (Node(8, 4, 0), Request(gpus=1.0), 4),
        (Node(8, 4, 0), Request(gpus=0.5), 8),
        (Node(8, 1, 0), Request(gpus=0.4), 2),
        (Node(3, 4, 0), Request(gpus=0.5), 3),
        (Node(8, 0, 20 * GIB), Request(memory=8 * GIB), 2),
        (Node(8, 0, 20 * GIB), Request(cpus=8, memory=30 * GIB), 0),
        (Node(0, 0, 0), Request(), 0),
    ],
)
def test_a_node_has_room_by_what_it_has_least_of(node: Node, request_: Request, trials: int) -> None:
    assert room(node, request_) == trials


def test_trials_do_not_lie_on_two_nodes() -> None:
    assert capacity([Node(3, 0, 0)] * 4, Request(cpus=2)) == 4
    assert capacity([Node(3, 0.5, 0)] * 4, Request(gpus=0.5)) == 0, "half a GPU is no GPU to share"
    assert capacity([], Request()) == 0


def test_a_training_that_may_use_a_gpu_gets_a_whole_one_by_default_and_none_where_there_is_none() -> None:
    gpus, none = [Node(16, 4, 0)], [Node(16, 0, 0)]
    assert resolved(AUTO, gpus, None).gpus == 1.0
    assert resolved(AUTO, gpus, 6).gpus == 0.5
    assert resolved(AUTO, none, None).gpus == 0.0
    assert resolved(replace(AUTO, needs_gpu=True), none, None).gpus == 1.0, "it waits for one"
    assert resolved(Request(gpus=0.25), gpus, 6).gpus == 0.25, "what is asked for stays"


def test_the_default_is_one_worker_for_each_gpu_where_there_are_any() -> None:
    assert default_workers(tiny_spec(), Node(16, 4, 0)) == 4
    assert default_workers(tiny_spec(), Node(16, 0, 0)) == 16
    assert default_workers(tiny_spec(), Node(2, 4, 0)) == 2
    on_cpu = {**SPEC["trial"], "training": {"iterations": 3, "device": "cpu"}}
    assert default_workers(tiny_spec(trial=on_cpu), Node(16, 4, 0)) == 16


def test_the_default_follows_the_resources_of_a_trial() -> None:
    node = Node(8, 2, 20 * GIB)
    assert default_workers(tiny_spec(resources={"cpus": 3, "gpus": 0}), node) == 2
    assert default_workers(tiny_spec(resources={"gpus": 0.5}), node) == 4
    assert default_workers(tiny_spec(resources={"gpus": 0, "memory": "8 GiB"}), node) == 2
    assert default_workers(tiny_spec(resources={"cpus": 64}), node) == 1, "slow, and not impossible"


def test_what_a_machine_does_not_have_is_named_with_both_numbers() -> None:
    spec = tiny_spec(resources={"gpus": 0.5, "memory": "30 GiB"})
    memory, gpu = lacking(spec, Node(8, 0, 20 * GIB))
    assert memory.startswith("resources.memory must be at most the 20 GiB that this process may use, got 30 GiB")
    assert gpu.startswith("resources.gpus must be 0 where torch finds no GPU, got 0.5")
    assert lacking(spec, Node(8, 1, 40 * GIB)) == []


def test_resources_as_text() -> None:
    assert in_text(Request()) == "1 CPU"
    assert in_text(Request(cpus=2, gpus=0.5, memory=8 * GIB)) == "2 CPUs, 0.5 GPU, 8 GiB"
