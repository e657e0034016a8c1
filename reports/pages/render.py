"""Rendering of a page as one file: style and script inline, no requests, no other script allowed."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from reports.formatting import json_finite

MAX_NAME = 120


def render(template: str | Path, **content: Any) -> str:
    """Fill a template; every value is escaped unless it is `Markup`.

    Args:
        template: name of a template of this package, or path of another, which may extend and import those here.
    """
    from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined

    loaders: list[BaseLoader] = [PackageLoader("reports")]
    if isinstance(template, Path):
        loaders.insert(0, FileSystemLoader(template.parent))
        template = template.name
    style, script = _asset("report.css"), _asset("report.js")
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
    return environment.get_template(template).render(
        style=Markup(style), script=Markup(script), policy=content_policy(style, script), **content
    )


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


def _asset(name: str) -> str:
    return (files("reports") / "templates" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
