"""Tables show rounded text over exact values."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hnet_core.dotted_keys import short_names
from reports.table import Table, columns_of, interval_cells, interval_of, mean_columns, number_column, parameter_columns
from reports.tables.trial_rows import trial_row
from studies.statistics.interval import Interval
from tests.reports.cases import make_trial


def test_names_are_shortened_unless_two_would_be_alike() -> None:
    assert short_names(["method.beta", "hypernet.size", "target.size"]) == {
        "method.beta": "beta", "hypernet.size": "hypernet.size", "target.size": "target.size",
    }  # fmt: skip


def test_a_row_has_the_column_names_of_the_study() -> None:
    row = trial_row(make_trial(3, 0.5, 0.9, params={"a.b": 1}), ["compression_ratio", "final_accuracy"])
    assert list(row) == [
        "number", "n", "a.b", "compression_ratio", "final_accuracy", "final_accuracy.low", "final_accuracy.high",
        "final_accuracy.n",
    ]  # fmt: skip


def test_cells_show_rounded_text_and_keep_the_exact_value() -> None:
    rows = [
        trial_row(make_trial(3, 1 / 3, 0.123456789, params={"a.b": "relu"}), ["compression_ratio", "final_accuracy"])
    ]
    columns = [number_column("compression_ratio", "ratio"), *mean_columns("final_accuracy", "final")]
    columns += parameter_columns(["a.b"], columns_of(rows))
    (_, cells), *rest = Table("t", "caption", columns, rows).body
    assert not rest
    assert [cell.text for cell in cells] == ["0.333", "0.123", "[0.113, 0.133]", "relu"]
    assert [cell.exact for cell in cells] == [repr(1 / 3), "0.123456789", repr(0.123456789 - 0.01), "relu"]
    assert [cell.is_number for cell in cells] == [True, True, True, False]


def test_a_table_without_rows_is_a_table() -> None:
    assert Table("t", "caption", [number_column("compression_ratio", "ratio")], []).body == []


@given(st.one_of(st.none(), st.floats(-5, 5)), st.integers(0, 9))
def test_an_interval_is_read_from_a_row_as_it_was_written(mean: float | None, n: int) -> None:
    written = Interval(mean, None if mean is None else mean - 1, None if mean is None else mean + 1, n)
    row = {**interval_cells("difference", written), "n_a": n}
    assert interval_of(row, "difference", seeds="n_a") == written
    assert interval_cells("difference", None) == dict.fromkeys(row.keys() - {"n_a"})
