"""A study with made-up but plausible results, written through the real Store, for the tests of readers.

Compression costs accuracy, a small beta_output forgets, seeds differ a little; the same call gives the same study. In
an empty database a further call in a process inserts the rows that the first one wrote, in a tenth of the time.
"""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from itertools import pairwise
from typing import Any

import numpy as np
from sqlalchemy import Engine, Table, func, insert, select, text

from hnet_core.trial import TrialResult, WeightCounts
from studies.database.schema import metadata, study
from studies.store.store import Store
from studies.store.suggested_trial import SuggestedTrial

HIDDEN = (100, 100)
IMAGE_SIZE, N_CLASSES = 64, 10
EMBEDDINGS = [8, 12, 24, 36, 62, 96, 128]


def sample_study(
    engine: Engine, n_trials: int = 12, seeds: int = 3, n_tasks: int = 5, name: str = "sample-tradeoff"
) -> str:
    """Fill a study and return its name; of every 12 trials one FAILED, one duplicates another, one is SKIPPED."""
    kind = n_trials, seeds, n_tasks, name
    with engine.connect() as connection:
        is_empty = connection.execute(select(func.count()).select_from(study)).scalar() == 0
    if is_empty and kind in _written:
        rows = _written[kind]
        [one] = rows[study]
        _insert(engine, {**rows, study: [{**one, "uuid": str(uuid.uuid4())}]})
        return name
    _write_study(engine, *kind)
    if is_empty:
        _written[kind] = _rows(engine)
    return name


_written: dict[tuple[int, int, int, str], dict[Table, list[dict[str, Any]]]] = {}


def _rows(engine: Engine) -> dict[Table, list[dict[str, Any]]]:
    with engine.connect() as connection:
        found = {table: connection.execute(select(table)).mappings().all() for table in metadata.sorted_tables}
    return {table: [dict(row) for row in rows] for table, rows in found.items() if rows}


def _insert(engine: Engine, rows: dict[Table, list[dict[str, Any]]]) -> None:
    with engine.execution_options(hnet_writes=True).begin() as connection:
        for table, of_table in rows.items():
            given = [
                name for name in of_table[0] if any(row[name] is not None for row in of_table)
            ]  # None in JSON: null
            connection.execute(insert(table), [{name: row[name] for name in given} for row in of_table])
            if engine.dialect.name == "postgresql" and table.autoincrement_column is not None:
                newest = f"(SELECT max({table.autoincrement_column.name}) FROM {table.name})"
                sequence = f"pg_get_serial_sequence('{table.name}', '{table.autoincrement_column.name}')"
                connection.execute(text(f"SELECT setval({sequence}, {newest})"))


def _write_study(engine: Engine, n_trials: int, seeds: int, n_tasks: int, name: str) -> None:
    store = Store(engine)
    study_id = store.create_study(name, sample_spec(name, n_trials, seeds, n_tasks), seeds)
    launch_id = store.record_launch(study_id, PROVENANCE)
    rng = np.random.default_rng(1)
    trained: list[tuple[int, dict[str, Any]]] = []
    for number in range(n_trials):
        kind = {4: "fail", 7: "skip", 10: "duplicate"}.get(number % 12, "train")
        original, params = trained[1] if kind == "duplicate" else (None, sample_params(rng, huge=kind == "skip"))
        what = describe(params, n_tasks)
        if kind == "skip":
            ratio = sample_counts(params, n_tasks).compression_ratio
            reason = f"infeasible: compression_ratio {ratio:.3f} must be <= 1.0"
            store.skip_trial(study_id, number, what, launch_id=launch_id, reason=reason)
            continue
        store.start_trial(study_id, number, what, launch_id=launch_id, attempt=1, duplicate_of=original)
        if kind == "fail":
            store.fail_trial(study_id, number, 1, "TrainingDiverged: the loss became NaN", "Traceback ...\nline two\n")
        elif kind == "duplicate":
            store.complete_duplicate(study_id, number, 1)
        else:
            runs = [sample_result(params, n_tasks, seed) for seed in range(seeds)]
            store.complete_trial(study_id, number, 1, runs)
            trained.append((number, params))


def sample_spec(name: str, n_trials: int, seeds: int, n_tasks: int) -> dict[str, Any]:
    return {
        "study": name,
        "trial": sample_config({}, n_tasks),
        "search": {
            "method.beta_output": {"float": [0.0005, 1.0], "log": True},
            "hypernet.task_embedding": {"choice": EMBEDDINGS},
            "hypernet.chunk_embedding": {"choice": EMBEDDINGS},
            "hypernet.chunk_size": {"int": [50, 1500], "log": True},
        },
        "objectives": {"final_accuracy": "maximize", "compression_ratio": "minimize"},
        "constraints": {"compression_ratio": "<= 1.0"},
        "seeds": seeds,
        "sampler": "tpe",
        "budget": {"trials": n_trials, "hours": 2.0},
    }


