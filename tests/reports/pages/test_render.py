"""The page brings everything it needs, allows nothing else, and can be read in both themes."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import files
from itertools import product

import pytest
from markupsafe import Markup

from reports.pages.render import breakable, content_policy, render, short

CSS = (files("reports") / "templates" / "report.css").read_text(encoding="utf-8")
DARK_RULES = r"@media screen and \(prefers-color-scheme: dark\) \{\s*:root \{(.*?)\}"


def colours(theme: str) -> dict[str, str]:
    light = dict(re.findall(r"--([\w-]+): (#\w{6})", CSS[: CSS.index("@media")]))
    dark = re.search(DARK_RULES, CSS, re.DOTALL)
    assert dark is not None
    return light | (dict(re.findall(r"--([\w-]+): (#\w{6})", dark[1])) if theme == "dark" else {})


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("theme", "ink", "back"),
    [
        *product(("light", "dark"), ("ink", "muted", "accent"), ("page", "surface")),
        *product(("light", "dark"), ("ink", "muted", "accent"), ("hover",)),
        ("light", "warn-ink", "warn-back"),
        ("dark", "warn-ink", "warn-back"),
    ],
)
def test_text_stands_out_from_what_is_behind_it(theme: str, ink: str, back: str) -> None:
    assert contrast(colours(theme)[ink], colours(theme)[back]) >= 4.5


@pytest.mark.parametrize(("theme", "first_high"), [("light", 7), ("dark", 5)])
def test_numbers_of_the_matrix_stand_out_from_their_shade(theme: str, first_high: int) -> None:
    palette = colours(theme)
    for level in range(10):
        ink = palette["heat-high-ink" if level >= first_high else "heat-low-ink"]
        assert contrast(ink, palette[f"heat-{level}"]) >= 4.5, level


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_marks_stand_out_from_the_page(theme: str) -> None:
    palette = colours(theme)
    marks = [
        "final",
        "during",
        "refused",
        "ink",
        "better",
        *(f"shade-{i}" for i in range(5)),
        *(f"family-{i}" for i in range(8)),
        "complete",
        "failed",
        "running",
    ]
    assert {
        mark: contrast(palette[mark], palette["page"]) for mark in marks if contrast(palette[mark], palette["page"]) < 3
    } == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_shades_run_from_one_end_of_the_lightness_to_the_other(theme: str) -> None:
    for ramp in ([f"shade-{i}" for i in range(5)], [f"heat-{i}" for i in range(10)]):
        values = [luminance(colours(theme)[name]) for name in ramp]
        assert values in (sorted(values), sorted(values, reverse=True))


def test_the_policy_allows_this_style_and_script_and_nothing_else() -> None:
    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    assert content_policy("a", "b").split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest('a')}'",
        f"script-src 'sha256-{digest('b')}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_names_are_shortened_and_broken_without_losing_their_escapes() -> None:
    assert len(short("x" * 10_000)) < 130
    assert breakable("a_b<c") == Markup("a_<wbr>b&lt;c")


def test_json_in_a_page_has_null_in_place_of_nan_and_infinity() -> None:
    html = render("base.html.j2", hover={"trials": {"1": [float("nan"), float("inf"), 2.0]}})
    assert '{"trials": {"1": [null, null, 2.0]}}' in html
