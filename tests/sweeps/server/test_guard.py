"""Who gets in: host, origin, token, method, size; and what leaves with every response."""

from __future__ import annotations

import logging

import pytest
from starlette.testclient import TestClient

from hnet_core.errors import ConfigInvalid
from sweeps.server.application import make_application
from sweeps.server.guard import MAX_BODY
from sweeps.server.settings import make_settings
from tests.sweeps.server.conftest import BASE, READ_TOKEN, WRITE_TOKEN, Ask

ADDRESSES = ["/", "/studies/sample-tradeoff", "/studies/sample-tradeoff/trials", "/studies/sample-tradeoff/trials/0",
             "/compare", "/tables", "/database", "/api", "/static/live.js", "/events", "/api/v1/studies",
             "/api/v1/openapi.json", "/nowhere"]  # fmt: skip
WRITES = {
    "/api/v1/studies/sample-tradeoff/tags": {"add": ["new"]},
    "/api/v1/studies/sample-tradeoff/note": {"text": "new"},
    "/api/v1/studies/sample-tradeoff/archive": {"archived": True},
    "/api/v1/studies/sample-tradeoff/trials/0/note": {"text": "new"},
}


def test_no_address_answers_without_a_token(ask: Ask) -> None:
    client = ask(None)
    for address in ADDRESSES:
        found = client.get(address)
        assert found.status_code == 401, address
        assert "sample" not in found.text


@pytest.mark.parametrize("token", ["", "x", WRITE_TOKEN[:-1], WRITE_TOKEN + "x", "ä" * 20])
def test_a_wrong_token_is_no_token(ask: Ask, token: str) -> None:
    client = ask(None)
    headers = {"authorization": f"Bearer {token}".encode()}
    assert client.get("/api/v1/studies", headers=headers).status_code == 401


def test_the_start_address_turns_its_token_into_a_cookie_that_scripts_and_other_sites_cannot_use(ask: Ask) -> None:
    client = ask(None)
    found = client.get(f"/?token={WRITE_TOKEN}&q=sample")
    assert found.status_code == 303
    assert found.headers["location"] == "/?q=sample"
    cookie = found.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert client.get("/").status_code == 200


def test_a_login_redirects_to_no_other_host(ask: Ask) -> None:
    found = ask(None).get(f"{BASE}//evil.example/?token={WRITE_TOKEN}")
    assert found.headers["location"] == "/evil.example/"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "", "localhost.evil"])
def test_a_host_name_of_somebody_else_that_resolves_here_is_refused(ask: Ask, host: str) -> None:
    client = ask()
    assert client.get("/", headers={"host": host}).status_code == 421
    assert client.get(f"/?token={WRITE_TOKEN}", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1:1", "[::1]:8080", "hnet.lab.example"])
def test_this_machine_and_the_names_that_were_allowed_are_known(ask: Ask, host: str) -> None:
    assert ask(names=("hnet.lab.example",)).get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8080"])
def test_a_foreign_origin_neither_reads_nor_writes(ask: Ask, origin: str) -> None:
    client = ask()
    assert client.get("/api/v1/studies", headers={"origin": origin}).status_code == 403
    for address, body in WRITES.items():
        assert client.post(address, json=body, headers={"origin": origin}).status_code == 403


def test_the_read_token_and_a_read_only_server_change_nothing(ask: Ask) -> None:
    for client in (ask(READ_TOKEN), ask(read_only=True)):
        for address, body in WRITES.items():
            assert client.post(address, json=body).status_code == 403
        assert client.post("/database/check").status_code == 403
        assert client.get("/api/v1/studies").json()["rows"][0]["tags"] == "mnist, paper"
        assert "Save the note" not in client.get("/studies/sample-tradeoff").text


def test_the_write_token_changes_things_by_post_alone(ask: Ask) -> None:
    client = ask()
    for address, body in WRITES.items():
        refused = client.get(address)
        assert refused.status_code == 405
        assert refused.headers["allow"] == "POST"
        assert client.post(address, json=body).status_code == 200
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        assert client.request(method, "/api/v1/studies/sample-tradeoff").status_code == 405


def test_a_change_by_cookie_needs_a_page_of_this_server(ask: Ask) -> None:
    client = ask(None)
    client.get(f"/?token={WRITE_TOKEN}")
    address, body = "/studies/sample-tradeoff/note", {"text": "by form"}
    assert client.post(address, data=body).status_code == 403
    assert client.post(address, data=body, headers={"origin": BASE}).status_code == 303
    assert "by form" in client.get("/studies/sample-tradeoff").text


def test_a_body_is_limited_whether_its_length_is_announced_or_not(ask: Ask) -> None:
    client = ask()
    address = "/api/v1/studies/sample-tradeoff/note"
    assert client.post(address, content=b"x" * (MAX_BODY + 1)).status_code == 413
    chunks = (b"x" * 1000 for _ in range(MAX_BODY // 1000 + 2))
    assert client.post(address, content=chunks).status_code >= 400


def test_every_response_forbids_what_is_not_its_own(ask: Ask) -> None:
    client = ask()
    for found in (
        client.get("/"),
        client.get("/nowhere"),
        client.get("/static/live.js"),
        client.get("/", headers={"host": "x"}),
    ):
        policy = found.headers["content-security-policy"]
        assert policy.startswith("default-src 'self'")
        assert "unsafe" not in policy
        assert found.headers["x-content-type-options"] == "nosniff"


def test_a_refusal_is_logged_without_the_token(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "hnet"):
        ask(None).get("/studies/x%1b[31m?token=wrong-secret-token")
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("refused 401 GET /studies/x")
    assert "secret" not in line
    assert "\x1b" not in line


def test_an_unexpected_error_shows_no_traceback(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = ask()
    monkeypatch.setattr("studies.queries.tables.study_rows", lambda *a, **k: 1 / 0)
    for address in ("/api/v1/studies", "/"):
        found = client.get(address)
        assert found.status_code == 500
        assert "ZeroDivision" not in found.text
        assert "Traceback" not in found.text
        assert found.headers["content-security-policy"]


@pytest.mark.parametrize(
    "change",
    [
        {"host": "0.0.0.0"},
        {"host": "192.0.2.7"},
        {"token": "short", "host": "0.0.0.0"},
        {"token": ""},
        {"token": "same-token-0123456789", "read_token": "same-token-0123456789"},
        {"root_path": "hnet"},
        {"root_path": "/../x"},
    ],
)
def test_unsafe_options_are_refused_before_anything_is_bound(change: dict[str, str]) -> None:
    with pytest.raises(ConfigInvalid):
        make_settings("x.db", **change)  # type: ignore[arg-type]


def test_a_made_up_token_is_long_and_new_each_time() -> None:
    made = [make_settings("x.db") for _ in range(2)]
    assert made[0].start_token != made[1].start_token
    assert len(made[0].start_token) >= 32


def test_a_root_path_is_in_every_address_and_in_the_cookie(database, ask: Ask) -> None:  # type: ignore[no-untyped-def]
    settings = make_settings(str(database), token=WRITE_TOKEN, root_path="/hnet")
    with TestClient(make_application(settings), base_url=BASE, root_path="/hnet", follow_redirects=False) as client:
        found = client.get(f"/hnet/?token={WRITE_TOKEN}")
        assert "Path=/hnet;" in found.headers["set-cookie"]
        page = client.get("/hnet/", headers={"authorization": f"Bearer {WRITE_TOKEN}"}).text
    assert 'href="/hnet/studies/sample-tradeoff"' in page
    assert 'href="/studies' not in page
    assert 'src="/hnet/static/live.js' in page
