"""The pages that start a sweep: what can be started, and the settings of one source with the result of a check."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response

from hnet_core.errors import ConfigInvalid, HnetError
from sweeps.launch.sources import Source
from sweeps.server.launcher import Checked
from sweeps.server.launches import (
    checked_of,
    describe,
    launch_request,
    launcher_of,
    require_write,
    source_of,
    start_source,
    submitted,
)
from sweeps.server.query_parameters import check_names
from sweeps.server.rendering import Pages

KINDS = {"file": "Specs of this server", "preset": "Presets", "table": "Published tables"}
RECENT = 20
NO_STORE = {"cache-control": "no-store"}


def list_page(request: Request) -> Response:
    """List what can be started, and what was started from here."""
    require_write(request)
    check_names(request, [])
    launcher, names = launcher_of(request), set(request.app.state.service.studies.names())
    sources = list(launcher.sources())
    starts = [(one, one.studies[0] in names) for one in list(launcher.sweeps)[:RECENT]]
    content = {"kinds": {title: _grouped(sources, kind) for kind, title in KINDS.items()}, "starts": starts}
    return _respond(request, "launches.html.j2", {**content, "has_specs": request.app.state.service.settings.specs})


def page(request: Request) -> Response:
    """Show the settings of a source."""
    require_write(request)
    check_names(request, [])
    return _respond(request, "launch.html.j2", _content(source_of(request), {}, None))


async def check(request: Request) -> Response:
    """Check the settings of the form, and show them again with what was found."""
    source, values = await run_sync(source_of, request), await submitted(request)
    try:
        checked = await checked_of(request, await launch_request(request))
    except HnetError as error:
        checked = Checked(None, str(error).splitlines())
    content = await run_sync(_content, source, values, checked)
    return await run_sync(_respond, request, "launch.html.j2", content, 400 if checked.problems else 200)


async def start(request: Request) -> Response:
    """Start the sweep of the form; settings that were not checked are checked instead."""
    try:
        wanted = await launch_request(request)
    except ConfigInvalid:
        return await check(request)
    if not launcher_of(request).is_checked(wanted):
        return await check(request)
    return await start_source(request)


def _content(source: Source, values: Mapping[str, Any], checked: Checked | None) -> dict[str, Any]:
    """Return the settings of a source, or why it cannot be read."""
    about: dict[str, Any] = {"kind": source.kind, "name": source.name, "summary": source.summary}
    try:
        about, is_readable = describe(source), True
    except ConfigInvalid as error:
        checked, is_readable = Checked(None, str(error).splitlines()), False
    search, given = about.get("search", {}), values.get("search", {})
    return {
        "source": source,
        "about": about,
        "fields": [_field(name, each, given.get(name)) for name, each in search.items()],
        "values": values,
        "checked": checked,
        "is_readable": is_readable,
    }


def _field(name: str, about: Mapping[str, Any], value: Any) -> dict[str, Any]:
    """Return a searched field as the form shows it, with the value that was given for it."""
    if about["kind"] == "choice":
        kept = None if not isinstance(value, list) else [json.dumps(each) for each in value]
        texts = [json.dumps(choice) for choice in about["choices"]]
        choices = [
            (text, _label(each), kept is None or text in kept)
            for text, each in zip(texts, about["choices"], strict=True)
        ]
        return {"name": name, "kind": "choice", "choices": choices}
    given = value if isinstance(value, Mapping) else {}
    return {"name": name, **about, "given": {key: given.get(key, about[key]) for key in ("low", "high")}}


def _label(choice: Any) -> str:
    return choice if isinstance(choice, str) else json.dumps(choice)


def _grouped(sources: list[Source], kind: str) -> list[tuple[Source, list[Source]]]:
    """Return the sources of a kind, each with its variants."""
    grouped: list[tuple[Source, list[Source]]] = []
    for source in sources:
        if source.kind != kind:
            continue
        if grouped and kind != "table" and source.name.startswith(f"{grouped[-1][0].name}:"):
            grouped[-1][1].append(source)
        else:
            grouped.append((source, []))
    return grouped


def _respond(request: Request, template: str, content: dict[str, Any], status: int = 200) -> Response:
    pages: Pages = request.app.state.pages
    return Response(pages.render(request, template, content), status, media_type="text/html", headers=NO_STORE)
