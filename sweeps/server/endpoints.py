"""The addresses of the API, each with its parameters; routes and the OpenAPI document are both made of these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from reports.data.published_cells import SCALES
from studies.metrics.cost_axes import COST_AXES
from sweeps.launch.requests import CELLS, COUNTS, MAX_HOURS
from sweeps.server import api, launches, writes
from sweeps.server.query_parameters import MAX_ROWS, MAX_TEXT

WHERE = {"type": "string", "maxLength": MAX_TEXT}
COUNT = {"type": "integer", "minimum": 1, "maximum": MAX_ROWS}
NUMBER = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}

_ROWS = {
    "where": (WHERE, "condition on columns, as --where of the command line"),
    "sort": (WHERE, "columns, minus for descending, such as -final_accuracy,number"),
    "limit": (COUNT, "at most so many rows"),
}
_AFTER = {"after": (NUMBER, "the trial that the page before ended with")}
_X = {
    "x": (
        {"type": "string", "enum": list(COST_AXES)},
        "the front of quality and this cost, in place of that of the objectives",
    )
}
_SWITCH = {"type": "string", "enum": ["0", "1", "true", "false"]}


@dataclass(frozen=True)
class Endpoint:
    """One address of the API.

    Attributes:
        path: below /api/v1, with {name} and {number}, or {kind} and {source}.
        answer: "rows", which are CSV too, or "object".
        parameters: schema and description of each by name.
        body: schema of each field of a POST; a list may always be left out.
        optional: other fields of it that may be left out.
    """

    path: str
    handler: Callable[..., Any]
    answer: str = "rows"
    parameters: dict[str, tuple[dict[str, Any], str]] = field(default_factory=dict)
    body: dict[str, dict[str, Any]] | None = None
    optional: frozenset[str] = frozenset()

    @property
    def method(self) -> str:
        return "GET" if self.body is None else "POST"

    @property
    def summary(self) -> str:
        return (self.handler.__doc__ or "").strip()


_WORDS = {"type": "array", "items": {"type": "string"}, "maxItems": 50}
_TEXT = {"type": "string", "maxLength": 20_000}
_NUMBERS = {"type": "array", "items": NUMBER, "maxItems": 5000}
_AGAIN: dict[str, dict[str, Any]] = {
    **{key: {"type": "integer", "minimum": 1, "maximum": most} for key, most in COUNTS.items()},
    "hours": {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_HOURS},
}
_LAUNCH: dict[str, dict[str, Any]] = {
    **_AGAIN,
    "study": {"type": "string", "maxLength": 200},
    "scale": {"type": "string", "enum": list(SCALES)},
    **{
        key: {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "description": f"of a published table: the {key} to measure, by name; all where it is left out",
        }
        for key in CELLS
    },
    "search": {
        "type": "object",
        "description": "by searched field: the choices to keep, or bounds within its range",
        "additionalProperties": {
            "oneOf": [
                {"type": "array"},
                {
                    "type": "object",
                    "properties": {"low": {"type": "number"}, "high": {"type": "number"}},
                    "additionalProperties": False,
                },
            ]
        },
    },
}

ENDPOINTS = (
    Endpoint(
        "/studies",
        api.list_studies,
        parameters={
            **_ROWS,
            "tag": (WHERE, "only studies with this tag"),
            "archived": (_SWITCH, "1: archived ones too"),
        },
    ),
    Endpoint("/studies/{name}", api.show_study, "object"),
    Endpoint("/studies/{name}/trials", api.list_trials, parameters={**_ROWS, **_AFTER}),
    Endpoint("/studies/{name}/front", api.list_front, parameters={**_ROWS, **_X}),
    Endpoint("/studies/{name}/trials/{number}", api.show_trial, "object"),
    Endpoint("/studies/{name}/trials/{number}/runs", api.list_runs),
    Endpoint("/studies/{name}/trials/{number}/evaluations", api.list_evaluations),
    Endpoint(
        "/compare",
        api.compare_sides,
        parameters={
            "side": ({"type": "array", "items": {"type": "string"}}, "STUDY or STUDY:NUMBER; give two or more"),
            "metric": ({"type": "string"}, "one that varies over seeds; final_accuracy unless given"),
            "margin": ({"type": "number"}, "largest difference that does not matter"),
        },
    ),
    Endpoint("/tables", api.list_tables),
    Endpoint("/studies/{name}/tags", writes.tag, "object", body={"add": _WORDS, "remove": _WORDS}),
    Endpoint("/studies/{name}/note", writes.note_study, "object", body={"text": _TEXT}),
    Endpoint("/studies/{name}/archive", writes.archive, "object", body={"archived": {"type": "boolean"}}),
    Endpoint("/studies/{name}/trials/{number}/note", writes.note_trial, "object", body={"text": _TEXT}),
    Endpoint("/studies/{name}/log", launches.show_log, "object"),
    Endpoint("/studies/{name}/stop", launches.stop_study, "object", body={}),
    Endpoint("/studies/{name}/continue", launches.continue_study, "object", body=_AGAIN, optional=frozenset(_AGAIN)),
    Endpoint("/studies/{name}/retry", launches.retry_study, "object", body={"numbers": _NUMBERS}),
    Endpoint("/sources", launches.list_sources),
    Endpoint("/sources/{kind}/{source}", launches.show_source, "object"),
    Endpoint(
        "/sources/{kind}/{source}/check", launches.check_source, "object", body=_LAUNCH, optional=frozenset(_LAUNCH)
    ),
    Endpoint(
        "/sources/{kind}/{source}/start", launches.start_source, "object", body=_LAUNCH, optional=frozenset(_LAUNCH)
    ),
)
