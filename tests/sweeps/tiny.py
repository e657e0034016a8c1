"""A sweep of a few seconds, and a backend that trains in this process instead of on Ray."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from studies.spec.spec import SweepSpec
from sweeps.driver.driver import Driver
from sweeps.jobs import Message
from sweeps.worker import work
from tests.hnet_core.tiny import TINY

SPEC: dict[str, Any] = {
    "study": "tiny",
    "trial": {**TINY, "stream": {**TINY["stream"], "n_tasks": 2}, "training": {"iterations": 3, "batch_size": 16}},
    "search": {
        "method.beta_output": {"float": [0.001, 1.0], "log": True},
        "hypernet.chunk_size": {"int": [20, 200], "log": True},
    },
    "sampler": "random",
    "seeds": 2,
    "budget": {"trials": 3},
}


def tiny_spec(**changes: Any) -> SweepSpec:
    return SweepSpec.model_validate({**copy.deepcopy(SPEC), **changes})


def inline(driver: Driver, workers: int, address: str | None, on_message: Callable[[int, Message], bool]) -> None:
    """Run one job after the other in this process."""
    while (job := driver.next_job()) is not None:
        for message in work(job):
            if not on_message(job.number, message):
                break
