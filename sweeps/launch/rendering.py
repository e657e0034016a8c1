"""Rendering of job files from templates: values for the shell and for YAML are quoted by filters."""

from __future__ import annotations

import json
import shlex
from typing import Any


def render(template: str, **content: Any) -> str:
    """Fill a template of this package.

    Filters: `sh` quotes one argument for a POSIX shell, `json` writes a value as JSON, which YAML reads as well.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("sweeps.launch"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # a shell script or YAML, not HTML
    )
    environment.filters["sh"] = shlex.quote
    environment.filters["json"] = json.dumps
    return environment.get_template(template).render(**content)