def sample_params(rng: np.random.Generator, huge: bool = False) -> dict[str, Any]:
    """Searched values as the sampler would draw them; `huge` ones break the constraint on the ratio."""
    return {
        "method.beta_output": float(10 ** rng.uniform(math.log10(0.0005), 0)),
        "hypernet.task_embedding": int(rng.choice(EMBEDDINGS)),
        "hypernet.chunk_embedding": 128 if huge else int(rng.choice(EMBEDDINGS[:4])),
        "hypernet.chunk_size": 60 if huge else int(10 ** rng.uniform(math.log10(120), math.log10(1300))),
    }


def sample_config(params: dict[str, Any], n_tasks: int) -> dict[str, Any]:
    """The configuration as TrialConfig.model_dump gives it, with the searched values in place."""
    config: dict[str, Any] = {
        "stream": {"name": "permuted", "dataset": "digits", "n_tasks": n_tasks},
        "scenario": "task",
        "method": {"name": "hnet", "beta_output": 0.01},
        "target": {"name": "mlp", "hidden": list(HIDDEN)},
        "hypernet": {
            "name": "chunked",
            "hidden": [10, 10],
            "activation": "relu",
            "task_embedding": 24,
            "chunk_embedding": 8,
            "chunk_size": 500,
        },
        "training": {"iterations": 300, "batch_size": 32, "lr": 0.001, "device": "cpu", "threads": 1},
    }
    for dotted, value in params.items():
        block, key = dotted.split(".")
        config[block][key] = value
    return config


def describe(params: dict[str, Any], n_tasks: int, measure: str = "accuracy") -> SuggestedTrial:
    """Return a suggested trial with these parameters."""
    config = sample_config(params, n_tasks)
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:16]
    return SuggestedTrial(config, digest, params, measure, sample_counts(params, n_tasks))


def sample_counts(params: dict[str, Any], n_tasks: int) -> WeightCounts:
    """Weights of a chunked hypernetwork with two hidden layers of 10, counted as the real one is."""
    layers = (IMAGE_SIZE, *HIDDEN, N_CLASSES)
    target = sum(n * m + m for n, m in pairwise(layers))
    chunk_size = params["hypernet.chunk_size"]
    task_embedding, chunk_embedding = params["hypernet.task_embedding"], params["hypernet.chunk_embedding"]
    hidden = (task_embedding + chunk_embedding) * 10 + 10 + 110
    chunks = math.ceil(target / chunk_size) * chunk_embedding
    hypernet = hidden + 11 * chunk_size + chunks + n_tasks * task_embedding
    return WeightCounts(
        target=target,
        model=hypernet,
        hypernet=hypernet,
        per_task=task_embedding,
        trained=hypernet,
        mask_bits=9,
        memory_bytes=100,
        inference=target,
        generation=hypernet,
    )


def sample_result(params: dict[str, Any], n_tasks: int, seed: int, measure: str = "accuracy") -> TrialResult:
    """One run: later tasks are learnt a little worse, and forgotten the faster the smaller beta_output is."""
    what = describe(params, n_tasks, measure)
    rng = np.random.default_rng([seed, int(what.config_hash, 16)])
    ratio = what.counts.compression_ratio
    learnt = 0.99 - 0.06 * max(0.0, -math.log10(ratio)) ** 1.5 + 0.004 * rng.standard_normal()
    lost_per_task = 0.05 * math.exp(-params["method.beta_output"] / 0.004)
    test: list[tuple[float | None, ...]] = []
    validation: list[tuple[float | None, ...]] = []
    for after in range(n_tasks):
        clean = [learnt - 0.003 * task - lost_per_task * (after - task) for task in range(after + 1)]
        nothing = (None,) * (n_tasks - after - 1)
        test.append((*_noisy(clean, rng, measure), *nothing))
        validation.append((*_noisy(clean, rng, measure), *nothing))
    return TrialResult(
        config_hash=what.config_hash,
        seed=seed,
        measure=measure,  # type: ignore[arg-type]
        counts=what.counts,
        test=tuple(test),
        validation=tuple(validation),
        untrained=tuple(_noisy([1 / N_CLASSES] * n_tasks, rng, measure)),
        seconds=tuple(float(s) for s in rng.uniform(1.5, 2.5, n_tasks)),
        peak_memory_mib=float(380 + 20 * rng.random()),
        device="cpu",
        threads=1,
        data_checksum="0123456789abcdef",
    )


def _noisy(accuracies: list[float], rng: np.random.Generator, measure: str) -> list[float]:
    noisy = [min(1.0, max(0.0, value + 0.003 * float(rng.standard_normal()))) for value in accuracies]
    return noisy if measure == "accuracy" else [1.0 - value for value in noisy]


PROVENANCE: dict[str, Any] = {
    "git_commit": "1" * 40,
    "git_dirty": False,
    "packages": {"torch": "2.15.0", "optuna": "5.0.0", "ray": "2.60.0"},
    "host": "sample-host",
    "device": "cpu",
    "threads": 1,
    "data_checksum": "0123456789abcdef",
    "command_line": "hnet sweep run sample.yaml",
    "spec_text": "study: sample-tradeoff\n# made up for tests\n",
}
