"""A database with one large study of made-up results, to measure the cost of queries.

    python -m perf.make_db --trials 100000 --db large.db

Compression costs accuracy and a small beta_output forgets, with noise between seeds; the same arguments give the same
numbers. Written in bulk, since one transaction per trial, as a driver writes, would take hours.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, insert, select, text

from studies.database.open_database import connect
from studies.database.schema import COMPLETE, evaluation, run, task_time, trial
from studies.database.stored_metrics import TrialRange, add_summaries
from studies.store.store import Store

EMBEDDINGS = np.array([8, 12, 24, 36, 62, 96, 128])
TARGET_WEIGHTS = 478_410  # 784-400-400-10, as for split MNIST
WINDOW = 1000
MOMENT = datetime(2026, 11, 21, tzinfo=UTC)


def make_study(url: str, n_trials: int, n_seeds: int = 5, n_tasks: int = 5, name: str = "large") -> None:
    """Add a study of `n_trials` x `n_seeds` runs with a full matrix of `n_tasks` x `n_tasks` test accuracies each."""
    engine = connect(url, create=True)
    store = Store(engine)
    study_id = store.create_study(name, _spec(name, n_trials, n_seeds, n_tasks), n_seeds)
    launch_id = store.record_launch(study_id, {"command_line": "python -m perf.make_db", "host": "made up"})
    rng = np.random.default_rng(0)
    with engine.connect() as connection:
        next_run = int(connection.scalar(select(func.coalesce(func.max(run.c.id), 0))) or 0) + 1
    for first in range(0, n_trials, WINDOW):
        numbers = range(first, min(first + WINDOW, n_trials))
        with engine.execution_options(hnet_writes=True).begin() as connection:
            _insert(connection, study_id, launch_id, numbers, n_seeds, n_tasks, next_run, rng)
            add_summaries(connection, TrialRange(study_id, numbers[0], numbers[-1]))
        next_run += len(numbers) * n_seeds
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(text("SELECT setval('run_id_seq', (SELECT max(id) FROM run))"))
    engine.dispose()


def _insert(
    connection: Connection,
    study_id: int,
    launch_id: int,
    numbers: range,
    n_seeds: int,
    n_tasks: int,
    next_run: int,
    rng: np.random.Generator,
) -> None:
    n_trials, n_runs = len(numbers), len(numbers) * n_seeds
    params = _params(n_trials, rng)
    weights = _weights(params)
    key = {"study_id": study_id}
    rows = [key | {"number": number, "launch_id": launch_id} | row for number, row in zip(
        numbers, _trial_rows(params, weights, n_tasks), strict=True
    )]  # fmt: skip
    connection.execute(insert(trial), rows)
    seconds = rng.uniform(1.5, 2.5, (n_runs, n_tasks))
    run_ids = range(next_run, next_run + n_runs)
    costs = {"peak_memory_mib": 400.0, "device": "cpu", "threads": 1, "data_checksum": "0" * 16}
    connection.execute(
        insert(run),
        [
            key | {
                "id": run_id, "number": numbers[i // n_seeds], "seed": i % n_seeds, "attempt": 1, "n_tasks": n_tasks,
                "seconds": float(seconds[i].sum()), **costs,
            }
            for i, run_id in enumerate(run_ids)
        ],
    )  # fmt: skip
    accuracy = _accuracies(params["method.beta_output"], weights, n_seeds, n_tasks, rng)
    connection.execute(insert(evaluation), list(_cells(run_ids, accuracy)))
    connection.execute(
        insert(task_time),
        [
            {"run_id": run_id, "task": task + 1, "seconds": float(seconds[i, task])}
            for i, run_id in enumerate(run_ids)
            for task in range(n_tasks)
        ],
    )


def _params(n: int, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    return {
        "method.beta_output": 10 ** rng.uniform(-3.3, 0, n),
        "hypernet.task_embedding": rng.choice(EMBEDDINGS, n),
        "hypernet.chunk_embedding": rng.choice(EMBEDDINGS, n),
        "hypernet.chunk_size": np.round(10 ** rng.uniform(2, 5, n)).astype(int),
    }


def _weights(params: dict[str, NDArray[Any]]) -> NDArray[np.int_]:
    """Count the weights of a chunked hypernetwork with two hidden layers of 10, (n_trials,)."""
    size, chunk = params["hypernet.chunk_size"], params["hypernet.chunk_embedding"]
    task = params["hypernet.task_embedding"]
    counts: NDArray[np.int_] = (task + chunk) * 10 + 120 + 11 * size + -(-TARGET_WEIGHTS // size) * chunk + 5 * task
    return counts


def _accuracies(
    beta: NDArray[np.float64], weights: NDArray[np.int_], n_seeds: int, n_tasks: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw accuracies (n_trials * n_seeds, n_tasks after, n_tasks on); tasks not trained yet are at chance."""
    learnt = 0.99 - 0.06 * np.clip(-np.log10(weights / TARGET_WEIGHTS), 0, None) ** 1.5
    of_run = np.repeat(learnt, n_seeds) + 0.004 * rng.standard_normal(len(beta) * n_seeds)
    lost = np.repeat(0.05 * np.exp(-beta / 0.004), n_seeds)
    after, on = np.indices((n_tasks, n_tasks))
    clean = of_run[:, None, None] - 0.003 * on - lost[:, None, None] * (after - on)
    noisy = np.where(on <= after, clean, 0.5) + 0.003 * rng.standard_normal((len(of_run), n_tasks, n_tasks))
    return np.clip(noisy, 0, 1)


