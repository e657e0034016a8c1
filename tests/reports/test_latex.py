"""LaTeX tables: aligned numbers with their intervals, and text that cannot become a command."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from reports.latex import PREAMBLE, escape, latex_table
from reports.table import Column, Table, mean_columns, number_column, text_column

ROWS = [
    {"name": "a_b", "final": 0.95712, "final.low": 0.9511, "final.high": 0.9631, "n": 3, "ratio": 0.25},
    {"name": "5 % & more", "final": 0.9, "final.low": None, "final.high": None, "n": 1, "ratio": None},
]
TABLE = Table(
    "front",
    "A front.",
    [text_column("name", "name"), *mean_columns("final", "final"), number_column("ratio", "ratio")],
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
        r"\textless", r"\textgreater", r"\textbar", r"\pm", r"\cdot", r"\times", r"\ldots",
    }  # fmt: skip
    assert "\n" not in escaped
    assert "\u202e" not in escaped


@given(st.text(max_size=200))
def test_every_character_is_one_that_pdflatex_has_a_font_for(text: str) -> None:
    assert all(c <= "\u017f" for c in escape(text))


def test_a_character_without_a_font_stands_as_its_code() -> None:
    assert escape("na\u00efve \u03b2 \u2212 \u4eac") == "na\u00efve U+03B2 $-$ U+4EAC"
    assert escape("\u0105 \u00fe \u00df") == "U+0105 U+00FE \u00df"  # an ogonek and a thorn need another encoding
    assert escape('say "hi"') == "say {''}hi{''}"


HOSTILE = st.text(st.sampled_from('\\{}$&#_%~^<>|"[]*-+=,.\u2212\u25c6\u202eab 1') | st.characters(), max_size=40)


@given(st.lists(st.tuples(HOSTILE, st.floats(-9e9, 9e9), st.booleans()), min_size=1, max_size=4), HOSTILE)
def test_any_text_leaves_braces_balanced_and_every_row_as_wide_as_the_table(
    content: list[tuple[str, float, bool]], note: str
) -> None:
    rows = [
        {"name": name, "final": mean, "final.low": mean - 1 if known else None,
         "final.high": mean + 1 if known else None, "n": 3, "ratio": mean}
        for name, mean, known in content
    ]  # fmt: skip
    text = latex_table(Table(note, note, TABLE.columns, rows), note)
    bare = re.sub(r"\\[{}$&#_%]", "", text.removeprefix(PREAMBLE))
    depth = 0
    for character in bare:
        depth += (character == "{") - (character == "}")
        assert depth >= 0
    assert depth == 0
    assert bare.count("$") % 2 == 0
    assert "%" not in bare
    body = bare.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert len(body) == len(rows)
    assert all(line.count("&") == 2 and line.endswith(r"\\") for line in body)
