"""A published table becomes a sweep of its trainings: each of them once, those measured already not again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import studies
from hnet_core.errors import ConfigInvalid, DatasetMissing, NotFound
from reports.analysis.reproduction import compare_table
from reports.data.cell_names import choose_names
from reports.data.own_tables import read_own_tables
from reports.data.published_cells import PublishedTable
from reports.data.published_tables import published_table
from studies.queries.studies import Studies
from sweeps.benchmarking import Plan, Selection, describe, make_plan, run_plan
from tests.own_tables import CELLS, CONTENT, write_own_tables
from tests.sweeps.tiny import inline


@pytest.fixture
def table(tmp_path: Path) -> PublishedTable:
    return read_own_tables(write_own_tables(tmp_path)).tables[0]


def plan_and_run(selection: Selection, folder: Path, others: Studies | None = None) -> tuple[Plan, list[str]]:
    """Run a selection in this process; the plan, and the studies that were started or continued."""
    url = str(folder / "hnet.db")
    known = studies.open(url) if (folder / "hnet.db").exists() else None
    plan = make_plan(selection, known, folder)
    return plan, [outcome.study for outcome in run_plan(plan, url, known, folder, backend=inline)]


def trained(folder: Path) -> dict[str, list[tuple[str, int]]]:
    """Number of seeds of every finished training by study."""
    found = studies.open(str(folder / "hnet.db"))
    return {
        name: [(row["params"]["family"], len(row["seeds"])) for row in found.ledger(name) if row["state"] == "COMPLETE"]
        for name in found.names()
    }


def test_cells_of_one_training_share_it(table: PublishedTable, tmp_path: Path) -> None:
    plan, names = plan_and_run(Selection(table, seeds=2), tmp_path)
    assert names == ["mine:t1"]
    assert trained(tmp_path) == {"mine:t1": [("small", 2)]}  # C takes the second way, which A,B needs anyway
    assert {reason for _, reason in plan.left_out} == {"another machine"}
    found = {str(one.cell): one for one in compare_table(table, studies.open(str(tmp_path / "hnet.db")))}
    assert [one.scale for one in found.values()] == ["full", "full", "", "full", "full", ""]
    assert found["A,B, after"].measurement == found["C, after"].measurement
    assert found["C, after"].verdict == "not comparable"
    assert found["C, after"].reason == "erratum: printed as 61.0 elsewhere"


def test_the_default_seeds_are_those_of_the_paper_and_one_at_a_smaller_scale(table: PublishedTable) -> None:
    assert (Selection(table).n_seeds, Selection(table, scale="smoke").n_seeds) == (3, 1)
    assert Selection(table, seeds=5).n_seeds == 5


def test_a_cell_that_another_study_measured_is_taken_from_there(table: PublishedTable, tmp_path: Path) -> None:
    plan_and_run(Selection(table, rows=("A,B",), seeds=2), tmp_path)
    plan, names = plan_and_run(Selection(table, seeds=2), tmp_path)
    assert (plan.trainings, names) == ({}, [])
    assert {trial.study for _, trial in plan.taken} == {"mine:t1:rows=A,B"}
    assert any("Taken from study mine:t1:rows=A,B: A,B, during" in line for line in describe(plan, None))


def test_too_few_seeds_elsewhere_are_not_enough(table: PublishedTable, tmp_path: Path) -> None:
    plan_and_run(Selection(table, rows=("A,B",), seeds=1), tmp_path)
    plan_and_run(Selection(table, seeds=2), tmp_path)
    assert trained(tmp_path) == {"mine:t1:rows=A,B": [("small", 1)], "mine:t1": [("small", 2)]}


def test_more_seeds_continue_the_study(table: PublishedTable, tmp_path: Path) -> None:
    plan_and_run(Selection(table, seeds=1), tmp_path)
    plan_and_run(Selection(table, seeds=3), tmp_path)
    assert trained(tmp_path) == {"mine:t1": [("small", 3)]}
    plan_and_run(Selection(table, seeds=2), tmp_path)  # enough are there
    assert trained(tmp_path) == {"mine:t1": [("small", 3)]}


def test_a_table_of_accuracies_and_errors_becomes_a_study_for_each(tmp_path: Path) -> None:
    regression = {
        "stream": {"name": "polynomials"},
        "method": {"name": "finetune"},
        "target": {"name": "mlp", "hidden": [4]},
        "training": {"iterations": 2, "batch_size": 4},
    }
    content = {
        **CONTENT,
        "configurations": {**CONTENT["configurations"], "curve": {"trial": regression}},  # type: ignore[dict-item]
        "cells": [*CONTENT["cells"], {"table": "t1", "rows": {"D": "curve"}, "metric": "final_mse"}],  # type: ignore[misc]
    }
    cells = CELLS + "t1,D,error,values,0.5,0.5,,none,,\n"
    table = read_own_tables(write_own_tables(tmp_path, content=content, cells=cells)).tables[0]
    _, names = plan_and_run(Selection(table, seeds=1), tmp_path)
    assert names == ["mine:t1", "mine:t1#2"]
    plan, _ = plan_and_run(Selection(table, seeds=2), tmp_path)
    assert trained(tmp_path) == {"mine:t1": [("small", 2)], "mine:t1#2": [("curve", 2)]}
    found = studies.open(str(tmp_path / "hnet.db"))
    assert [found.study(name).objectives for name in names] == [
        {"final_accuracy": "maximize"},
        {"final_mse": "minimize"},
    ]
    assert "2 seeds each (2 of them done)" in next(iter(describe(plan, found)))


def test_another_scale_is_another_study_labelled_reduced(table: PublishedTable, tmp_path: Path) -> None:
    _, names = plan_and_run(Selection(table, scale="smoke"), tmp_path)
    assert names == ["mine:t1:smoke"]
    found = compare_table(table, studies.open(str(tmp_path / "hnet.db")))
    assert {one.scale for one in found if one.cell.measured_by} == {"reduced"}
    assert {one.verdict for one in found} == {"not comparable"}
    assert "training.iterations 2 instead of 4" in found[0].reason
    plan_and_run(Selection(table, seeds=1), tmp_path)
    assert trained(tmp_path)["mine:t1"] == [("small", 1)]


@pytest.mark.slow
def test_trainings_wanted_later_get_a_further_study(tmp_path: Path) -> None:
    first = {**CONTENT, "cells": [{**CONTENT["cells"][0], "rows": {"A,B": "small"}}, CONTENT["cells"][1]]}  # type: ignore[index, dict-item]
    without_c = "\n".join(line for line in CELLS.splitlines() if not line.startswith("t1,C"))
    earlier = read_own_tables(write_own_tables(tmp_path, content=first, cells=without_c)).tables[0]
    plan_and_run(Selection(earlier, seeds=1), tmp_path)
    later = {**CONTENT, "cells": [{**CONTENT["cells"][0], "rows": {"A,B": "small", "C": "strong"}}]}  # type: ignore[index, dict-item]
    table = read_own_tables(write_own_tables(tmp_path, content=later)).tables[0]
    _, names = plan_and_run(Selection(table, seeds=1), tmp_path)
    assert names == ["mine:t1", "mine:t1#2"]
    assert trained(tmp_path) == {"mine:t1": [("small", 1)], "mine:t1#2": [("strong", 1)]}


@given(st.lists(st.sampled_from(["A", "B", "A,B", "C,A", "P10-100,100"]), min_size=1, unique=True))
def test_names_with_commas_are_found_whole(wanted: Sequence[str]) -> None:
    known = ["A", "P10-100,100", "B", "A,B", "C,A"]
    found = choose_names(",".join(wanted), known, "--rows")
    assert found is not None
    assert set(",".join(found).split(",")) == set(",".join(wanted).split(","))
    if "A" not in wanted:
        assert set(found) == set(wanted)


def test_an_unknown_name_is_an_error_with_the_known_ones(table: PublishedTable) -> None:
    with pytest.raises(NotFound, match=r"--rows: unknown name 'D'; known: A,B, C\.") as caught:
        choose_names("C,D", table.rows, "--rows")
    assert caught.value.exit_code == 3


def test_a_selection_that_nothing_measures_is_an_error_and_writes_nothing(
    table: PublishedTable, tmp_path: Path
) -> None:
    with pytest.raises(ConfigInvalid, match="none of the 2 cells chosen can be measured here: another machine"):
        plan_and_run(Selection(table, columns=("time",)), tmp_path)
    assert not (tmp_path / "hnet.db").exists()


def test_missing_data_are_an_error_that_names_the_cells_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("no network")

    monkeypatch.setattr("torchvision.datasets.MNIST.download", no_network)
    table = published_table("vonoswald2020:table3")
    selection = Selection(table, rows=("S-CL1",), columns=("HNET+TIR after",), scale="smoke")
    with pytest.raises(DatasetMissing, match=r"--data or HNET_DATA.*needed for S-CL1, HNET\+TIR after") as caught:
        plan_and_run(selection, tmp_path)
    assert caught.value.exit_code == 3
    assert not (tmp_path / "hnet.db").exists()


def test_a_long_selection_still_has_a_study_name_of_its_own(table: PublishedTable) -> None:
    rows = tuple(f"row {number:03d}" for number in range(60))
    names = {Selection(table, rows=chosen).study for chosen in (rows, rows[1:], rows[:-1])}
    assert len(names) == 3
    assert all(len(name) <= 196 for name in names)


@pytest.mark.slow
def test_a_run_killed_twice_and_started_again_trains_the_seeds_of_every_cell_once(tmp_path: Path) -> None:
    content: dict[str, Any] = {**CONTENT, "cells": [dict(entry) for entry in CONTENT["cells"]]}  # type: ignore[call-overload]
    content["cells"][0]["rows"] = {"A,B": "small", "C": "strong"}
    write_own_tables(tmp_path, content=content)
    hnet(tmp_path, "add", "mine.yaml")
    for trap in ("after_row:2", f"after_checkpoint:2:{tmp_path / 'killed'}"):
        killed = hnet(tmp_path, "run", "mine:t1", "--workers", "2", HNET_CRASH_AT=trap)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    done = hnet(tmp_path, "run", "mine:t1", "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert trained(tmp_path) == {"mine:t1": [("small", 3), ("strong", 3)]}
    runs = studies.open(str(tmp_path / "hnet.db")).runs("mine:t1")
    assert sorted(zip(runs["number"], runs["seed"], strict=True)) == [(n, s) for n in range(2) for s in range(3)]
    again = hnet(tmp_path, "run", "mine:t1", "--workers", "2")
    assert "2 trials wanted, 2 done" in again.stderr


def hnet(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`hnet benchmark` in a process of its own, which a worker can kill."""
    command = [sys.executable, "-m", "sweeps", "benchmark", *arguments, "--db", "hnet.db"]
    return subprocess.run(
        ["sh", "-c", 'HNET_CRASH_PID=$$ exec "$@"', "sh", *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
        capture_output=True,
        text=True,
        timeout=400,
    )
