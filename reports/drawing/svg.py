"""SVG and HTML elements whose text and attributes are always escaped."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

EMPTY = Markup("")


def element(tag: str, *children: str, **attributes: object) -> Markup:
    """Build one element; `str` children are escaped, `Markup` children are kept.

    Attribute names lose a trailing underscore (`class_`) and get hyphens for the others; None leaves one out.

    Example:
        >>> print(element("text", "a < b", x=1.25, class_="tick", text_anchor="end"))
        <text x="1.2" class="tick" text-anchor="end">a &lt; b</text>
    """
    pairs = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(_attribute(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag}{pairs}>{''.join(map(escape, children))}</{tag}>")


def figure(
    name: str, size: tuple[float, float], title: str, description: str, parts: Iterable[Markup], **attributes: object
) -> Markup:
    """Build a drawing that is read as one image: `title` is its finding, `description` its content.

    Args:
        name: id of the drawing within the page.
        size: (width, height) of its own coordinates; the page scales it.
    """
    width, height = size
    return element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", description, id=f"{name}-desc"),
        *parts,
        id=name,
        role="img",
        viewBox=f"0 0 {pixel(width)} {pixel(height)}",
        aria_labelledby=f"{name}-title {name}-desc",
        **attributes,
    )


def pixel(value: float) -> str:
    """Format a coordinate to a tenth of a pixel, in as few characters as possible."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _attribute(value: object) -> object:
    return pixel(value) if isinstance(value, float) else value
