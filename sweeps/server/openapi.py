"""The OpenAPI document of the API, made of the endpoints themselves."""

from __future__ import annotations

from typing import Any, get_args

from sweeps.launch.sources import Kind
from sweeps.server.endpoints import ENDPOINTS, NUMBER, Endpoint

_ERRORS = {
    "400": "a parameter cannot be used",
    "401": "no valid token",
    "403": "the token may not do this, or the request comes from another origin",
    "404": "there is no such study, trial or table",
    "421": "the server is not known by that host name",
    "503": "the database cannot be read, or not within the time limit",
}


def document(server: str = "") -> dict[str, Any]:
    """Return the document, OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0); `server` is the root path."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(f"/api/v1{endpoint.path}", {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "hnet",
            "version": "1",
            "description": "Studies of hyperparameter sweeps: the rows of the command line. A metric over seeds is "
            '{"mean", "low", "high", "n"} with its 95 % t interval; NaN is null.',
        },
        "servers": [{"url": server or "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                "Rows": {
                    "type": "object",
                    "required": ["rows", "next"],
                    "properties": {
                        "rows": {"type": "array", "items": {"type": "object"}},
                        "next": {"type": ["string", "null"], "description": "address of the next page"},
                    },
                },
                "Object": {"type": "object"},
                "Error": {
                    "type": "object",
                    "required": ["error"],
                    "properties": {"error": {"type": "string"}, "exit_code": {"type": "integer"}},
                },
            },
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    errors = dict(_ERRORS)
    if endpoint.body is not None:
        errors |= {"409": "a driver holds the study, or a check is running", "413": "the body is too large"}
    return {
        "operationId": endpoint.handler.__name__,
        "summary": endpoint.summary,
        "parameters": [*_in_path(endpoint), *_in_query(endpoint)],
        **({} if endpoint.body is None else {"requestBody": _body(endpoint)}),
        "responses": {
            "200": {"description": "found" if endpoint.body is None else "changed", "content": _content(endpoint)},
            **{status: _error(text) for status, text in errors.items()},
        },
    }


def _in_path(endpoint: Endpoint) -> list[dict[str, Any]]:
    text = {"type": "string", "minLength": 1}
    schemas = {"name": text, "number": NUMBER, "kind": {"type": "string", "enum": list(get_args(Kind))}, "source": text}
    used = [name for name in schemas if f"{{{name}}}" in endpoint.path]
    return [{"name": name, "in": "path", "required": True, "schema": schemas[name]} for name in used]


def _in_query(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "description": text, "schema": schema}
        for name, (schema, text) in endpoint.parameters.items()
    ]


def _body(endpoint: Endpoint) -> dict[str, Any]:
    fields = endpoint.body or {}
    required = [name for name, schema in fields.items() if schema["type"] != "array" and name not in endpoint.optional]
    schema = {"type": "object", "properties": fields, "required": required, "additionalProperties": False}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _content(endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.answer == "object":
        return {"application/json": {"schema": {"$ref": "#/components/schemas/Object"}}}
    return {
        "application/json": {"schema": {"$ref": "#/components/schemas/Rows"}},
        "text/csv": {"schema": {"type": "string"}},
    }


def _error(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
