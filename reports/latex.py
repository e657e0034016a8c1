"""LaTeX tables with booktabs rules and siunitx columns, from the same exact values as the page."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from reports.table import Column, Row, Table, interval_of

PREAMBLE = "% needs \\usepackage{booktabs} and \\usepackage{siunitx}"
MAX_TEXT = 120
SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "{''}", "\u2013": "--", "\u2014": "---", "\u2212": "$-$", "\u00b1": r"$\pm$",
    "\u00b7": r"$\cdot$", "\u00d7": r"$\times$", "\u2026": r"\ldots{}", "\u25c6": "", "\u00a0": "~",
    "\u2018": "`", "\u2019": "'", "\u201c": "``", "\u201d": "''",
}  # fmt: skip
# What pdfLaTeX prints with its default fonts, besides ASCII: letters with these accents, and some of their own.
ACCENTS = frozenset("\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327")
LETTERS = frozenset("\u00df\u00e6\u00c6\u00f8\u00d8\u0153\u0152\u0142\u0141\u0131")
LAST_LETTER = "\u017f"


def latex_table(table: Table, note: str = "") -> str:
    """Write a `table` environment: a mean with its interval is one column, `mean ± half-width`, of siunitx.

    Args:
        note: added to the caption.
    """
    columns = [column for column in table.columns if not column.key.endswith(".low")]
    formats = [_format(column, table.rows) for column in columns]
    lines = [
        PREAMBLE,
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{escape(' '.join(part for part in (table.caption, note) if part))}}}",
        rf"  \label{{tab:{_label(table.name)}}}",
        r"  \sisetup{separate-uncertainty = true, table-align-uncertainty = true}",
        rf"  \begin{{tabular}}{{{' '.join(formats)}}}",
        r"    \toprule",
        "    " + " & ".join(rf"{{{escape(column.label)}}}" for column in columns) + r" \\",
        r"    \midrule",
        *("    " + _row(table, columns, row) + r" \\" for row in table.rows),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _row(table: Table, columns: Sequence[Column], row: Row) -> str:
    """Write the cells of a row; the first cell of a marked row is bold."""
    first, *rest = (_cell(column, row) for column in columns)
    if table.is_marked(row):
        first = rf"{{\textbf{{{escape(columns[0].show(row)[:MAX_TEXT])}}}}}"
    return " & ".join([first, *rest])


def escape(text: str) -> str:
    """Escape text for LaTeX: special characters escaped, control and direction marks dropped.

    A character that pdfLaTeX has no font for, which would stop it, is written as its code, such as U+03B2.
    """
    shown = text if len(text) <= MAX_TEXT * 8 else text[: MAX_TEXT * 8] + " ..."
    kept = (c for c in shown if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    return "".join(SPECIAL[c] if c in SPECIAL else _printable(c) for c in kept)


def _printable(character: str) -> str:
    if character.isascii() or character in LETTERS:
        return character
    base, marks = (parts := unicodedata.normalize("NFD", character))[0], parts[1:]
    is_letter = character <= LAST_LETTER and base.isascii() and marks and ACCENTS.issuperset(marks)
    return character if is_letter else f"U+{ord(character):04X}"


def _cell(column: Column, row: Row) -> str:
    value = row.get(column.key)
    if value is None:
        return "{--}"
    if column.is_mean:
        return _mean(column, row)
    text = column.show(row).replace(",", "") if column.is_number else column.show(row)
    if column.is_number and isinstance(value, int | float) and not isinstance(value, bool) and _is_plain(text):
        return text
    return f"{{{escape(text[:MAX_TEXT])}}}"


def _mean(column: Column, row: Row) -> str:
    interval = interval_of(row, column.key)
    mean, half = interval.mean_text(), interval.half_width_text()
    if mean is None or half is None or "e" in mean + half:
        return column.show(row).replace(",", "")
    return f"{mean} +- {half}"


def _format(column: Column, rows: Sequence[Row]) -> str:
    """Return the column type: S with space for the widest number, l for text."""
    cells = [cell for row in rows if not (cell := _cell(column, row)).startswith("{")]
    if not column.is_number or not cells:
        return "l"
    integers = max(len(cell.split(" ")[0].partition(".")[0].lstrip("-")) for cell in cells)
    decimals = max(len(cell.split(" ")[0].partition(".")[2]) for cell in cells)
    sign = "-" if any(cell.startswith("-") for cell in cells) else ""
    errors = [len(cell.split(" ")[2].replace(".", "").lstrip("0")) for cell in cells if " +- " in cell]
    room = f"({max(errors)})" if errors else ""
    return f"S[table-format = {sign}{integers}.{decimals}{room}]"


def _is_plain(text: str) -> bool:
    return text.replace(".", "", 1).replace("-", "", 1).isdigit()


def _label(name: str) -> str:
    return "".join(c if c.isalnum() and c.isascii() else "-" for c in name)[:60]
