"""Changes over the API and from the forms of the pages: tags, notes, archive; the guard lets the write token through.

A form sends application/x-www-form-urlencoded and is answered by a redirect to its page; a program sends JSON and gets
JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hnet_core.errors import ConfigInvalid
from studies.output.formats import json_text
from studies.store import admin
from sweeps.server.query_parameters import study_name, trial_number
from sweeps.server.service import Service


async def tag(request: Request) -> Response:
    """Add and remove tags of a study; returns its tags."""
    given = await _fields(request, {"add": list, "remove": list})
    engine, name = _service(request).writer, study_name(request)
    tags = await run_sync(lambda: admin.tag_study(engine, name, given["add"], given["remove"]))
    return _done(request, {"tags": tags})


async def note_study(request: Request) -> Response:
    """Replace the note on a study; an empty text removes it."""
    given = await _fields(request, {"text": str})
    engine, name = _service(request).writer, study_name(request)
    await run_sync(lambda: admin.note_study(engine, name, given["text"]))
    return _done(request, {"text": given["text"]})


async def note_trial(request: Request) -> Response:
    """Replace the note on a trial; an empty text removes it."""
    given = await _fields(request, {"text": str})
    engine, name, number = _service(request).writer, study_name(request), trial_number(request)
    await run_sync(lambda: admin.note_trial(engine, name, number, given["text"]))
    return _done(request, {"text": given["text"]})


async def archive(request: Request) -> Response:
    """Archive a study, or restore it with archived false; nothing is deleted."""
    given = await _fields(request, {"archived": bool})
    engine, name = _service(request).writer, study_name(request)
    await run_sync(lambda: admin.archive_study(engine, name, given["archived"]))
    return _done(request, {"archived": given["archived"]})


async def _fields(request: Request, kinds: Mapping[str, type]) -> dict[str, Any]:
    """Read the fields of a form or of a JSON object.

    Raises:
        ConfigInvalid: if a field is unknown or of another kind; a list that is absent is empty, anything else must be
            there.
    """
    body = await request.body()
    is_json = request.headers.get("content-type", "").partition(";")[0].strip() == "application/json"
    if _is_api(request) and not is_json:
        raise ConfigInvalid("the body must be a JSON object, sent as application/json.")
    if is_json:
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            raise ConfigInvalid("the body must be a JSON object.") from None
    else:
        found = _from_form(body, kinds)
    if not isinstance(found, dict) or not set(found) <= set(kinds):
        raise ConfigInvalid(f"the body must be an object with {', '.join(kinds)} alone.")
    for name, kind in kinds.items():
        if kind is list:
            found.setdefault(name, [])
        value = found.get(name)
        is_mixed = isinstance(value, list) and not all(isinstance(word, str) for word in value)
        if type(value) is not kind or is_mixed:
            word = {list: "a list of texts", str: "a text", bool: "true or false"}[kind]
            raise ConfigInvalid(f"{name} must be {word}.")
    return found


def _from_form(body: bytes, kinds: Mapping[str, type]) -> dict[str, Any]:
    """Read a form; a list is words with commas between them."""
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    found: dict[str, Any] = {}
    for name, value in pairs:
        kind = kinds.get(name)
        if kind is list:
            found.setdefault(name, []).extend(word.strip() for word in value.split(",") if word.strip())
        else:
            found[name] = value == "true" if kind is bool else value.replace("\r\n", "\n")
    return found


def _done(request: Request, content: dict[str, Any]) -> Response:
    if _is_api(request):
        return Response(json_text(content), media_type="application/json", headers={"cache-control": "no-store"})
    service = _service(request)
    name = request.path_params["name"]
    page = f"{service.settings.root_path}/studies/{name}"
    if "number" in request.path_params:
        page += f"/trials/{trial_number(request)}"
    return RedirectResponse(page, 303)


def _is_api(request: Request) -> bool:
    path = request.url.path.removeprefix(_service(request).settings.root_path)
    return path.startswith("/api/")


def _service(request: Request) -> Service:
    found: Service = request.app.state.service
    return found
