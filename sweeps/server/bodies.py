"""Bodies of POST requests, and their answers: JSON for a program; for a form of a page a redirect to that page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hnet_core.errors import ConfigInvalid
from studies.output.formats import json_text
from sweeps.server.service import Service

KINDS: Mapping[type, str] = {list: "a list of texts", str: "a text", bool: "true or false"}


async def fields(request: Request, kinds: Mapping[str, type]) -> dict[str, Any]:
    """Read the fields of a form or of a JSON object.

    Raises:
        ConfigInvalid: if a field is unknown or of another kind; a list that is absent is empty, anything else must be
            there.
    """
    json_object = await json_body(request)
    found = from_form(await request.body(), kinds) if json_object is None else json_object
    if not set(found) <= set(kinds):
        raise ConfigInvalid(f"the body must be an object with {', '.join(kinds)} alone.")
    for name, kind in kinds.items():
        if kind is list:
            found.setdefault(name, [])
        value = found.get(name)
        is_mixed = isinstance(value, list) and not all(isinstance(word, str) for word in value)
        if type(value) is not kind or is_mixed:
            raise ConfigInvalid(f"{name} must be {KINDS[kind]}.")
    return found


async def json_body(request: Request) -> dict[str, Any] | None:
    """Read a JSON object; None where the body is a form, which the API does not take.

    Raises:
        ConfigInvalid: the body is no JSON object.
    """
    is_json = request.headers.get("content-type", "").partition(";")[0].strip() == "application/json"
    if not is_json:
        if is_api(request):
            raise ConfigInvalid("the body must be a JSON object, sent as application/json.")
        return None
    try:
        found = json.loads(await request.body())
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ConfigInvalid("the body must be a JSON object.")
    return found


def form_pairs(body: bytes) -> list[tuple[str, str]]:
    """Read the names and values of a form."""
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def from_form(body: bytes, kinds: Mapping[str, type]) -> dict[str, Any]:
    """Read a form; a list is words with commas between them."""
    found: dict[str, Any] = {}
    for name, value in form_pairs(body):
        kind = kinds.get(name)
        if kind is list:
            found.setdefault(name, []).extend(word.strip() for word in value.split(",") if word.strip())
        else:
            found[name] = value == "true" if kind is bool else value.replace("\r\n", "\n")
    return found


def answer(request: Request, content: Mapping[str, Any], page: str) -> Response:
    """Answer a change: JSON for a program, a redirect to a page for a form."""
    if is_api(request):
        return Response(json_text(content), media_type="application/json", headers={"cache-control": "no-store"})
    return RedirectResponse(page, 303)


def is_api(request: Request) -> bool:
    service: Service = request.app.state.service
    return request.url.path.removeprefix(service.settings.root_path).startswith("/api/")
