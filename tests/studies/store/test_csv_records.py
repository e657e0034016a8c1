from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hnet_core.errors import ConfigInvalid
from studies.store import csv_records
from studies.store.csv_records import Records

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6) | st.text(
    "\",;\t\r\n 'a", max_size=6
)


class File(io.BytesIO):
    """Bytes that pass for a file on disk."""

    def fileno(self) -> int:
        return 0


def records(content: bytes) -> Records:
    return Records("t.csv", File(content), ["a", "b"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@given(rows=st.lists(st.tuples(texts, texts), max_size=4), delimiter=st.sampled_from(",;\t"))
@example(rows=[('"\r', "")], delimiter=",")
@example(rows=[("a", '"\n"'), ('","', "\n\n")], delimiter=",")
def test_whatever_the_csv_module_writes_in_quotes_comes_back_exactly(
    encoding: str, rows: list[tuple[str, str]], delimiter: str
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    found = records(text.getvalue().encode(encoding))
    assert (found.header, found.delimiter) == (["a", "b"], delimiter)
    assert [tuple(values) for _, values in found] == rows


@given(rows=st.lists(st.tuples(texts, texts), max_size=4), delimiter=st.sampled_from(",;\t"))
def test_without_needless_quotes_only_outer_blanks_are_lost(rows: list[tuple[str, str]], delimiter: str) -> None:
    text = io.StringIO(newline="")
    full = [(first, f"x{second}") for first, second in rows]  # a line of blanks is no record
    csv.writer(text, delimiter=delimiter).writerows([("a", "b"), *full])
    found = [values for _, values in records(text.getvalue().encode())]
    assert [[value.strip() for value in row] for row in found] == [[value.strip() for value in row] for row in full]


def test_each_record_has_the_line_it_begins_in() -> None:
    found = records(b'a,b\r\n1,"x\r\ny"\r\n\r\n2,3\r\n')
    assert [(line, values) for line, values in found] == [(2, ["1", "x\r\ny"]), (5, ["2", "3"])]


def test_a_quote_that_is_never_closed_ends_at_the_longest_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_records, "MAX_RECORD_LENGTH", 100)
    with pytest.raises(ConfigInvalid, match=r"t.csv:2: a value that begins with a quote must end with one"):
        list(records(b'a,b\n1,"x\n' + b"1,2\n" * 1000))
    with pytest.raises(ConfigInvalid, match=r"t.csv:2: must be shorter than 100 characters"):
        list(records(b"a,b\n1," + b"x" * 1000))
