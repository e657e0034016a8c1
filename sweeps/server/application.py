"""The application: its routes, behind the guard."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from anyio.to_thread import current_default_thread_limiter
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hnet_core.errors import HnetError
from sweeps.server import errors, launches, writes
from sweeps.server.endpoints import ENDPOINTS
from sweeps.server.events import Watcher, events
from sweeps.server.guard import Guard
from sweeps.server.launcher import Launcher
from sweeps.server.openapi import document
from sweeps.server.pages import api_page, compare, database, launch, published, running, studies, study, trial, trials
from sweeps.server.rendering import ASSETS, Pages
from sweeps.server.service import Service
from sweeps.server.settings import ServerSettings

MAX_THREADS = 8  # requests that are worked on at a time; further ones wait


def make_application(settings: ServerSettings) -> Starlette:
    """Make the application over one database.

    Raises:
        what `studies.database.open_database.connect` raises.
    """
    service = Service(settings)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = MAX_THREADS
        app.state.watcher.start()
        yield
        await app.state.watcher.close()
        service.close()

    app = Starlette(
        routes=[*_api_routes(), *_page_routes(), *_form_routes()],
        middleware=[Middleware(Guard, settings=settings)],
        exception_handlers={HnetError: errors.expected, HTTPException: errors.not_found},
        lifespan=lifespan,
    )
    app.state.service = service
    app.state.launcher = Launcher(service)
    app.state.pages = Pages(service)
    app.state.watcher = Watcher(service)
    return app


def _api_routes() -> list[Route]:
    routes = [Route(f"/api/v1{one.path}", one.handler, methods=[one.method]) for one in ENDPOINTS]
    return [*routes, Route("/api/v1/openapi.json", _openapi), Route("/events", events)]


def _page_routes() -> list[Route]:
    return [
        Route("/", studies.page),
        Route("/studies/{name}", study.page),
        Route("/studies/{name}/trials", trials.page),
        Route("/studies/{name}/trials/{number}", trial.page),
        Route("/studies/{name}/running", running.page),
        Route("/launch", launch.list_page),
        Route("/launch/{kind}/{source}", launch.page),
        Route("/compare", compare.page),
        Route("/tables", published.list_page),
        Route("/tables/{name}", published.page),
        Route("/database", database.page),
        Route("/database/check", database.check, methods=["POST"]),
        Route("/api", api_page.page),
        Route("/static/{file}", _static),
    ]


def _form_routes() -> list[Route]:
    return [
        Route("/studies/{name}/tags", writes.tag, methods=["POST"]),
        Route("/studies/{name}/note", writes.note_study, methods=["POST"]),
        Route("/studies/{name}/archive", writes.archive, methods=["POST"]),
        Route("/studies/{name}/trials/{number}/note", writes.note_trial, methods=["POST"]),
        Route("/studies/{name}/stop", launches.stop_study, methods=["POST"]),
        Route("/studies/{name}/continue", launches.continue_study, methods=["POST"]),
        Route("/studies/{name}/retry", launches.retry_study, methods=["POST"]),
        Route("/launch/{kind}/{source}/check", launch.check, methods=["POST"]),
        Route("/launch/{kind}/{source}/start", launch.start, methods=["POST"]),
    ]


def _openapi(request: Request) -> Response:
    return JSONResponse(document(request.app.state.service.settings.root_path))


def _static(request: Request) -> Response:
    found = ASSETS.get(request.path_params["file"])
    if found is None:
        raise HTTPException(404)
    kind, text = found
    return Response(text, media_type=kind, headers={"cache-control": "private, max-age=31536000, immutable"})
