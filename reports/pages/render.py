"""Rendering of a page as one file: style and script inline, no requests, no other script allowed."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from reports.exact_values import json_finite

if TYPE_CHECKING:
    from jinja2 import Environment, Template

MAX_NAME = 120


def render(template: str | Path, **content: Any) -> str:
    """Fill a template; every value is escaped unless it is `Markup`.

    Args:
        template: name of a template of this package, or path of another, which may extend and import those here.
    """
    folder, name = (template.parent, template.name) if isinstance(template, Path) else (None, template)
    style, script = asset("report.css"), asset("report.js")
    return page_template(name, folder).render(
        style=Markup(style), script=Markup(script), policy=content_policy(style, script), **content
    )


def page_template(name: str, folder: Path | None = None) -> Template:
    """Return a template of `folder`, which may extend and import those of this package, or of this package."""
    return _environment(folder).get_template(name)


@cache
def _environment(folder: Path | None) -> Environment:
    from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined

    loaders: list[BaseLoader] = [PackageLoader("reports")]
    if folder is not None:
        loaders.insert(0, FileSystemLoader(folder))
    environment = Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.policies["json.dumps_function"] = _json
    environment.filters["short"] = short
    environment.filters["breakable"] = breakable
    return environment


def content_policy(style: str, script: str) -> str:
    """Return the Content-Security-Policy: only this style and script; no request, frame, form or other script."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def short(text: str, length: int = MAX_NAME) -> str:
    """Shorten a name; the spec has all of it."""
    return text if len(text) <= length else text[:length] + " …"


def breakable(name: str) -> Markup:
    """Allow line breaks between the parts of a dotted or underscored name."""
    return Markup(re.sub(r"([._])", r"\1<wbr>", str(escape(name))))


def _json(content: Any, **options: Any) -> str:
    return json.dumps(json_finite(content), allow_nan=False, **options)


def asset(name: str) -> str:
    """Return the text of the style sheet or the script of all pages."""
    return (files("reports") / "templates" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
