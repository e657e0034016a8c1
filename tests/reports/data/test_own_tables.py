"""A paper of one's own is checked with file and line, and joins the tables that come with hnet."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hnet_core.errors import ConfigInvalid, NotFound
from reports.analysis.measurability import is_measurable, unexplained
from reports.data.own_tables import read_own_tables
from reports.data.published_tables import published_table, published_tables
from studies.database.open_database import connect
from studies.queries.studies import Studies
from studies.store.benchmarks import keep_benchmark, remove_benchmark
from tests.own_tables import CELLS, CONTENT, HEAD, write_own_tables


def test_a_paper_becomes_tables_with_inherited_configurations(tmp_path: Path) -> None:
    (table,) = read_own_tables(write_own_tables(tmp_path)).tables
    assert (table.name, table.rows, table.columns) == ("mine:t1", ("A,B", "C"), ("during", "after", "time"))
    small, strong = (next(cell for cell in table.cells if cell.row == row).measured_by[0] for row in ("A,B", "C"))
    assert small.metric == "during_accuracy"
    assert strong.configuration.note == "With a strong regulariser."
    assert strong.configuration.blocks["smoke"]["training"] == {"iterations": 2, "batch_size": 16}
    assert [is_measurable(cell) for cell in table.cells] == [True, True, False, True, True, False]
    assert [unexplained(cell) for cell in table.cells] == [None] * 6


def spelt_wrong(content: Any) -> None:
    content["configurations"]["strong"]["lik"] = content["configurations"]["strong"].pop("like")


def unknown_parent(content: Any) -> None:
    content["configurations"]["strong"]["like"] = "smal"


def circle(content: Any) -> None:
    content["configurations"]["small"]["like"] = "strong"


def unknown_row(content: Any) -> None:
    content["cells"][0]["rows"]["D"] = "small"


def unknown_configuration(content: Any) -> None:
    content["cells"][0]["rows"]["C"] = "stronk"


def claimed_twice(content: Any) -> None:
    content["cells"].append({"table": "t1", "columns": ["after"], "reason": "again"})


def reason_and_rows(content: Any) -> None:
    content["cells"][0]["reason"] = "and a reason"


def unknown_table(content: Any) -> None:
    content["cells"][1]["table"] = "t2"


def unknown_setting(content: Any) -> None:
    content["configurations"]["small"]["trial"]["method"]["beta_outputt"] = 1.0


def unknown_setting_of_a_scale(content: Any) -> None:
    content["configurations"]["small"]["smoke"]["training"]["iteration"] = 1


def unknown_metric(content: Any) -> None:
    content["cells"][0]["columns"]["after"] = "final_accurcy"


def unknown_metric_of_a_row(content: Any) -> None:
    content["cells"][0]["rows"]["C"] = ["strong", {"small": "during_accuracy[x]"}]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (unknown_setting, r"mine\.yaml:\d+: configurations\.small: method\.beta_outputt: unknown key .*did you mean"),
        (unknown_setting_of_a_scale, r"mine\.yaml:\d+: configurations\.small: training\.iteration: unknown key"),
        (unknown_metric, r"mine\.yaml:\d+: cells\.0\.columns\.after: unknown metric .*did you mean 'final_accuracy'"),
        (unknown_metric_of_a_row, r"mine\.yaml:\d+: cells\.0\.rows\.C: unknown metric 'during_accuracy\[x\]'"),
        (spelt_wrong, r"mine\.yaml:\d+: configurations\.strong\.lik: unknown key 'lik'; did you mean 'like'"),
        (unknown_parent, r"mine\.yaml:\d+: configurations\.strong\.like: unknown configuration 'smal'; did you mean"),
        (circle, r"mine\.yaml:\d+: configurations\.\w+\.like: must not lead back to itself"),
        (unknown_row, r"mine\.yaml:\d+: cells\.0\.rows\.D: unknown name 'D'; known: A,B, C"),
        (unknown_configuration, r"mine\.yaml:\d+: cells\.0\.rows\.C: unknown configuration 'stronk'; did you mean"),
        (claimed_twice, r"mine\.yaml:\d+: cells\.2: A,B, after of t1 is there already"),
        (reason_and_rows, r"mine\.yaml:\d+: cells\.0: must have either a reason, or rows"),
        (unknown_table, r"mine\.yaml:\d+: cells\.1\.table: unknown table 't2'; known: t1"),
    ],
)
def test_a_wrong_yaml_file_is_refused_with_its_line(
    change: Callable[[Any], None], message: str, tmp_path: Path
) -> None:
    content = copy.deepcopy(CONTENT)
    change(content)
    with pytest.raises(ConfigInvalid, match=message) as caught:
        read_own_tables(write_own_tables(tmp_path, content=content))
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (CELLS.replace("spread_kind", "kind"), r"mine\.csv:1: must have the columns .*lacks spread_kind"),
        (CELLS.replace("40.0,1.0,sem", "forty,1.0,sem"), r"mine\.csv:3: value: must be a number or empty, got 'forty'"),
        (CELLS.replace("40.0,1.0,sem", "nan,1.0,sem"), r"mine\.csv:3: value: must be a number or empty, got 'nan'"),
        (CELLS.replace("40.0,1.0,sem", "40.0,-1.0,sem"), r"mine\.csv:3: spread: must be a number above 0 or empty"),
        (CELLS.replace("1.0,sem,3", "1.0,sem,0"), r"mine\.csv:2: n: must be a number above 0 or empty, got '0'"),
        (CELLS.replace("40.0,1.0,sem", "4.0,1.0,sem"), r"mine\.csv:3: text: must hold the value 4.0 as printed"),
        (CELLS.replace(",sem,", ",semi,"), r"mine\.csv:2: spread_kind: must be one of sem, std, unknown, none"),
        (CELLS.replace("7,7,,none", "7,7,,sem"), r"mine\.csv:4: spread_kind: must be none exactly where"),
        (CELLS + CELLS.splitlines()[1] + "\n", r"mine\.csv:8: each cell must be there once"),
        (CELLS + "t2,A,b,percent,1,1,,none,,\n", r"mine\.csv:8: table: unknown table 't2'"),
        (CELLS + "t1,A,b,percent\n", r"mine\.csv:8: must have a value for each column"),
    ],
)
def test_a_wrong_csv_file_is_refused_with_its_line(cells: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match=message):
        read_own_tables(write_own_tables(tmp_path, cells=cells))


def test_a_missing_csv_file_is_not_found(tmp_path: Path) -> None:
    file = write_own_tables(tmp_path)
    file.with_suffix(".csv").unlink()
    with pytest.raises(NotFound, match=r"mine\.csv: no such file"):
        read_own_tables(file)


@pytest.mark.parametrize("name", ["vonoswald2020", "mine:too", "-mine"])
def test_a_name_of_hnet_or_no_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="name"):
        read_own_tables(write_own_tables(tmp_path, name))


def test_a_wrong_setting_is_placed_at_its_line(tmp_path: Path) -> None:
    content = copy.deepcopy(CONTENT)
    unknown_setting(content)
    file = write_own_tables(tmp_path, content=content)
    (line,) = [n for n, text in enumerate(file.read_text().splitlines(), 1) if "beta_outputt" in text]
    with pytest.raises(ConfigInvalid, match=f"mine.yaml:{line}: "):
        read_own_tables(file)


def test_a_component_that_is_not_installed_is_no_error(tmp_path: Path) -> None:
    content: Any = copy.deepcopy(CONTENT)
    content["configurations"]["small"]["trial"]["method"] = {"name": "of_a_plug_in", "strength": 1}
    (table,) = read_own_tables(write_own_tables(tmp_path, content=content)).tables
    assert "unknown method 'of_a_plug_in'" in str(unexplained(table.cells[0]))


def test_a_cell_without_an_entry_is_unexplained(tmp_path: Path) -> None:
    cells = f"{HEAD}\nt1,A,other,percent,1.0,1.0,,none,,\n"
    (table,) = read_own_tables(write_own_tables(tmp_path, content={**CONTENT, "cells": []}, cells=cells)).tables
    assert unexplained(table.cells[0]) == "no configuration is defined that reproduces it"


def test_kept_tables_are_found_beside_those_of_hnet(tmp_path: Path) -> None:
    engine = connect(str(tmp_path / "hnet.db"), create=True)
    own = read_own_tables(write_own_tables(tmp_path))
    assert keep_benchmark(engine, own.name, own.content, own.cells)
    assert not keep_benchmark(engine, own.name, own.content, own.cells)
    with pytest.raises(ConfigInvalid, match="--replace"):
        keep_benchmark(engine, own.name, own.content, own.cells + "\n")
    assert keep_benchmark(engine, own.name, own.content, own.cells + "\n", replace=True)
    studies = Studies(engine)
    assert published_table("mine:t1", studies).caption == "Accuracy on digits, in percent"
    assert [table.name for table in published_tables(studies)][-1] == "mine:t1"
    with pytest.raises(NotFound, match="no tables of 'min' were added to this database; did you mean 'mine'"):
        remove_benchmark(engine, "min")
    remove_benchmark(engine, "mine")
    assert "mine:t1" not in [table.name for table in published_tables(studies)]
