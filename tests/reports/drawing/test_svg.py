"""No text can leave its element."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from reports.drawing.svg import element, figure, pixel

text = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"))


@given(text, text)
def test_text_and_attributes_come_back_as_they_were(content: str, value: str) -> None:
    parsed = ElementTree.fromstring(element("text", content, class_=value))
    assert (parsed.text or "", parsed.get("class"), len(parsed)) == (content, value.replace("\t", " "), 0)


def test_markup_is_nested_and_text_is_escaped() -> None:
    assert element("g", Markup("<path></path>"), "<b>") == "<g><path></path>&lt;b&gt;</g>"


def test_attributes_are_hyphenated_and_may_be_left_out() -> None:
    assert element("text", text_anchor="end", class_=None, x=0.25) == '<text text-anchor="end" x="0.2"></text>'


def test_a_drawing_is_named_by_its_title_and_its_description() -> None:
    parsed = ElementTree.fromstring(figure("f", (10.0, 5.0), "It rises.", "A line.", []))
    assert parsed.get("role") == "img"
    names = (parsed.get("aria-labelledby") or "").split()
    assert [child.text for child in parsed if child.get("id") in names] == ["It rises.", "A line."]


def test_pixels_are_short() -> None:
    assert [pixel(value) for value in (10.0, 0.04, -0.04, 12.345)] == ["10", "0", "0", "12.3"]
