"""Sweeps over the API and from the forms of the pages: sources, check, start, stop, continue, retry, log.

Every address here needs the write token, apart from the log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import unquote

from anyio.to_thread import run_sync
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hnet_core.errors import ConfigInvalid, NotFound
from reports.data.published_cells import SCALES
from studies.output.formats import json_text
from studies.spec.ranges import Choice, IntRange
from sweeps.launch.requests import CELLS, WHEN_CONTINUED, LaunchRequest, check_keys, make_request
from sweeps.launch.sources import Source
from sweeps.server.addresses import Addresses
from sweeps.server.api import rows_response
from sweeps.server.bodies import answer, form_pairs, json_body
from sweeps.server.launcher import Checked, Launcher
from sweeps.server.query_parameters import check_names, study_name

RANGE, CHOICE = ("low", "high"), "choice"
NO_STORE = {"cache-control": "no-store"}


def list_sources(request: Request) -> Response:
    """Everything that can be started: presets, published tables, and the specs of the server's folder."""
    require_write(request)
    check_names(request, [])
    found = [{"kind": one.kind, "name": one.name, "summary": one.summary} for one in launcher_of(request).sources()]
    return rows_response(request, found, ["kind", "name", "summary"])


def show_source(request: Request) -> Response:
    """One source: name of its study, searched fields with their ranges, budget, seeds; of a table rows and columns."""
    require_write(request)
    check_names(request, [])
    content = describe(source_of(request))
    return Response(json_text(content), media_type="application/json", headers=NO_STORE)


async def check_source(request: Request) -> Response:
    """Check settings for a source, and estimate trials and duration; nothing is written."""
    checked = await checked_of(request, await launch_request(request))
    content = {"valid": not checked.problems, "problems": list(checked.problems), "found": checked.found}
    return Response(json_text(content), media_type="application/json", headers=NO_STORE)


async def start_source(request: Request) -> Response:
    """Start a sweep with settings that were found valid by a check."""
    wanted = await launch_request(request)
    started = await run_sync(launcher_of(request).start, wanted)
    return answer(
        request, {"studies": list(started.studies), "pid": started.pid}, study_page(request, started.studies[0])
    )


async def stop_study(request: Request) -> Response:
    """Ask the driver of a study to stop after its running trials; stopping is false where there is no driver."""
    check_keys(await submitted(request), ())
    stopping = await run_sync(launcher_of(request).stop, study_name(request))
    return _at_study(request, {"stopping": stopping})


async def continue_study(request: Request) -> Response:
    """Continue a study that was started from here, with another budget or more seeds if wanted."""
    values = await submitted(request)
    check_keys(values, WHEN_CONTINUED)
    started = await run_sync(launcher_of(request).resume, study_name(request), values)
    return _at_study(request, {"studies": list(started.studies), "pid": started.pid})


async def retry_study(request: Request) -> Response:
    """Queue failed trials again, all or those named, and continue the study if it was started from here."""
    values = await submitted(request)
    check_keys(values, ("numbers",))
    numbers = values.get("numbers", [])
    if not isinstance(numbers, list) or not all(type(each) is int and 0 <= each < 2**31 for each in numbers):
        raise ConfigInvalid("numbers must be a list of trial numbers.")
    queued = await run_sync(launcher_of(request).retry, study_name(request), numbers)
    return _at_study(request, {"queued": queued})


def show_log(request: Request) -> Response:
    """The last lines that a sweep started from here has printed, and whether its process runs."""
    check_names(request, [])
    name, sweeps = study_name(request), launcher_of(request).sweeps
    started = sweeps.find(name)
    if started is None:
        raise NotFound(f"study {name!r} was not started from here, so there is no log of it.")
    content = {"running": started.is_alive, "bytes": sweeps.log_size(started), "text": sweeps.log_tail(started)}
    return Response(json_text(content), media_type="application/json", headers=NO_STORE)


