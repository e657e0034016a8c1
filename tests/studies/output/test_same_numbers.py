"""Every command and report shows the same mean, interval and number of seeds of a metric."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, update
from typer.testing import CliRunner

from studies.database.schema import trial_summary
from studies.metrics.definitions import METRICS, VARYING
from studies.queries.studies import Studies
from studies.statistics.interval import Interval
from studies.statistics.intervals import bounded
from studies.store.store import Store
from sweeps.cli import app
from tests.studies.sample import PROVENANCE, describe, sample_result
from tests.studies.store.test_store import PARAMS

END = ("mean", "low", "high", "n")
N_TRIALS, SEEDS, N_TASKS = 3, 4, 3


def accuracies(number: int, seed: int) -> tuple[tuple[float | None, ...], ...]:
    """Values near 1 whose intervals would leave [0, 1]; one seed of trial 1 lacks its last value."""
    final = 0.999 - 0.004 * ((seed + number) % 3) - 0.01 * number
    row: tuple[float | None, ...] = (final, final, None if number == 1 and seed == 3 else final)
    return ((0.999, None, None), (0.998, 0.99, None), row)


@pytest.fixture
def db(sqlite_engine: Engine) -> str:
    store = Store(sqlite_engine)
    objectives = {"final_accuracy": "maximize", "compression_ratio": "minimize"}
    for name, offset in (("s", 0), ("other", 10)):
        study_id = store.create_study(name, {"objectives": objectives}, SEEDS)
        launch_id = store.record_launch(study_id, PROVENANCE)
        for number in range(N_TRIALS):
            suggested = describe(PARAMS | {"hypernet.chunk_size": 300 + offset + 100 * number}, N_TASKS)
            store.start_trial(study_id, number, suggested, launch_id=launch_id, attempt=1)
            runs = [
                dataclasses.replace(
                    sample_result(PARAMS, N_TASKS, seed),
                    test=accuracies(number, seed), validation=None, config_hash=suggested.config_hash,
                    counts=suggested.counts, seconds=(0.1, 5.0 * seed, 0.1),
                )
                for seed in range(SEEDS)
            ]  # fmt: skip
            store.complete_trial(study_id, number, 1, runs)
    return str(sqlite_engine.url.database)


def hnet(*arguments: str, db: str) -> str:
    result = CliRunner().invoke(app, [*arguments, "--db", db])
    assert result.exit_code == 0, result.output
    return result.stdout


def close(values: dict[str, Any]) -> Any:
    return {key: value if value is None else pytest.approx(value, rel=1e-9, abs=1e-12) for key, value in values.items()}


def of_row(row: dict[str, Any], metric: str) -> dict[str, Any]:
    """One metric of a row of a CSV of a command."""
    cells = [row[metric], *(row[f"{metric}.{end}"] for end in END[1:])]
    return {end: float(cell) if cell else None for end, cell in zip(END, cells, strict=True)}


@pytest.mark.slow
def test_every_command_and_report_shows_the_same_numbers(db: str, tmp_path: Path) -> None:
    trials = {row["number"]: row for row in json.loads(hnet("study", "trials", "s", "--format", "json", db=db))["rows"]}
    assert trials[1]["final_accuracy"]["n"] == SEEDS - 1, "one seed has no value"
    assert trials[1]["during_accuracy"]["n"] == SEEDS - 1
    assert trials[1]["seconds"]["n"] == SEEDS
    assert trials[0]["final_accuracy"]["high"] == 1.0
    assert trials[0]["seconds"]["low"] == 0.0
    of_csv = list(csv.DictReader(hnet("study", "trials", "s", "--format", "csv", db=db).splitlines()))
    front = json.loads(hnet("study", "front", "s", "--format", "json", db=db))["rows"]
    pooled = json.loads(hnet("study", "configurations", "--format", "json", db=db))["rows"]
    by_hash = {row["config_hash"]: row for row in pooled}
    assert len(front) >= 1
    for metric in VARYING:
        for number, row in trials.items():
            assert of_row(of_csv[number], metric) == close(row[metric]), metric
            assert by_hash[row["config_hash"]][metric] == close(row[metric]), metric
            assert json.loads(hnet("study", "show", "s", str(number), "--format", "json", db=db))[metric] == row[metric]
        for row in front:
            assert row[metric] == trials[row["number"]][metric]
    best = json.loads(hnet("study", "show", "s", "--format", "json", db=db))["best"]["final_accuracy"]
    assert best["value"] == trials[best["number"]]["final_accuracy"]
    for metric in ("final_accuracy", "forgetting", "seconds"):
        options = ("--metric", metric, "--format", "json")
        (pair,) = json.loads(hnet("study", "compare", "s:0", "other:2", *options, db=db))["rows"]
        assert pair["mean_a"] == close(trials[0][metric]), metric
        hnet("report", "compare", "s:0", "other:2", "--metric", metric, "-o", str(tmp_path / metric), db=db)
        (reported,) = json.loads((tmp_path / metric / "report.json").read_text())["verdicts"]
        assert reported["verdict"] == pair["verdict"]
        shown = [reported["difference"], reported["difference.low"], reported["difference.high"], reported["n"]]
        assert shown == [pytest.approx(pair["difference"][end]) for end in END]
    hnet("report", "tradeoff", "s", "-o", str(tmp_path / "tradeoff"), db=db)
    for table in ("tradeoff.csv", "front.csv"):
        listed = list(csv.DictReader((tmp_path / "tradeoff" / table).read_text().splitlines()))
        assert listed
        for row in listed:
            for metric in ("final_accuracy", "during_accuracy"):
                expected = trials[int(row["number"])][metric]
                shown = [float(row[column]) for column in (metric, f"{metric}.low", f"{metric}.high")]
                assert shown == [pytest.approx(expected[end]) for end in END[:3]]


def test_the_bounds_in_sql_are_those_in_python(sqlite_engine: Engine, db: str) -> None:
    for low, high in ((-0.5, 1.5), (0.3, 0.9), (0.5, 0.5 + 1e-15), (-2.0, -1.5), (0.5, None), (None, None)):
        for metric in VARYING:
            values = {metric: 0.5, f"{metric}_low": low, f"{metric}_high": high}
            with sqlite_engine.begin() as connection:
                connection.execute(update(trial_summary).values(values))
            found = Studies(sqlite_engine).trial_rows("s", limit=1, columns=[metric, f"{metric}.low", f"{metric}.high"])
            expected = bounded(metric, Interval(0.5, low, high, 3))
            assert list(found.values[0]) == [0.5, expected.low, expected.high], (metric, low, high)
    assert set(VARYING) <= set(METRICS)
