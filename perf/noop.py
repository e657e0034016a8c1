"""A sweep whose trials train nothing, to measure the cost of the service alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hnet_core.build import networks, stream_shape
from hnet_core.config_validation import parse_trial
from hnet_core.trial import TrialResult
from studies.spec.spec import SweepSpec
from sweeps.jobs import Job, JobProgress, Message, Success

N_TASKS = 5

SPEC: dict[str, Any] = {
    "study": "noop",
    "trial": {
        "stream": {"name": "split", "dataset": "digits", "n_tasks": N_TASKS},
        "method": {"name": "hnet"},
        "target": {"name": "mlp", "hidden": [10]},
        "hypernet": {"name": "chunked", "hidden": [5], "task_embedding": 4, "chunk_embedding": 4, "chunk_size": 50},
    },
    "search": {
        "method.beta_output": {"float": [0.0005, 1.0], "log": True},
        "training.lr": {"float": [0.0001, 0.1], "log": True},
        "hypernet.chunk_size": {"int": [50, 1500], "log": True},
        "hypernet.task_embedding": {"int": [4, 96]},
        "hypernet.chunk_embedding": {"int": [4, 96]},
    },
}


def noop_spec(sampler: str, trials: int, study: str = "noop") -> SweepSpec:
    return SweepSpec.model_validate({**SPEC, "study": study, "sampler": sampler, "budget": {"trials": trials}})


def no_work(job: Job, checkpoints: object = None) -> Iterator[Message]:
    """Yield a step per task and a made-up result at once, in place of sweeps.worker.work."""
    for task in range(N_TASKS):
        yield JobProgress(job.number, 0, task + 1, N_TASKS)
    config = parse_trial(job.config)
    level = job.number * 0.618 % 1
    cells = tuple(tuple(level if on <= after else None for on in range(N_TASKS)) for after in range(N_TASKS))
    result = TrialResult(
        config_hash=config.hash(),
        seed=0,
        measure="accuracy",
        counts=networks(config, stream_shape(config)).counts,
        test=cells,
        validation=cells,
        untrained=(0.5,) * N_TASKS,
        seconds=(0.0,) * N_TASKS,
        peak_memory_mib=0.0,
        device="cpu",
        threads=1,
        data_checksum="0" * 16,
    )
    yield Success((result.to_dict(),))
