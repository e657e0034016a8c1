"""A published number agrees or differs by a test, and gets no verdict where no test is valid."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import t

from reports.analysis.measurability import is_measurable, unexplained
from reports.analysis.reproduction import compare_table, headline, judge_cell
from reports.data.published_cells import Configuration, MeasuredBy, PublishedCell, PublishedTable
from studies.queries.studies import Studies
from studies.statistics.paired_tests import holm_adjusted
from tests.reports.cases import fill, new_engine, open_in, some_runs

CELL = PublishedCell("S-CL1", "HNET", "percent", "99.79 ± 0.01", 99.79, 0.01, "sem", 20, "")


def cell_for(config: Mapping[str, Any], *, free: Sequence[str] = (), **smaller: Mapping[str, Any]) -> PublishedCell:
    """A cell that the final accuracy of a configuration measures."""
    configuration = Configuration("c", "note", {"full": config, **smaller}, tuple(free))
    return replace(CELL, measured_by=(MeasuredBy(configuration, "final_accuracy"),))


def changed(config: Mapping[str, Any], **changes: Mapping[str, Any]) -> dict[str, Any]:
    return {part: {**value, **changes.get(part, {})} if part in changes else value for part, value in config.items()}


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


@pytest.fixture
def measured(tmp_path: Path) -> Studies:
    """Two finished trials with three seeds each."""
    fill(new_engine(tmp_path), [some_runs(0), some_runs(1)])
    return open_in(tmp_path)


def config_of(studies: Studies, number: int) -> dict[str, Any]:
    return studies.ledger("case")[number]["config"]


def test_the_trial_with_the_configuration_is_found_and_measured_in_percent(measured: Studies) -> None:
    (found,) = compare_table(table_of(cell_for(config_of(measured, 1))), measured)
    assert found.measurement is not None
    assert (found.measurement.study, found.measurement.number, found.measurement.seeds) == ("case", 1, (0, 1, 2))
    runs = measured.runs("case")
    assert found.measurement.values == tuple(100 * runs[runs["number"] == 1]["final_accuracy"])
    assert found.verdict in ("agrees", "differs")
    assert found.scale == "full"


def test_the_measure_of_one_task_is_that_right_after_its_training(measured: Studies) -> None:
    cell = cell_for(config_of(measured, 1))
    (way,) = cell.measured_by
    (found,) = compare_table(
        table_of(replace(cell, measured_by=(replace(way, metric="during_accuracy[3]"),))), measured
    )
    assert found.measurement is not None
    assert found.measurement.values == pytest.approx(100 * measured.matrices("case", 1)[:, 3, 2])


def test_a_reduced_run_is_labelled_and_never_agrees(measured: Studies) -> None:
    (found,) = compare_table(
        table_of(cell_for(changed(config_of(measured, 1), training={"iterations": 5000}))), measured
    )
    assert (found.verdict, found.scale) == ("not comparable", "reduced")
    assert "training.iterations 300 instead of 5000" in found.reason
    assert found.difference is not None
    assert found.difference.half_width is None
    assert "1 measured by reduced runs only" in headline([found])


def test_a_run_at_a_smaller_scale_of_the_configuration_is_labelled_reduced(measured: Studies) -> None:
    config = config_of(measured, 1)
    full = changed(config, training={"batch_size": 999})
    (found,) = compare_table(table_of(cell_for(full, smoke=config)), measured)
    assert (found.verdict, found.scale) == ("not comparable", "reduced")
    assert "training.batch_size" in found.reason


def test_a_longer_run_than_the_published_one_is_another_configuration(measured: Studies) -> None:
    (found,) = compare_table(
        table_of(cell_for(changed(config_of(measured, 0), training={"iterations": 100}))), measured
    )
    assert found.measurement is None
    assert "nearest is trial 0 of case: training.iterations 300 instead of 100" in found.reason


def test_a_free_field_may_have_any_value(measured: Studies) -> None:
    other = changed(config_of(measured, 1), method={"beta_output": 0.123})
    assert compare_table(table_of(cell_for(other)), measured)[0].measurement is None
    (found,) = compare_table(table_of(cell_for(other, free=["method.beta_output"])), measured)
    assert (found.measurement is not None, found.scale) == (True, "full")


def test_more_seeds_are_preferred_then_the_first_way_to_measure_a_cell(measured: Studies) -> None:
    first, second = (cell_for(config_of(measured, number)).measured_by[0] for number in (0, 1))
    (found,) = compare_table(table_of(replace(CELL, measured_by=(second, first))), measured)
    assert found.measurement is not None
    assert found.measurement.number == 1


def test_a_trial_without_the_metric_gives_way_to_one_that_has_it(measured: Studies) -> None:
    (way,) = cell_for(config_of(measured, 1)).measured_by
    ways = (replace(way, metric="known_task_accuracy"), way)
    (found,) = compare_table(table_of(replace(CELL, measured_by=ways)), measured)
    assert found.measurement is not None
    assert (found.measurement.metric, len(found.measurement.values)) == ("final_accuracy", 3)


def test_a_number_that_the_paper_contradicts_neither_agrees_nor_differs(measured: Studies) -> None:
    cell = replace(cell_for(config_of(measured, 1)), erratum="Table 2 prints another number")
    (found,) = compare_table(table_of(cell), measured)
    assert (found.verdict, found.scale) == ("not comparable", "full")
    assert found.reason == "erratum: Table 2 prints another number"
    assert found.difference is not None


def test_p_values_are_adjusted_by_holm_for_the_tested_cells_of_the_table(measured: Studies) -> None:
    cells = [cell_for(config_of(measured, number)) for number in (0, 1)]
    found = compare_table(table_of(CELL, *cells), measured)
    raw, adjusted = zip(
        *((one.difference.p, one.difference.p_holm) for one in found[1:] if one.difference), strict=True
    )
    assert adjusted == tuple(holm_adjusted(raw))
    assert adjusted != raw


def test_a_training_that_is_not_installed_measures_nothing(measured: Studies) -> None:
    cell = cell_for(changed(config_of(measured, 1), method={"name": "of_tomorrow"}))
    (found,) = compare_table(table_of(cell), measured)
    assert found.measurement is None
    assert not is_measurable(cell)
    assert "unknown method 'of_tomorrow'" in (unexplained(cell) or "")


def test_a_cell_without_a_measurement_has_its_reason(tmp_path: Path) -> None:
    fill(new_engine(tmp_path), ["TrainingDiverged"])
    config = config_of(open_in(tmp_path), 0)
    found = compare_table(table_of(CELL, cell_for(config), replace(CELL, reason="another machine")), open_in(tmp_path))
    assert [one.reason for one in found] == [
        "no configuration is defined that reproduces it",
        "not measured: the database has no finished trial",
        "another machine",
    ]
    assert headline(found) == "None of the 3 numbers of this table has been measured in this database."
