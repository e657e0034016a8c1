"""Databases of every earlier schema are upgraded with all they hold."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

from studies.database import open_database as database
from studies.database.open_database import connect
from studies.queries.studies import Studies


def test_a_database_of_the_first_schema_keeps_its_trials_and_runs(tmp_path: Path) -> None:
    path = tmp_path / "first.db"
    first_database(path)
    upgraded = Studies(connect(str(path), create=True))
    [trial] = upgraded.trials("old").to_dict("records")
    assert (trial["n"], trial["model_weights"], trial["target_weights"]) == (1, 50, 100)
    assert trial["final_accuracy"] == pytest.approx(0.85)
    assert (trial["trained_weights"], trial["model_bytes"], trial["weights_per_task"]) == (50, 200, 8)
    assert trial["memory_bytes"] == 0
    assert math.isnan(trial["inference_multiply_adds"])  # not counted then


def first_database(path: Path) -> None:
    """A study with one finished trial, as the first schema stored it."""
    engine = database.make_engine(database.parse_url(str(path)))
    config = database._alembic_config()
    with engine.execution_options(hnet_writes=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        rows = {
            "study": {
                "id": 1, "name": "old", "uuid": "u", "seeds": 1, "created_at": "2026-01-01 00:00:00",
                "driver_seconds": 1.0, "stop_requested": False, "spec": json.dumps(SPEC),
            },
            "launch": {"id": 1, "study_id": 1, "started_at": "2026-01-01 00:00:00"},
            "trial": {
                "study_id": 1, "number": 0, "launch_id": 1, "state": "COMPLETE", "attempt": 1,
                "config": json.dumps({"method": {"name": "hnet"}}), "config_hash": "h", "params": "{}",
                "measure": "accuracy", "target_weights": 100, "model_weights": 50, "hypernet_weights": 50,
                "weights_per_task": 8, "created_at": "2026-01-01 00:00:00", "finished_at": "2026-01-01 00:00:01",
            },
            "run": {
                "id": 1, "study_id": 1, "number": 0, "seed": 0, "attempt": 1, "n_tasks": 2, "seconds": 3.5,
                "peak_memory_mib": 400.0, "device": "cpu", "threads": 1, "data_checksum": "c",
            },
        }  # fmt: skip
        for table, row in rows.items():
            columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({values})"), row)
        for after, on, value in ((1, 1, 0.9), (2, 1, 0.8), (2, 2, 0.9)):
            cell = f"VALUES (1, 'test', {after}, {on}, {value})"
            connection.execute(text(f"INSERT INTO evaluation (run_id, split, after_task, on_task, value) {cell}"))
    engine.dispose()


SPEC = {
    "study": "old",
    "trial": {},
    "search": {},
    "objectives": {"final_accuracy": "maximize", "compression_ratio": "minimize"},
}
