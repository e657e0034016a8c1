"""What runs of a study: tasks of its running trials, the controls and the log of a sweep that was started from here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from hnet_core.dotted_keys import short_names
from reports.formatting import parameter
from studies.queries.record import StudyRecord
from sweeps.launch.detached import StartedSweep
from sweeps.server.overview import Overview, overview, running_rows
from sweeps.server.query_parameters import check_names, study_name
from sweeps.server.rendering import Pages
from sweeps.server.service import STARTING, Service


def page(request: Request) -> Response:
    """Show the parts of a study's page that change while it runs, or a sweep that is starting."""
    check_names(request, [])
    service: Service = request.app.state.service
    name = study_name(request)
    version = service.live_version(name)
    if version.startswith(STARTING):
        return starting_page(request, name, version)
    pages: Pages = request.app.state.pages
    return pages.respond(request, version, "running.html.j2", lambda: _content(service, name, version))


def starting_page(request: Request, name: str, version: str) -> Response:
    """Show a sweep that was started and has not made its study yet, or that ended before it could."""
    service: Service = request.app.state.service
    pages: Pages = request.app.state.pages
    return pages.respond(
        request,
        version,
        "starting.html.j2",
        lambda: {"name": name, **log_of(service, name), "live": live_of(pages, name, version) | {"page": "starting"}},
    )


def live_of(pages: Pages, name: str, version: str) -> dict[str, Any]:
    """Return what a page needs to follow a study and its progress."""
    progress = pages.addresses.study(name) + "/running"
    return {"study": name, "seen": version, "progress": progress, "page": "study"}


def running_content(service: Service, name: str, found: Overview) -> dict[str, Any]:
    """Return the running trials, the controls and the log of a study."""
    record = service.studies.study(name)  # not the one of the overview, which is kept until a result comes
    running = running_rows(service, name) if found.counts.states["RUNNING"] else []
    return {
        "name": name,
        "study": found,
        "running": [{**row, **_tasks(record, row)} for row in running],
        "n_running": found.counts.states["RUNNING"],
        "n_failed": found.counts.states["FAILED"],
        "short": short_names(tuple(record.searched)),
        "parameter": parameter,
        "last_command": record.launches[-1]["command_line"] if record.launches else None,
        **log_of(service, name),
    }


def log_of(service: Service, name: str) -> dict[str, Any]:
    """Return the last start of a study from here, with its log; None and "" where there was none."""
    started: StartedSweep | None = service.started.find(name)
    return {"started": started, "log": "" if started is None else service.started.log_tail(started)}


def _content(service: Service, name: str, version: str) -> dict[str, Any]:
    found = overview(service, name)
    return running_content(service, name, found) | {"live": {"study": name, "seen": version, "page": "running"}}


def _tasks(record: StudyRecord, row: Mapping[str, Any]) -> dict[str, Any]:
    done, in_all = record.progress.get(row["number"], (None, None))
    return {"tasks_done": done, "tasks_in_all": in_all}