def _cells(run_ids: range, accuracy: NDArray[np.float64]) -> Iterator[dict[str, Any]]:
    for run_id, matrix in zip(run_ids, accuracy.tolist(), strict=True):
        for after, row in enumerate(matrix, start=1):
            for on, value in enumerate(row, start=1):
                yield {"run_id": run_id, "split": "test", "after_task": after, "on_task": on, "value": value}


def _trial_rows(params: dict[str, NDArray[Any]], weights: NDArray[np.int_], n_tasks: int) -> Iterator[dict[str, Any]]:
    for i, count in enumerate(weights.tolist()):
        values = {name: column[i].item() for name, column in params.items()}
        config = _config(values, n_tasks)
        yield {
            "state": COMPLETE,
            "attempt": 1,
            "config": config,
            "config_hash": hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:16],
            "params": values,
            "measure": "accuracy",
            "target_weights": TARGET_WEIGHTS,
            "model_weights": count,
            "hypernet_weights": count,
            "weights_per_task": values["hypernet.task_embedding"],
            "created_at": MOMENT,
            "finished_at": MOMENT,
        }


def _config(values: dict[str, Any], n_tasks: int) -> dict[str, Any]:
    config: dict[str, dict[str, Any]] = {
        "stream": {"name": "split", "dataset": "mnist", "n_tasks": n_tasks},
        "method": {"name": "hnet", "beta_output": 0.01},
        "target": {"name": "mlp", "hidden": [400, 400]},
        "hypernet": {"name": "chunked", "hidden": [10, 10], "activation": "relu"},
        "training": {"iterations": 2000, "batch_size": 128, "lr": 0.001, "device": "cpu", "threads": 1},
    }
    for dotted, value in values.items():
        block, key = dotted.split(".")
        config[block][key] = value
    return {**config, "scenario": "task"}


def _spec(name: str, n_trials: int, n_seeds: int, n_tasks: int) -> dict[str, Any]:
    return {
        "study": name,
        "trial": _config({}, n_tasks),
        "search": {
            "method.beta_output": {"float": [0.0005, 1.0], "log": True},
            "hypernet.task_embedding": {"choice": EMBEDDINGS.tolist()},
            "hypernet.chunk_embedding": {"choice": EMBEDDINGS.tolist()},
            "hypernet.chunk_size": {"int": [100, 100_000], "log": True},
        },
        "objectives": {"final_accuracy": "maximize", "compression_ratio": "minimize"},
        "constraints": {},
        "seeds": n_seeds,
        "sampler": "random",
        "budget": {"trials": n_trials},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100_000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--tasks", type=int, default=5)
    parser.add_argument("--study", default="large")
    parser.add_argument("--db", required=True)
    arguments = parser.parse_args()
    start = time.perf_counter()
    make_study(arguments.db, arguments.trials, arguments.seeds, arguments.tasks, arguments.study)
    print(f"{arguments.trials} trials in {time.perf_counter() - start:.0f} s")
