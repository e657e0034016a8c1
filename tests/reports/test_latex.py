"""LaTeX tables: aligned numbers with their intervals, and text that cannot become a command."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from reports.latex import escape, latex_table
from reports.tables import Column, Table, mean_columns, size_column, text_column

ROWS = [
    {"name": "a_b", "final": 0.95712, "final.low": 0.9511, "final.high": 0.9631, "n": 3, "ratio": 0.25},
    {"name": "5 % & more", "final": 0.9, "final.low": None, "final.high": None, "n": 1, "ratio": None},
]
TABLE = Table(
    "front",
    "A front.",
    [text_column("name", "name"), *mean_columns("final", "final"), size_column("ratio", "ratio")],
    ROWS,
)


def test_a_mean_and_its_interval_are_one_number_with_an_uncertainty() -> None:
    text = latex_table(TABLE)
    assert r"{a\_b} & 0.9571 +- 0.0060 & 0.250 \\" in text
    assert r"{5 \% \& more} & 0.9000 & {--} \\" in text
    assert r"\begin{tabular}{l S[table-format = 1.4(2)] S[table-format = 1.3]}" in text
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert text.count(rule) == 1


def test_large_numbers_have_no_separators_that_siunitx_would_misread() -> None:
    table = Table("t", "c", [Column("w", "weights", lambda row: f"{row['w']:,}")], [{"w": 478410}])
    assert r"    478410 \\" in latex_table(table)
    assert "S[table-format = 6.0]" in latex_table(table)


@given(st.text(max_size=200))
def test_no_text_becomes_a_command(text: str) -> None:
    escaped = escape(text)
    assert set(re.findall(r"\\(?:[a-zA-Z]+|.)", escaped)) <= {
        r"\textbackslash", r"\{", r"\}", r"\$", r"\&", r"\#", r"\_", r"\%", r"\textasciitilde", r"\textasciicircum",
        r"\textless", r"\textgreater", r"\textbar", r"\textquotedbl", r"\pm",
    }  # fmt: skip
    assert "\n" not in escaped
    assert "\u202e" not in escaped