def describe(source: Source) -> dict[str, Any]:
    """Return what a form shows of a source."""
    if source.kind == "table":
        return {
            "kind": source.kind, "name": source.name, "summary": source.summary, "scales": list(SCALES),
            "rows": list(source.rows), "columns": list(source.columns),
        }  # fmt: skip
    spec = source.spec()
    searched = {
        name: {
            "kind": CHOICE if isinstance(each, Choice) else "int" if isinstance(each, IntRange) else "float",
            **({"choices": list(each.choice)} if isinstance(each, Choice) else {
                "low": each.bounds[0], "high": each.bounds[1], "log": each.log, "step": each.step,
            }),
        }
        for name, each in spec.search.items()
    }  # fmt: skip
    return {
        "kind": source.kind, "name": source.name, "summary": source.summary, "study": spec.study, "search": searched,
        "trials": spec.budget.trials, "hours": spec.budget.hours, "seeds": spec.seeds, "sampler": spec.sampler,
    }  # fmt: skip


def require_write(request: Request) -> None:
    """Refuse to show what only the write token may use."""
    if not request.app.state.service.may_write(request):
        raise HTTPException(403, "sweeps are started with the write token (--token), on a server without --read-only")


def launcher_of(request: Request) -> Launcher:
    found: Launcher = request.app.state.launcher
    return found


def source_of(request: Request) -> Source:
    """Return the source of the path; raises NotFound."""
    kind, name = (unquote(request.path_params[key], errors="replace") for key in ("kind", "source"))
    return launcher_of(request).source(kind, name)


async def launch_request(request: Request) -> LaunchRequest:
    """Read what a request wants to run, from a form or a JSON object.

    Raises:
        NotFound: there is no such source.
        ConfigInvalid: a setting is unknown, or not within what the source has.
    """
    values = await submitted(request)
    return await run_sync(lambda: make_request(source_of(request), values))


async def checked_of(request: Request, wanted: LaunchRequest) -> Checked:
    """Check a request in a thread."""
    return await run_sync(partial(launcher_of(request).check, wanted))


async def submitted(request: Request) -> dict[str, Any]:
    """Return the settings of a form or of a JSON object; raises ConfigInvalid."""
    found = await json_body(request)
    return form_values(form_pairs(await request.body())) if found is None else found


def form_values(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Return the settings of a form; `low:FIELD` and `high:FIELD` are bounds, `choice:FIELD` are choices to keep.

    A choice is JSON; `rows` and `columns` are names. An empty one of each, which every form has, makes a field without
    a choice an empty list.
    """
    values: dict[str, Any] = {}
    bounds: dict[str, dict[str, Any]] = {}
    choices: dict[str, list[Any]] = {}
    for key, text in pairs:
        kind, colon, field = key.partition(":")
        if colon and kind in RANGE:
            if text.strip():
                bounds.setdefault(field, {})[kind] = _number(text)
        elif colon and kind == CHOICE:
            kept = choices.setdefault(field, [])
            if text:
                kept.append(_choice(text))
        elif key in CELLS:
            names = values.setdefault(key, [])
            if text:
                names.append(text)
        elif text.strip() or key not in (*WHEN_CONTINUED, "study", "scale"):
            values[key] = _number(text) if key in WHEN_CONTINUED else text.strip()
    return {**values, "search": {**bounds, **choices}} if bounds or choices else values


def _number(text: str) -> int | float | str:
    """Return a number, or the text where it is none, which is refused later."""
    for kind in (int, float):
        try:
            if len(text) < 40:
                return kind(text)
        except ValueError:
            continue
    return text


def _choice(text: str) -> Any:
    try:
        return json.loads(text[:1000])
    except (ValueError, RecursionError):
        return text


def _at_study(request: Request, content: Mapping[str, Any]) -> Response:
    return answer(request, content, study_page(request, study_name(request)))


def study_page(request: Request, name: str) -> str:
    return Addresses(request.app.state.service.settings.root_path).study(name)
