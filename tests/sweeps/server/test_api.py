"""The API: the rows of the command line, in pages; the OpenAPI document says what there is."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

import studies
from sweeps.cli import app as cli
from sweeps.server.endpoints import ENDPOINTS
from sweeps.server.openapi import document
from tests.sweeps.server.conftest import STRANGE, Ask

NAMED = f"/api/v1/studies/{quote(STRANGE, safe='')}"


@pytest.mark.parametrize(
    ("address", "command"),
    [
        ("/api/v1/studies", ["ls"]),
        ("/api/v1/studies?archived=1", ["ls", "--all"]),
        ("/api/v1/studies?tag=paper", ["ls", "--tag", "paper"]),
        ("/api/v1/studies/sample-tradeoff", ["show", "sample-tradeoff"]),
        ("/api/v1/studies/sample-tradeoff/trials", ["trials", "sample-tradeoff"]),
        (
            "/api/v1/studies/sample-tradeoff/trials?where=compression_ratio<0.5&sort=-final_accuracy&limit=3",
            [
                "trials",
                "sample-tradeoff",
                "--where",
                "compression_ratio<0.5",
                "--sort",
                "-final_accuracy",
                "--limit",
                "3",
            ],
        ),
        ("/api/v1/studies/sample-tradeoff/front", ["front", "sample-tradeoff"]),
        ("/api/v1/studies/sample-tradeoff/trials/3", ["show", "sample-tradeoff", "3"]),
        (f"{NAMED}/trials", ["trials", STRANGE]),
        (
            "/api/v1/compare?side=sample-tradeoff:0&side=sample-tradeoff:1",
            ["compare", "sample-tradeoff:0", "sample-tradeoff:1"],
        ),
    ],
)
def test_an_address_gives_the_json_of_the_command(
    client: TestClient, _filled: Path, address: str, command: list[str]
) -> None:
    printed = CliRunner().invoke(cli, ["study", *command, "--db", str(_filled), "--format", "json"])
    expected = json.loads(printed.stdout)
    found = client.get(address).json()
    found.pop("next", None)
    assert found == expected


def test_csv_is_that_of_the_command(client: TestClient, _filled: Path) -> None:
    command = ["study", "trials", "sample-tradeoff", "--db", str(_filled), "--format", "csv"]
    found = client.get("/api/v1/studies/sample-tradeoff/trials", headers={"accept": "text/csv"})
    assert found.headers["content-type"].startswith("text/csv")
    assert found.text == CliRunner().invoke(cli, command).stdout
    runs = client.get("/api/v1/studies/sample-tradeoff/trials/0/runs", headers={"accept": "text/csv"}).text
    assert [row["seed"] for row in csv.DictReader(io.StringIO(runs))] == ["0", "1", "2"]


@pytest.mark.parametrize("sort", [None, "-final_accuracy", "method.beta_output", "state,-number", "reason"])
@pytest.mark.parametrize("size", [5, 7])
def test_following_next_gives_every_row_once_in_order(client: TestClient, sort: str | None, size: int) -> None:
    address = f"/api/v1/studies/sample-tradeoff/trials?limit={size}" + (f"&sort={sort}" if sort else "")
    found: list[int] = []
    while address:
        answer = client.get(address)
        content = answer.json()
        found += [row["number"] for row in content["rows"]]
        address = content["next"]
        assert (f"<{address}>" in answer.headers.get("link", "")) == bool(address)
    whole = client.get("/api/v1/studies/sample-tradeoff/trials" + (f"?sort={sort}" if sort else "")).json()["rows"]
    assert found == [row["number"] for row in whole]


@pytest.mark.parametrize(
    ("address", "status", "text"),
    [
        ("/api/v1/studies/nothing", 404, "study 'nothing' is not in"),
        ("/api/v1/studies/sample-tradeoff/trials/999", 404, "has no trial 999"),
        ("/api/v1/studies/sample-tradeoff/trials/x", 400, "must be a whole number"),
        ("/api/v1/studies/sample-tradeoff/trials/99999999999999999999", 400, "must be a whole number"),
        ("/api/v1/studies/sample-tradeoff/trials?where=1;drop table trial", 400, "--where must be a condition"),
        ("/api/v1/studies/sample-tradeoff/trials?where=open('/etc/passwd')", 400, "--where"),
        ("/api/v1/studies/sample-tradeoff/trials?sort=number;--", 400, "unknown column"),
        ("/api/v1/studies/sample-tradeoff/trials?after=1 or 1=1", 400, "after must be a whole number"),
        ("/api/v1/studies/sample-tradeoff/trials?limit=0", 400, "limit must be a whole number from 1"),
        ("/api/v1/studies/sample-tradeoff/trials?limit=1000000", 400, "limit must be a whole number from 1 to 5000"),
        ("/api/v1/studies/sample-tradeoff/trials?wher=1", 400, "unknown parameter 'wher'"),
        ("/api/v1/studies/sample-tradeoff/trials?where=number<1&where=number<2", 400, "must be there once"),
        ("/api/v1/studies/%2e%2e%2f%2e%2e%2fetc%2fpasswd", 404, "is not in"),
        ("/api/v1/studies/%00/trials", 404, "is not in"),
        ("/api/v1/compare?side=sample-tradeoff", 400, "at least two"),
        ("/api/v1/nothing", 404, "no such address"),
    ],
)
def test_an_error_has_the_words_of_the_command_line(client: TestClient, address: str, status: int, text: str) -> None:
    found = client.get(address)
    assert found.status_code == status
    assert text in found.json()["error"]


def test_tags_notes_and_the_archive_are_changed_by_programs(ask: Ask, database: Path) -> None:
    client, found = ask(), studies.open(str(database))
    address = "/api/v1/studies/sample-tradeoff"
    changed = client.post(f"{address}/tags", json={"add": ["new"], "remove": ["mnist"]})
    assert changed.json() == {"tags": ["new", "paper"]}
    assert client.post(f"{address}/note", json={"text": "a note"}).json() == {"text": "a note"}
    assert client.post(f"{address}/trials/3/note", json={"text": "odd"}).status_code == 200
    assert client.post(f"{address}/archive", json={"archived": True}).json() == {"archived": True}
    labels = found.labels("sample-tradeoff")
    assert labels.tags == ["new", "paper"]
    assert labels.note == "a note"
    assert labels.archived_at is not None
    assert found.trial_notes("sample-tradeoff") == {3: "odd"}
    assert client.post(f"{address}/note", json={"text": ""}).status_code == 200
    assert found.labels("sample-tradeoff").note is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"text": 1}', b'{"text": "x", "path": "/etc"}', b'{"text": null}', b"\xff" * 9]
)
def test_a_body_that_is_no_such_object_is_refused(ask: Ask, body: bytes) -> None:
    address, client = "/api/v1/studies/sample-tradeoff/note", ask()
    for kind in ("application/json", "application/x-www-form-urlencoded"):
        found = client.post(address, content=body, headers={"content-type": kind})
        assert found.status_code == 400
        assert found.json()["error"]


def test_the_document_names_every_route_and_every_parameter(client: TestClient) -> None:
    described = client.get("/api/v1/openapi.json").json()
    assert described == json.loads(json.dumps(document()))
    operations = {(path, method) for path, item in described["paths"].items() for method in item}
    assert operations == {(f"/api/v1{one.path}", one.method.lower()) for one in ENDPOINTS}
    assert len({item[method]["operationId"] for item in described["paths"].values() for method in item}) == len(
        ENDPOINTS
    )
    for path, item in described["paths"].items():
        named = {one["name"] for one in next(iter(item.values()))["parameters"] if one["in"] == "path"}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}


EXAMPLES: dict[str, object] = {
    "where": "number >= 0",
    "limit": "5",
    "after": "0",
    "tag": "paper",
    "archived": "1",
    "side": ["sample-tradeoff:0", "sample-tradeoff:1"],
    "metric": "forgetting",
    "margin": "0.1",
}


def test_every_documented_parameter_is_taken_and_every_other_refused(client: TestClient) -> None:
    for endpoint in ENDPOINTS:
        if endpoint.method == "POST":
            continue
        if endpoint.path.endswith("/log"):
            continue  # of a study that was not started from here there is none
        address = f"/api/v1{endpoint.path}".format(name="sample-tradeoff", number=0, kind="preset", source="quickstart")
        given: dict[str, Any] = {name: EXAMPLES[name] for name in endpoint.parameters if name in EXAMPLES}
        if "trials" not in endpoint.path and "front" not in endpoint.path:
            given.pop("where", None)
        assert client.get(address, params=given).status_code == 200, address
        assert client.get(address, params={**given, "other": "1"}).status_code == 400, address
