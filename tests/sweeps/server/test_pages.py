"""Every page as HTML: what it shows, its empty states, harmless names, and what a browser keeps."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from studies.database.open_database import connect
from sweeps.cli import app
from tests.own_tables import write_own_tables
from tests.reports.cases import fill, inferring, make_outdated, some_runs
from tests.sweeps.server.conftest import STRANGE, Ask

NAMED = f"/studies/{quote(STRANGE, safe='')}"
STUDY = "/studies/sample-tradeoff"
PAGES = [
    "/",
    "/?archived=1&q=sample",
    STUDY,
    f"{STUDY}?where=compression_ratio<0.5&zoom=1",
    f"{STUDY}?x=seconds",
    f"{STUDY}?x=forgetting&where=seconds<25&zoom=1",
    "/studies/empty",
    NAMED,
    f"{STUDY}/trials",
    f"{STUDY}/trials?sort=-final_accuracy&limit=5",
    f"{STUDY}/trials/0",
    f"{STUDY}/trials/4",
    f"{STUDY}/trials/7",
    f"{STUDY}/trials/10",
    f"{NAMED}/trials/1",
    "/compare",
    "/compare?side=sample-tradeoff:0&side=sample-tradeoff:1",
    "/tables",
    "/tables/vonoswald2020:table1",
    "/database",
    "/api",
]


class Outline(HTMLParser):
    """Elements of a page that must be closed, ids, links and inline code."""

    VOID = frozenset({"meta", "link", "input", "br", "wbr", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids += [given["id"]] if given.get("id") else []
        self.links += [given[name] or "" for name in ("href", "src", "action") if name in given]
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        if tag == "script" and "src" not in given and given.get("type") != "application/json":
            self.inline.append("script")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, (tag, self.getpos())


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_well_formed_and_holds_nothing_that_its_policy_forbids(client: TestClient, address: str) -> None:
    found = client.get(address)
    assert found.status_code == 200, found.text
    outline = Outline(found.text)
    assert not outline.open
    assert not outline.inline
    assert len(outline.ids) == len(set(outline.ids))
    own = [link for link in outline.links if link.startswith("/")]
    assert {link for link in outline.links if re.match(r"\w+:|//", link)} <= {"https://arxiv.org/abs/1906.00695"}
    fragments = {link[1:] for link in outline.links if link.startswith("#")}
    assert fragments <= set(outline.ids)
    assert own


@pytest.mark.slow
def test_every_link_of_the_site_leads_somewhere(client: TestClient) -> None:
    seen: set[str] = set()
    waiting = ["/"]
    while waiting and len(seen) < 150:
        address = waiting.pop()
        path = address.partition("#")[0]
        if path in seen or path.startswith("/events"):
            continue
        seen.add(path)
        found = client.get(path)
        assert found.status_code == 200, (path, found.status_code)
        if found.headers["content-type"].startswith("text/html"):
            waiting += [link for link in Outline(found.text).links if link.startswith("/") and "/note" not in link
                        and not link.endswith(("/tags", "/archive", "/check"))]  # fmt: skip
    assert len(seen) > 60


def test_names_and_notes_of_strangers_stay_text(client: TestClient) -> None:
    for address in ("/", NAMED, f"{NAMED}/trials", f"{NAMED}/trials/1", "/studies/sample-tradeoff"):
        text = client.get(address).text
        assert "<img" not in text
        assert "<b>typed" not in text
    assert "*as* &lt;b&gt;typed&lt;/b&gt;" in client.get("/studies/sample-tradeoff").text


def test_the_numbers_of_a_page_are_those_of_the_api(client: TestClient) -> None:
    rows = client.get("/api/v1/studies/sample-tradeoff/trials?sort=-final_accuracy&limit=5").json()["rows"]
    page = client.get("/studies/sample-tradeoff/trials?sort=-final_accuracy&limit=5").text
    assert re.findall(r'/trials/(\d+)">', page) == [str(row["number"]) for row in rows]
    shown = [float(text) for text in re.findall(r'<td class="num">(0\.\d+)<span class="range">\[', page)[::2]]
    assert shown == pytest.approx([row["final_accuracy"]["mean"] for row in rows], abs=6e-4)


def test_a_selection_narrows_every_part_of_a_study(client: TestClient) -> None:
    where = "compression_ratio < 0.4"
    page = client.get("/studies/sample-tradeoff", params={"where": where}).text
    rows = client.get("/api/v1/studies/sample-tradeoff/trials", params={"where": where}).json()["rows"]
    front = client.get("/api/v1/studies/sample-tradeoff/front", params={"where": where}).json()["rows"]
    assert f"{len(rows)} trials meet it" in page
    assert re.findall(r'<tr id="front-(\d+)"', page) == [str(row["number"]) for row in front]
    best = re.search(r'<section id="best".*?</section>', page, re.S)
    assert best is not None
    listed = {int(number) for number in re.findall(r'/trials/(\d+)">', best[0])}
    assert listed <= {row["number"] for row in rows}
    assert "hnet study trials sample-tradeoff --where &#39;compression_ratio &lt; 0.4&#39;" in page


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("/studies/empty", "hnet sweep run SPEC"),
        ("/?q=nothing-like-it", "Show all studies"),
        ("/studies/sample-tradeoff/trials?where=number<0", "No trial meets the condition"),
        ("/compare", "hnet study compare A B"),
        ("/compare?side=sample-tradeoff&side=archived", "Two seeds show nothing"),
        ("/compare?side=sample-tradeoff&side=nothing", "study &#39;nothing&#39; is not in"),
        ("/studies/sample-tradeoff/trials/4", "hnet study retry sample-tradeoff 4"),
        ("/tables/vonoswald2020:table1", "hnet report paper"),
        ("/database", "hnet db check"),
    ],
)
def test_an_empty_or_failed_state_names_what_to_do(client: TestClient, address: str, text: str) -> None:
    assert text in client.get(address).text


def test_a_new_database_names_the_command_that_fills_it(tmp_path, ask: Ask) -> None:  # type: ignore[no-untyped-def]
    from studies.database.open_database import connect

    connect(str(tmp_path / "new.db"), create=True).dispose()
    assert "hnet sweep run quickstart" in ask(db=str(tmp_path / "new.db")).get("/").text


def test_an_error_is_a_page_for_people(client: TestClient) -> None:
    found = client.get("/studies/sample-tradeof")
    assert found.status_code == 404
    assert "did you mean" in found.text
    assert client.get("/studies/sample-tradeoff?where=final_acuracy<1").status_code == 400


def test_a_browser_gets_a_page_again_only_if_something_changed(ask: Ask) -> None:
    client = ask()
    tag = client.get("/studies/sample-tradeoff").headers["etag"]
    assert client.get("/studies/sample-tradeoff", headers={"if-none-match": tag}).status_code == 304
    client.post("/api/v1/studies/sample-tradeoff/note", json={"text": "changed"})
    found = client.get("/studies/sample-tradeoff", headers={"if-none-match": tag})
    assert found.status_code == 200
    assert "changed" in found.text


def test_a_check_of_the_database_runs_on_demand(ask: Ask) -> None:
    import time

    client = ask()
    assert client.post("/database/check").headers["location"] == "/database"
    for _ in range(200):
        page = client.get("/database").text
        if "no problems" in page:
            return
        time.sleep(0.05)
    pytest.fail(page)


def test_forms_change_a_study_and_lead_back_to_its_page(ask: Ask) -> None:
    client = ask()
    for form, data in (
        ("tags", {"add": "one, two"}),
        ("note", {"text": "line\r\nline"}),
        ("archive", {"archived": "true"}),
    ):
        found = client.post(f"{NAMED}/{form}", data=data)
        assert found.status_code == 303
        assert found.headers["location"] == NAMED
    page = client.get(NAMED).text
    assert "line\nline" in page
    assert "· archived" in page
    assert ">two</a>" in page


def test_results_of_an_earlier_version_are_labelled_as_in_the_report(database: Path, ask: Ask) -> None:
    assert "utdated" not in ask().get(STUDY).text
    engine = connect(str(database))
    make_outdated(engine, "sample-tradeoff", 0)
    engine.dispose()
    client = ask()
    note = "<strong>Outdated:</strong> in 1 trial earlier tasks were evaluated with the batch statistics"
    assert note in client.get(STUDY).text
    assert client.get("/?archived=1").text.count("outdated results") == 1


def test_the_page_of_a_trial_shows_the_matrices_of_task_inference(database: Path, ask: Ask) -> None:
    engine = connect(str(database))
    fill(engine, [[inferring(run) for run in some_runs(0)]], name="inferring")
    engine.dispose()
    page = ask().get("/studies/inferring/trials/0").text
    assert "The task of every input is inferred." in page
    assert "with the task of every input known, on each task" in page
    assert "Share of test inputs whose task is inferred right, on" in page
    assert len(re.findall('id="inference-0-', page)) == 4


def test_tables_that_were_added_while_it_serves_are_listed_and_shown(ask: Ask, database: Path, tmp_path: Path) -> None:
    client = ask()
    assert "mine:t1" not in client.get("/tables").text
    add = CliRunner().invoke(app, ["benchmark", "add", str(write_own_tables(tmp_path)), "--db", str(database)])
    assert add.exit_code == 0, add.output
    assert "mine:t1" in client.get("/tables").text
    assert "Cell by cell" in client.get("/tables/mine:t1").text
    assert "mine:t1" in [row["name"] for row in client.get("/api/v1/tables").json()["rows"]]
