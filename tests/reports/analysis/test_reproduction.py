"""A published number agrees or differs by a test, and gets no verdict where no test is valid."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import t

from reports.analysis.reproduction import compare_table, headline, judge_cell
from reports.data.published_tables import Configuration, PublishedCell, PublishedTable
from tests.reports.cases import fill, new_engine, open_in, some_params, some_runs

CELL = PublishedCell("S-CL1", "HNET", "percent", "99.79 ± 0.01", 99.79, 0.01, "sem", 20, "", None, None)
SETTINGS = {"stream.name": "permuted", "target.hidden": [100, 100], "hypernet.chunk_size": 500}


def cell_for(**changes: Any) -> PublishedCell:
    parameters = {**SETTINGS, "method.beta_output": 0.5}
    base = Configuration("note", parameters, {"training.iterations": 300}, {})
    configuration = replace(base, **changes)
    return replace(CELL, configuration=configuration, metric="final_accuracy")


def params(number: int) -> dict[str, Any]:
    return {**some_params(number), "method.beta_output": 0.5, "hypernet.chunk_size": 500}


def test_the_standard_error_combines_seeds_print_and_rounding() -> None:
    values = [99.7, 99.8, 99.9, 99.75, 99.85]
    verdict, reason, found = judge_cell(CELL, values)
    own = np.std(values, ddof=1) / math.sqrt(5)
    expected = math.sqrt(own**2 + 0.01**2 + 0.005**2 / 3)
    assert found is not None
    assert found.value == pytest.approx(np.mean(values) - 99.79)
    assert found.standard_error == pytest.approx(expected)
    degrees = (own**2 + 0.01**2) ** 2 / (own**4 / 4 + 0.01**4 / 19)
    assert found.half_width == pytest.approx(expected * t.ppf(0.975, degrees))
    assert (verdict, reason) == ("agrees", "")


def test_a_clear_difference_differs() -> None:
    verdict, _, found = judge_cell(CELL, [99.50, 99.51, 99.49])
    assert verdict == "differs"
    assert found is not None
    assert found.in_standard_errors > 10


def test_equal_seeds_still_have_the_error_of_the_print() -> None:
    _, _, found = judge_cell(CELL, [99.79, 99.79])
    assert found is not None
    assert found.standard_error > 0.01


def test_a_printed_deviation_is_turned_into_a_standard_error() -> None:
    as_deviation = replace(CELL, spread=0.01 * math.sqrt(20), spread_kind="std")
    assert judge_cell(as_deviation, [99.7, 99.8])[2] == pytest.approx(judge_cell(CELL, [99.7, 99.8])[2])


@pytest.mark.parametrize(
    ("changes", "values", "reason"),
    [
        ({"spread_kind": "unknown"}, [99.0, 99.1], "does not say whether"),
        ({"spread": None, "spread_kind": "none"}, [99.0, 99.1], "no spread"),
        ({"n": None}, [99.0, 99.1], "over how many runs"),
        ({}, [99.0], "one seed"),
        ({}, [], "no run"),
        ({"value": None}, [99.0, 99.1], "no number"),
    ],
)
def test_cells_that_cannot_be_tested_get_no_verdict(changes: dict[str, Any], values: list[float], reason: str) -> None:
    verdict, why, found = judge_cell(replace(CELL, **changes), values)
    assert verdict == "not comparable"
    assert reason in why
    assert found is None or found.standard_error is None


def table_of(*cells: PublishedCell) -> PublishedTable:
    return PublishedTable("here:table1", "caption", "cite", "url", cells)


def test_the_trial_with_the_configuration_is_found_and_measured_in_percent(tmp_path: Path) -> None:
    fill(new_engine(tmp_path), [some_runs(0), some_runs(1)], params=[some_params(0), params(1)])
    studies = open_in(tmp_path)
    config = studies.ledger("case")[1]["config"]
    wanted = {"stream.name": "permuted", "method.beta_output": config["method"]["beta_output"]}
    (found,) = compare_table(table_of(cell_for(settings=wanted)), studies)
    assert found.measurement is not None
    assert (found.measurement.study, found.measurement.number, found.measurement.seeds) == ("case", 1, (0, 1, 2))
    runs = studies.runs("case")
    assert found.measurement.values == tuple(100 * runs[runs["number"] == 1]["final_accuracy"])
    assert found.verdict in ("agrees", "differs")
    assert found.scale == "full"


def test_a_reduced_run_is_labelled_and_never_agrees(tmp_path: Path) -> None:
    fill(new_engine(tmp_path), [some_runs(0)])
    wanted = cell_for(settings={"stream.name": "permuted"}, reduced_below={"training.iterations": 5000})
    (found,) = compare_table(table_of(wanted), open_in(tmp_path))
    assert (found.verdict, found.scale) == ("not comparable", "reduced")
    assert "training.iterations 300 instead of 5000" in found.reason
    assert found.difference is not None
    assert "1 measured by reduced runs only" in headline([found])


def test_a_longer_run_than_the_published_one_is_another_configuration(tmp_path: Path) -> None:
    fill(new_engine(tmp_path), [some_runs(0)])
    wanted = cell_for(settings={"stream.name": "permuted"}, reduced_below={"training.iterations": 100})
    (found,) = compare_table(table_of(wanted), open_in(tmp_path))
    assert found.measurement is None
    assert "nearest is trial 0 of case: training.iterations 300 instead of 100" in found.reason


def test_a_cell_without_a_measurement_has_its_reason(tmp_path: Path) -> None:
    fill(new_engine(tmp_path), ["TrainingDiverged"])
    found = compare_table(table_of(CELL, cell_for()), open_in(tmp_path))
    assert [one.reason for one in found] == [
        "no configuration is defined that reproduces it",
        "not measured: the database has no finished trial",
    ]
    assert headline(found) == "None of the 2 numbers of this table has been measured in this database."
