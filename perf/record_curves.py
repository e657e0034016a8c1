"""Recorded learning curves of real training runs on permuted digits, for experiments with early stopping.

python -m perf.record_curves --runs 200
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import Any

import numpy as np

from hnet_core.config_validation import parse_trial
from hnet_core.training import run_trial

FILE = Path(__file__).parent / "curves" / "permuted_digits.npz"

TRIAL: dict[str, Any] = {
    "stream": {"name": "permuted", "dataset": "digits", "n_tasks": 10},
    "target": {"name": "mlp", "hidden": [100, 100]},
}


def configuration(draw: random.Random) -> dict[str, Any]:
    """Draw a trial block from the quickstart's search space, the learning rate included."""
    sizes = [8, 12, 24, 36, 62, 96, 128]
    return {
        **TRIAL,
        "method": {"name": "hnet", "beta_output": 10 ** draw.uniform(-3.3, 0.0)},
        "hypernet": {
            "name": "chunked",
            "hidden": [10, 10],
            "activation": "relu",
            "task_embedding": draw.choice(sizes),
            "chunk_embedding": draw.choice(sizes),
            "chunk_size": round(10 ** draw.uniform(1.7, 3.2)),
        },
        "training": {"iterations": 120, "batch_size": 32, "lr": 10 ** draw.uniform(-3.5, -1.3)},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--output", type=Path, default=FILE)
    arguments = parser.parse_args()
    draw = random.Random(0)
    columns: dict[str, list[Any]] = {name: [] for name in ("ratio", "test", "validation", "seconds", "parameters")}
    for number in range(arguments.runs):
        block = configuration(draw)
        result = run_trial(parse_trial(block), seed=0)
        columns["ratio"].append(result.counts.compression_ratio)
        columns["test"].append(result.test)
        columns["validation"].append(result.validation)
        columns["seconds"].append(result.seconds)
        searched = {**block["method"], **block["hypernet"], **block["training"]}
        names = ("beta_output", "task_embedding", "chunk_embedding", "chunk_size", "lr")
        columns["parameters"].append([searched[name] for name in names])
        print(f"{number + 1}/{arguments.runs}", flush=True)
    arguments.output.parent.mkdir(exist_ok=True)
    arrays: dict[str, Any] = {name: np.array(values, dtype=np.float32) for name, values in columns.items()}
    np.savez_compressed(arguments.output, **arrays)


if __name__ == "__main__":
    main()
