"""Sweeps started from here: who may, with which settings, and what a page shows of them.

The commands are stand-ins here; `test_launches_in_browser` runs real sweeps.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from html import escape, unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from studies.database.open_database import connect
from studies.queries.studies import Studies
from studies.store.store import Store
from sweeps.launch.requests import LaunchRequest
from sweeps.presets import preset_text
from sweeps.server import launcher as launching
from sweeps.server.launcher import Launcher
from sweeps.server.launches import form_values
from tests.sweeps.server.conftest import BASE, READ_TOKEN, Ask

SOURCE = "/api/v1/sources/preset/quickstart:smoke"
STUDY = "/api/v1/studies/sample-tradeoff"
WRITES: dict[str, dict[str, Any]] = {
    f"{SOURCE}/check": {},
    f"{SOURCE}/start": {},
    f"{STUDY}/stop": {},
    f"{STUDY}/continue": {},
    f"{STUDY}/retry": {},
}
FORMS = [
    *(f"/launch/preset/quickstart:smoke/{action}" for action in ("check", "start")),
    *(f"/studies/sample-tradeoff/{action}" for action in ("stop", "continue", "retry")),
]
HIDDEN = ["/launch", "/launch/preset/quickstart", "/api/v1/sources", SOURCE]
EVIL = [
    "../../etc/passwd",
    "/etc/passwd",
    "os.system",
    "sqlite:///other.db",
    "1; drop table study",
    "$(id)",
    "--db=x",
    "\0",
]


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """Commands that check and run nothing: a run prints a line and sleeps; the real words are noted."""
    noted: list[list[str]] = []
    processes: list[int] = []

    def command(self: Launcher, request: LaunchRequest, name: str) -> list[str]:
        noted.append(request.words(name))
        study = request.study or "quickstart_smoke"
        found = {"study": study, "studies": [study], "trials": 2, "seeds": 1, "runs": 2, "workers": 1,
                 "estimated_minutes": 3.0, "budget_hours": None, "reduced": [],
                 "warnings": ["one seed (n = 1) gives no interval"]}  # fmt: skip
        code = (
            f"print({json.dumps(found)!r})"
            if name == "check"
            else "print('begun', flush=True); import time; time.sleep(60)"
        )
        return [sys.executable, "-c", code]

    run = Launcher._run

    def keeping(self: Launcher, *arguments: Any) -> Any:
        started = run(self, *arguments)
        processes.append(started.pid)
        return started

    monkeypatch.setattr(Launcher, "_command", command)
    monkeypatch.setattr(Launcher, "_run", keeping)
    yield noted
    for pid in processes:
        end(pid)


def end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def wait_until(is_so: Callable[[], bool]) -> None:
    limit = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < limit
        time.sleep(0.02)


def test_nothing_is_started_or_stopped_without_the_write_token_or_from_elsewhere(ask: Ask, stand_in: list[Any]) -> None:
    refused = [(ask(None), {}, 401), (ask(READ_TOKEN), {}, 403), (ask(read_only=True), {}, 403),
               (ask(), {"origin": "https://evil.example"}, 403)]  # fmt: skip
    for client, headers, status in refused:
        for address, body in WRITES.items():
            assert client.post(address, json=body, headers=headers).status_code == status, address
        for address in FORMS:
            assert client.post(address, data={}, headers=headers).status_code == status, address
        for address in HIDDEN:
            assert client.get(address, headers=headers).status_code == status, address
    assert stand_in == []


def test_a_change_by_get_is_not_possible(ask: Ask) -> None:
    client = ask()
    for address in (*WRITES, *FORMS):
        assert client.get(address).status_code == 405, address


def test_nobody_who_may_only_read_is_offered_a_start_or_a_stop(ask: Ask) -> None:
    for client in (ask(READ_TOKEN), ask(read_only=True)):
        for address in ("/", "/studies/sample-tradeoff", "/studies/sample-tradeoff/running"):
            page = client.get(address).text
            assert "/launch" not in page
            assert "Retry" not in page
    assert "Retry 2 failed trials" in ask().get("/studies/sample-tradeoff").text


@pytest.mark.parametrize("evil", EVIL)
def test_a_path_a_module_or_sql_in_a_parameter_starts_nothing(evil: str, ask: Ask, stand_in: list[Any]) -> None:
    client = ask()
    for kind in ("preset", "file", "table", quote(evil, safe="")):
        for action in ("", "/check", "/start"):
            address = f"/api/v1/sources/{kind}/{quote(evil, safe='')}{action}"
            found = client.post(address, json={}) if action else client.get(address)
            assert found.status_code == 404, address
    bodies: list[Any] = [
        {key: evil} for key in ("trials", "hours", "seeds", "workers", "scale", "data", "db", "set", evil)
    ]
    bodies += [
        {"search": {evil: [1]}},
        {"search": {"method.beta_output": {"low": evil}}},
        {"search": evil},
        [evil],
        evil,
    ]
    bodies += [{"search": {"method.beta_output": {evil: 1}}}, {"search": {"hypernet.task_embedding": [evil]}}]
    for body in bodies:
        for action in ("check", "start"):
            found = client.post(f"{SOURCE}/{action}", json=body)
            assert found.status_code == 400, body
            assert "Traceback" not in found.text
        assert client.post(f"{STUDY}/continue", json=body).status_code in (400, 404), body
    for address in (f"{STUDY}/stop", f"{STUDY}/retry"):
        assert client.post(address, json={evil: 1}).status_code == 400
    assert client.post(f"{STUDY}/retry", json={"numbers": [evil]}).status_code == 400
    assert client.post(f"/api/v1/studies/{quote(evil, safe='')}/stop", json={}).status_code == 404
    assert stand_in == []


def test_an_unknown_key_is_refused_with_those_that_are_known(ask: Ask) -> None:
    found = ask().post(f"{SOURCE}/check", json={"trial": {"stream": {}}, "seeds": 3})
    assert found.status_code == 400
    assert found.json()["error"] == "unknown: 'trial'; known: study, search, trials, hours, seeds, workers."
    found = ask().post(f"{SOURCE}/check", json={"search": {"method.name": ["ewc"]}})
    assert "it searches family, method.beta_output" in found.json()["error"]


def test_a_sweep_starts_after_a_check_of_the_same_settings_alone(ask: Ask, stand_in: list[list[str]]) -> None:
    client, settings = ask(), {"study": "made", "trials": 3, "search": {"hypernet.task_embedding": [8]}}
    assert "check them first" in client.post(f"{SOURCE}/start", json=settings).json()["error"]
    checked = client.post(f"{SOURCE}/check", json=settings).json()
    assert (checked["valid"], checked["found"]["estimated_minutes"]) == (True, 3.0)
    assert client.post(f"{SOURCE}/start", json={**settings, "trials": 4}).status_code == 400
    started = client.post(f"{SOURCE}/start", json=settings).json()
    assert started["studies"] == ["made"]
    assert stand_in[-1][:4] == ["sweep", "run", "quickstart:smoke", "--study=made"]
    assert stand_in[-1][-1] == "budget.trials=3"
    log = f"{BASE}/api/v1/studies/made/log"
    wait_until(lambda: bool(client.get(log).json()["text"] == "begun"))
    assert client.get(log).json()["running"]
    again = client.post(f"{SOURCE}/start", json=settings)
    assert again.status_code == 409
    assert "is running already" in again.json()["error"]
    page = client.get("/studies/made").text
    assert "begun" in page
    assert "starting" in page
    assert "made" in client.get("/launch").text


def test_another_server_finds_what_was_started_and_continues_it_with_more(
    ask: Ask, stand_in: list[list[str]], database: Path
) -> None:
    first = ask()
    first.post(f"{SOURCE}/check", json={"study": "made"})
    pid = first.post(f"{SOURCE}/start", json={"study": "made"}).json()["pid"]
    second = ask()
    assert second.get("/api/v1/studies/made/log").json()["running"]
    assert second.post("/api/v1/studies/made/continue", json={}).status_code == 409
    end(pid)
    wait_until(lambda: not second.get("/api/v1/studies/made/log").json()["running"])
    assert "did not start" in second.get("/studies/made").text
    engine = connect(str(database))
    record = Studies(engine).study("sample-tradeoff")
    Store(engine).create_study("made", {**record.spec, "study": "made"}, 3)
    engine.dispose()
    assert 'action="/studies/made/continue"' in second.get("/studies/made").text
    assert second.post("/api/v1/studies/made/continue", json={"study": "other"}).status_code == 400
    assert second.post("/api/v1/studies/made/continue", json={"trials": 9}).status_code == 200
    assert stand_in[-1] == ["sweep", "run", "quickstart:smoke", "--study=made", "--set", "budget.trials=9"]


def test_a_study_that_exists_is_not_started_again(ask: Ask, stand_in: list[list[str]]) -> None:
    client, settings = ask(), {"study": "sample-tradeoff"}
    checked = client.post(f"{SOURCE}/check", json=settings).json()
    assert not checked["valid"]
    assert "exists already" in checked["problems"][0]
    assert client.post(f"{SOURCE}/start", json=settings).status_code == 400
    assert client.post(f"{STUDY}/continue", json={}).status_code == 404
    assert [words[1] for words in stand_in] == ["check"]


def test_the_form_shows_what_was_given_beside_what_was_found(ask: Ask, stand_in: list[list[str]]) -> None:
    client, form = ask(), "/launch/preset/quickstart:smoke"
    page = client.get(form).text
    assert 'name="low:method.beta_output" value="0.0005"' in page
    assert "Start</button>" not in page
    given = {"study": "made", "trials": "7", "hours": "", "seeds": "1", "workers": "", "low:method.beta_output": "0.01",
             "high:method.beta_output": "1.0", "choice:hypernet.task_embedding": ["", "8", "24"]}  # fmt: skip
    page = client.post(f"{form}/check", data=given).text
    assert 'name="low:method.beta_output" value="0.01"' in page
    assert 'value="8" checked' in page
    assert 'value="12">' in page
    assert "one seed (n = 1)" in page
    assert "Start</button>" in page
    assert stand_in[-1][-1] == "budget.trials=7"
    assert '"float": [0.01, 1.0]' in stand_in[-1][5]
    changed = client.post(f"{form}/start", data={**given, "trials": "8"})
    assert "Start</button>" in changed.text, "it is checked, not started"
    assert [words[1] for words in stand_in] == ["check", "check"]
    started = client.post(f"{form}/start", data=given)
    assert (started.status_code, started.headers["location"]) == (303, "/studies/made")


def test_a_form_that_is_wrong_comes_back_with_each_problem(ask: Ask, stand_in: list[list[str]]) -> None:
    given = {"trials": "many", "low:hypernet.chunk_size": "1", "choice:hypernet.task_embedding": "", "path": "/etc"}
    found = ask().post("/launch/preset/quickstart:smoke/check", data=given)
    assert found.status_code == 400
    assert "unknown: 'path'" in unescape(found.text)
    del given["path"]
    found = ask().post("/launch/preset/quickstart:smoke/check", data=given)
    assert "trials must be a whole number" in found.text
    assert 'value="many"' in found.text
    del given["trials"]
    lines = unescape(ask().post("/launch/preset/quickstart:smoke/check", data=given).text)
    assert "search.hypernet.chunk_size: must be a range within [50, 1500]" in lines
    assert "search.hypernet.task_embedding: must be a list of one or more of" in lines
    assert stand_in == []


TABLE_FORM = "/launch/table/vonoswald2020%3Atable1"


def test_rows_and_columns_of_a_table_are_chosen_by_name_and_run_as_they_were_checked(
    ask: Ask, stand_in: list[list[str]]
) -> None:
    client, source = ask(), "/api/v1/sources/table/vonoswald2020%3Atable1"
    about = client.get(source).json()
    assert about["scales"] == ["full", "reduced", "smoke"]
    rows, columns = about["rows"], about["columns"]
    page = client.get(TABLE_FORM).text
    for name in (*rows, *columns):
        assert re.search(rf'name="(rows|columns)" value="{re.escape(escape(name))}" checked', page), name
    given = {"scale": "smoke", "seeds": "", "workers": "1", "rows": ["", rows[1]], "columns": ["", *columns]}
    page = client.post(f"{TABLE_FORM}/check", data=given).text
    assert "Start</button>" in page
    assert f'value="{escape(rows[1])}" checked' in page
    assert f'value="{escape(rows[0])}" checked' not in page
    options = ["--scale=smoke", "--workers=1", f"--rows={rows[1]}"]
    assert stand_in == [["benchmark", "check", "vonoswald2020:table1", *options]]
    assert client.post(f"{TABLE_FORM}/start", data={**given, "columns": ["", columns[0]]}).status_code == 200
    assert stand_in[-1][1] == "check", "another selection is checked first"
    wanted = {"scale": "smoke", "workers": 1, "rows": [rows[1]], "columns": columns}
    assert client.post(f"{source}/start", json=wanted).status_code == 200, "the same selection was checked"
    assert stand_in[-1] == ["benchmark", "run", "vonoswald2020:table1", *options]


def test_a_row_that_the_table_lacks_is_refused_on_the_page_and_in_the_api(ask: Ask, stand_in: list[Any]) -> None:
    client = ask()
    for names in ([""], ["", "no such row"], *(["", evil] for evil in EVIL)):
        found = client.post(f"{TABLE_FORM}/check", data={"rows": names})
        assert found.status_code == 400, names
        assert re.search("rows: the table has no|rows must be a list of one or more rows", unescape(found.text)), names
    for body in ({"rows": []}, {"rows": "S"}, {"columns": ["x"]}, {"rows": [["S"]]}):
        for action in ("check", "start"):
            found = client.post(f"/api/v1/sources/table/vonoswald2020%3Atable1/{action}", json=body)
            assert found.status_code == 400, body
    assert stand_in == []


def test_fields_of_a_form_become_ranges_and_choices() -> None:
    pairs = [("study", " a "), ("trials", "5"), ("hours", ""), ("low:x", "0.5"), ("high:x", " "), ("choice:y", ""),
             ("choice:y", '"a"'), ("choice:y", "[1, 2]"), ("choice:z", ""), ("odd", "1")]  # fmt: skip
    assert form_values(pairs) == {
        "study": "a", "trials": 5, "odd": "1", "search": {"x": {"low": 0.5}, "y": ["a", [1, 2]], "z": []},
    }  # fmt: skip


def test_specs_of_the_folder_are_offered_and_those_elsewhere_are_not(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "mine.yaml").write_text(preset_text("quickstart"))
    (tmp_path / "specs" / "broken.yaml").write_text("study: x\nbudget: {trials: 0}\n")
    (tmp_path / "outside.yaml").write_text(preset_text("quickstart"))
    client = ask(specs=tmp_path / "specs")
    page = client.get("/launch").text
    assert 'href="/launch/file/mine.yaml%3Asmoke"' in page
    assert "outside" not in page
    assert client.get("/launch/file/mine.yaml%3Asmoke").status_code == 200
    assert client.get("/launch/file/..%2Foutside.yaml").status_code == 404
    broken = client.get("/launch/file/broken.yaml").text
    assert "broken.yaml:2: budget.trials" in broken
    assert str(tmp_path) not in broken.replace(str(tmp_path / "studies.db"), "")


def test_a_password_and_tokens_are_kept_out_of_the_arguments_of_a_sweep(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HNET_TOKEN", "write-token-of-the-server")
    app: Any = ask().app
    launcher: Launcher = app.state.launcher
    assert "HNET_TOKEN" not in launcher._environment()
    request = LaunchRequest(launcher.source("preset", "quickstart"))
    assert launcher._command(request, "run")[-1].startswith("--db=")
    monkeypatch.setattr(launcher, "_settings", type("Settings", (), {"db": "postgresql://me:secret@host/db"}))
    assert "secret" not in " ".join(launcher._command(request, "run"))
    assert launcher._environment()["HNET_DB"] == "postgresql://me:secret@host/db"


def test_one_check_runs_at_a_time_and_a_long_one_is_ended(
    ask: Ask, stand_in: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client: TestClient = ask()
    app: Any = client.app
    with app.state.launcher._is_checking:
        assert client.post(f"{SOURCE}/check", json={}).status_code == 409
    monkeypatch.setattr(launching, "CHECK_SECONDS", 0.0)
    assert "was ended" in client.post(f"{SOURCE}/check", json={}).json()["problems"][0]


def test_failed_trials_are_queued_again_and_a_study_without_a_driver_is_not_stopped(ask: Ask, database: Path) -> None:
    client = ask()
    assert client.post(f"{STUDY}/stop", json={}).json() == {"stopping": False}
    assert client.post(f"{STUDY}/retry", json={"numbers": [0]}).status_code == 400
    queued = client.post(f"{STUDY}/retry", json={}).json()["queued"]
    assert len(queued) == 2
    assert Studies(connect(str(database))).trial_counts("sample-tradeoff").states["RUNNING"] >= 2
    assert client.post("/studies/sample-tradeoff/retry", data={}).headers["location"] == "/studies/sample-tradeoff"


def test_a_driven_study_is_stopped_by_its_flag_and_shows_the_tasks_of_its_trials(ask: Ask, database: Path) -> None:
    client, engine = ask(), connect(str(database))
    store, record = Store(engine), Studies(engine).study("sample-tradeoff")
    (running, *_) = client.post(f"{STUDY}/retry", json={}).json()["queued"]
    before = client.get("/studies/sample-tradeoff").text
    assert store.acquire_lease(record.id, "driver", socket.gethostname(), os.getpid(), 60.0)
    store.renew_lease(record.id, "driver", 60.0, 1.0, {running: (5, 12)})
    page = client.get("/studies/sample-tradeoff").text
    assert "5 of 12" not in before
    assert "5 of 12" in page
    store.renew_lease(record.id, "driver", 60.0, 1.0, {running: (6, 12)})
    assert "6 of 12" in client.get("/studies/sample-tradeoff/running").text
    assert "Stop after the running trials" in page
    assert client.post(f"{STUDY}/retry", json={}).status_code == 409
    assert client.post(f"{STUDY}/stop", json={}).json() == {"stopping": True}
    assert store.renew_lease(record.id, "driver", 60.0, 1.0) is True
    assert "It stops when its running trials have ended" in client.get("/studies/sample-tradeoff").text
    engine.dispose()
