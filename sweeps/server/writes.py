"""Changes over the API and from the forms of pages: tags, notes, archive; the guard lets the write token through."""

from __future__ import annotations

from typing import Any

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response

from studies.store import admin
from sweeps.server.bodies import answer, fields
from sweeps.server.query_parameters import study_name, trial_number
from sweeps.server.service import Service


async def tag(request: Request) -> Response:
    """Add and remove tags of a study; returns its tags."""
    given = await fields(request, {"add": list, "remove": list})
    engine, name = _service(request).writer, study_name(request)
    tags = await run_sync(lambda: admin.tag_study(engine, name, given["add"], given["remove"]))
    return _done(request, {"tags": tags})


async def note_study(request: Request) -> Response:
    """Replace the note on a study; an empty text removes it."""
    given = await fields(request, {"text": str})
    engine, name = _service(request).writer, study_name(request)
    await run_sync(lambda: admin.note_study(engine, name, given["text"]))
    return _done(request, {"text": given["text"]})


async def note_trial(request: Request) -> Response:
    """Replace the note on a trial; an empty text removes it."""
    given = await fields(request, {"text": str})
    engine, name, number = _service(request).writer, study_name(request), trial_number(request)
    await run_sync(lambda: admin.note_trial(engine, name, number, given["text"]))
    return _done(request, {"text": given["text"]})


async def archive(request: Request) -> Response:
    """Archive a study, or restore it with archived false; nothing is deleted."""
    given = await fields(request, {"archived": bool})
    engine, name = _service(request).writer, study_name(request)
    await run_sync(lambda: admin.archive_study(engine, name, given["archived"]))
    return _done(request, {"archived": given["archived"]})


def _done(request: Request, content: dict[str, Any]) -> Response:
    page = f"{_service(request).settings.root_path}/studies/{request.path_params['name']}"
    if "number" in request.path_params:
        page += f"/trials/{trial_number(request)}"
    return answer(request, content, page)


def _service(request: Request) -> Service:
    found: Service = request.app.state.service
    return found
