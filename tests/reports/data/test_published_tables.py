"""The numbers of the papers, as entered: complete, consistent with their print, and mapped to fields that exist."""

from __future__ import annotations

import re

import pytest

from reports.analysis.measurability import known_trial, parsed, why_not
from reports.data.published_cells import SCALES, PublishedCell, PublishedTable
from reports.data.published_tables import TableNotFound, published_table, published_tables

TABLES = list(published_tables())
CELLS = [(table, cell) for table in TABLES for cell in table.cells]
N_CELLS = {
    "vonoswald2020:table1": 36, "vonoswald2020:table2": 18, "vonoswald2020:table3": 8, "vonoswald2020:table4": 6,
    "vonoswald2020:table5": 4, "vonoswald2020:table6": 10, "hemati2023:table1": 48, "hemati2023:table2": 66,
    "hemati2023:table3": 10, "hemati2023:table4": 30, "hemati2023:table5": 30, "hemati2023:table6": 40,
}  # fmt: skip

# Typed from a second reading of the papers, not from the CSV.
SECOND_READING = {
    ("vonoswald2020:table1", "P10-CL1"): "95.96 94.75 97.51 97.57 97.57 97.87",
    ("vonoswald2020:table1", "P10-CL2"): "94.42 95.33 97.35 92.80 97.58 97.60",
    ("vonoswald2020:table1", "P10-CL3"): "33.88 29.31 96.38 91.75 97.59 97.76",
    ("vonoswald2020:table1", "S-CL1"): "99.12 99.09 99.61 99.79 99.79 99.83",
    ("vonoswald2020:table1", "S-CL2"): "64.32 65.36 96.83 87.01 94.43 98.00",
    ("vonoswald2020:table1", "S-CL3"): "19.96 19.99 91.79 69.48 89.59 95.30",
    ("vonoswald2020:table2", "P10-CL1"): "97.51 97.85 97.89",
    ("vonoswald2020:table2", "P10-CL2"): "97.35 97.60 97.72",
    ("vonoswald2020:table2", "P10-CL3"): "96.38 97.71 97.91",
    ("vonoswald2020:table2", "S-CL1"): "99.61 99.81 99.83",
    ("vonoswald2020:table2", "S-CL2"): "96.83 97.88 98.96",
    ("vonoswald2020:table2", "S-CL3"): "91.79 94.97 98.38",
    ("vonoswald2020:table3", "S-CL1"): "99.79 99.79 99.82 99.83",
    ("vonoswald2020:table3", "P10-CL1"): "97.58 97.57 98.03 97.87",
    ("vonoswald2020:table5", "ZenkeNet"): "74.75 71.29",
    ("vonoswald2020:table5", "ResNet-32"): "82.36 82.34",
    ("vonoswald2020:table6", "P10-2000,2000"): "98.6 98.06",
    ("vonoswald2020:table6", "P100-1000,1000"): "86.04 94.98",
    ("hemati2023:table2", "Naive"): "33.7 58.9 120 20.5 48.4 371",
    ("hemati2023:table2", "EWC"): "29.7 62.2 230 22.4 34.5 431",
    ("hemati2023:table2", "LR-1"): "48.1 43.0 165 30.6 38.1 323",
    ("hemati2023:table2", "HN-1"): "61.9 8.1 508 35.2 8.0 905",
    ("hemati2023:table2", "LR-2"): "51.1 40.3 134 30.0 38.8 245",
    ("hemati2023:table2", "HN-2"): "62.8 4.1 388 39.9 10.2 660",
    ("hemati2023:table2", "LR-3"): "50.1 42.4 111 26.5 36.9 204",
    ("hemati2023:table2", "HN-3"): "58.8 7.4 243 31.4 5.2 416",
    ("hemati2023:table2", "LR-4"): "51.4 27.3 89 31.8 25.9 143",
    ("hemati2023:table2", "HN-4"): "73.6 3.1 114 36.1 10.0 176",
    ("hemati2023:table2", "HN-F"): "64.2 5.5 636 39.9 7.2 1200",
    ("hemati2023:table4", "ResNet-4 Look-Ahead"): "74.3 75.6 115",
    ("hemati2023:table5", "ResNet-1 Second-Order"): "61.9 66.1 1626",
}


def test_every_cell_of_every_table_is_entered_once() -> None:
    assert {table.name: len(table.cells) for table in TABLES} == N_CELLS
    for table in TABLES:
        assert len({(cell.row, cell.column) for cell in table.cells}) == len(table.cells)


@pytest.mark.parametrize(("table", "row"), SECOND_READING)
def test_a_second_reading_gives_the_same_numbers(table: str, row: str) -> None:
    values = [cell.value for cell in published_table(table).cells if cell.row == row]
    assert values == [float(text) for text in SECOND_READING[table, row].split()]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_numbers_are_those_of_the_print(table: PublishedTable) -> None:
    for cell in table.cells:
        assert_as_printed(cell)


def assert_as_printed(cell: PublishedCell) -> None:
    numbers = [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?:\.\d+)?", cell.text)]
    if cell.value is None:
        assert cell.text == "-" or " x " in cell.text
    elif "misprint" not in cell.erratum:
        assert numbers == [cell.value] + ([] if cell.spread is None else [cell.spread])
    assert (cell.spread is None) == (cell.spread_kind == "none")
    assert cell.spread_kind in ("sem", "std", "unknown", "none")
    if cell.unit == "percent" and cell.value is not None:
        assert 0 <= cell.value <= 100


def test_known_errors_of_the_papers_are_named() -> None:
    cells = {(table.name, cell.row, cell.column): cell for table, cell in CELLS}
    levels = [cell for (name, _, column), cell in cells.items() if name.endswith("table3") and "level" in column]
    assert sum("truncated" in cell.erratum for cell in levels) == 4
    assert "misprint" in cells["hemati2023:table6", "CIFAR-100 LR-2", "exemplar shape"].erratum
    assert cells["hemati2023:table4", "ResNet-1 Look-Ahead", "learning accuracy"].value == 66.2
    assert "Table 4 prints 61.5" in cells["hemati2023:table5", "ResNet-1 First-Order", "ACA"].erratum
    assert "97.87" in cells["vonoswald2020:table2", "P10-CL1", "HNET+R"].erratum


def test_every_cell_is_tied_to_a_training_or_says_why_not() -> None:
    assert [str(cell) for _, cell in CELLS if bool(cell.measured_by) == bool(cell.reason)] == []


def test_every_scale_of_a_training_that_is_installed_is_a_valid_trial() -> None:
    ways = {way for _, cell in CELLS for way in cell.measured_by}
    installed = [way for way in ways if known_trial(way.configuration) is not None]
    assert len({way.configuration.name for way in installed}) >= 60
    for way in installed:
        assert tuple(way.configuration.blocks) == SCALES
        assert [reason for scale in SCALES if (reason := why_not(way, scale)) is not None] == []
        hashes = {parsed(way.configuration, scale).hash() for scale in SCALES}
        assert len(hashes) == 3 or "training" in way.configuration.free, way.configuration.name


def test_a_table_that_is_not_there_is_an_error_with_a_guess() -> None:
    with pytest.raises(TableNotFound, match="did you mean 'vonoswald2020:table1'") as caught:
        published_table("vonoswald2020:tabel1")
    assert caught.value.exit_code == 3
