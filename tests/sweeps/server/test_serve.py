"""`hnet serve` as a process: its address, its end, and its errors; and its pages in a real Chromium."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import pytest

from studies.database.open_database import connect
from studies.queries.studies import Studies
from studies.store.store import Store
from tests.reports.conftest import chromium  # noqa: F401  (fixture)
from tests.studies.sample import describe, sample_params, sample_result, sample_study
from tests.sweeps.server.conftest import WRITE_TOKEN

STUDY = "/studies/sample-tradeoff"
PAGES = {
    "studies": "/",
    "study": STUDY,
    "selection": f"{STUDY}?where=compression_ratio%20%3C%200.5",
    "zoomed": f"{STUDY}?where=compression_ratio%20%3C%200.5&zoom=1",
    "cost": f"{STUDY}?x=seconds",
    "trials": f"{STUDY}/trials?sort=-final_accuracy",
    "trial": f"{STUDY}/trials/0",
    "failed": f"{STUDY}/trials/4",
    "compare": "/compare?side=sample-tradeoff:0&side=sample-tradeoff:1",
    "tables": "/tables",
    "table": "/tables/vonoswald2020:table1",
    "database": "/database",
    "api": "/api",
    "empty": "/studies/empty",
    "error": "/studies/nothing",
}


CUT_CAPTIONS = """[...document.querySelectorAll("caption")].map((one) => one.getBoundingClientRect())
    .filter((box) => box.right > innerWidth)"""
OVERLAPPING = """[...document.querySelectorAll(".heat td")].filter((one) => one.scrollWidth > one.clientWidth)
    .map((one) => one.innerText)"""


def start(database: Path, *options: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sweeps", "serve", "--db", str(database), "--port", "0", *options]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )


def address_of(process: subprocess.Popen[str]) -> str:
    """The start address that the process prints."""
    assert process.stdout is not None
    for line in process.stdout:
        if "http://" in line:
            return line.strip()
    raise AssertionError(process.communicate()[1])


@pytest.fixture
def served(database: Path) -> Iterator[str]:
    """The address of a running server, without its token."""
    process = start(database, HNET_TOKEN=WRITE_TOKEN)
    base = address_of(process).partition("/?")[0]
    _wait_for(base)
    yield base
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)


def _wait_for(base: str) -> None:
    for _ in range(100):
        try:
            httpx.get(base)
            return
        except httpx.TransportError:
            time.sleep(0.1)


@pytest.mark.slow
def test_it_prints_a_made_up_token_once_and_ends_cleanly_while_somebody_listens(database: Path) -> None:
    process = start(database)
    address = address_of(process)
    base, _, token = address.partition("/?token=")
    assert len(token) >= 32
    _wait_for(base)
    assert httpx.get(base).status_code == 401
    assert httpx.get(address).status_code == 303
    with httpx.stream("GET", f"{base}/events", headers={"authorization": f"Bearer {token}"}) as stream:
        assert next(stream.iter_lines()).startswith("retry")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Cancel" not in err  # uvicorn's word for a stream that did not end by itself
    assert token not in out + err
    assert "Stopped." in err
    assert "Traceback" not in err


@pytest.mark.slow
def test_a_token_that_was_given_is_not_printed(database: Path) -> None:
    process = start(database, HNET_TOKEN=WRITE_TOKEN)
    assert address_of(process).endswith("/?token=$HNET_TOKEN")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert WRITE_TOKEN not in out + err
    assert process.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        (["--host", "0.0.0.0"], 2, "a token must be given"),
        (["--db", "missing.db"], 5, "no database at missing.db"),
        (["--host", "192.0.2.1", "--token", WRITE_TOKEN], 2, "must be able to bind 192.0.2.1"),
        (["--specs", "missing"], 2, "--specs must be a folder"),
    ],
)
def test_what_cannot_be_served_is_one_line_with_an_exit_code(
    database: Path, options: list[str], code: int, text: str
) -> None:
    out, err = start(database, *options).communicate(timeout=60)
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    assert text in lines[0]
    assert not out


class Browser:
    """A page of a real browser, logged in; what it said on its console and asked elsewhere for is kept."""

    def __init__(self, page: Any, base: str) -> None:
        self.page, self.base = page, base
        self.said: list[str] = []
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda one: None if one.url.startswith(base) else self.said.append(f"asked {one.url}"))
        page.goto(f"{base}/?token={WRITE_TOKEN}")

    def go(self, path: str) -> Any:
        self.page.goto(self.base + path)
        self.page.wait_for_load_state("load")
        return self.page


@pytest.fixture
def chrome(chromium: str) -> Iterator[Any]:  # noqa: F811
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_is_accessible_silent_and_as_wide_as_its_window(
    served: str, chrome: Any, scheme: str, width: int
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    context = chrome.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    browser, axe = Browser(context.new_page(), served), Axe()
    for name, path in PAGES.items():
        page = browser.go(path)
        found = axe.run(page).response["violations"]
        assert not [one["id"] for one in found if one["impact"] in ("serious", "critical")], (name, found)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
        assert page.evaluate(CUT_CAPTIONS) == [], name
        if name != "error":
            assert not browser.said, (name, browser.said)
        browser.said.clear()


@pytest.mark.slow
def test_the_numbers_of_a_matrix_of_many_tasks_do_not_overlap_on_a_phone(
    served: str, database: Path, chrome: Any
) -> None:
    sample_study(connect(str(database)), n_trials=1, seeds=2, n_tasks=12, name="twelve")
    browser = Browser(chrome.new_context(viewport={"width": 390, "height": 900}).new_page(), served)
    page = browser.go("/studies/twelve/trials/0")
    assert page.locator(".heat td").count() > 100
    assert page.evaluate(OVERLAPPING) == []


@pytest.mark.slow
def test_every_page_shows_the_same_without_javascript(served: str, chrome: Any) -> None:
    context = chrome.new_context(java_script_enabled=False)
    browser = Browser(context.new_page(), served)
    page = browser.go(STUDY)
    page.fill("form[aria-label=Selection] input[name=where]", "compression_ratio < 0.4")
    page.click("form[aria-label=Selection] button")
    assert page.locator(".selection").inner_text().count("trials meet it") == 1
    assert "where=" in page.url
    page.click("text=Zoom to it")
    assert "zoom=1" in page.url
    page.click("text=List them")
    assert page.locator("tbody tr").count() > 3


@pytest.mark.slow
def test_dragging_over_the_figure_selects_and_the_back_button_undoes_it(served: str, chrome: Any) -> None:
    browser = Browser(chrome.new_context(viewport={"width": 1280, "height": 900}).new_page(), served)
    page = browser.go(STUDY)
    page.evaluate("window.isSamePage = true")
    page.locator("svg#map").scroll_into_view_if_needed()
    box = page.locator("svg#map").bounding_box()
    page.mouse.move(box["x"] + 0.35 * box["width"], box["y"] + 0.15 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"], steps=5)
    assert page.locator("rect.brush").count() == 1
    page.mouse.up()
    page.wait_for_url("**where=**")
    where = page.locator("input[name=where]").first.input_value()
    assert "< compression_ratio <" in where
    assert "final_accuracy" in where
    assert page.evaluate("window.isSamePage"), "the page was loaded as a whole"
    rows = httpx.get(
        f"{served}/api/v1{STUDY}/trials", params={"where": where}, headers={"authorization": f"Bearer {WRITE_TOKEN}"}
    ).json()["rows"]
    assert page.locator(".selection").inner_text().startswith(f"{len(rows)} trials meet it")
    assert page.locator("g.points.outside").count()
    assert where in page.locator("#command").text_content().replace("'", "")
    page.go_back()
    page.wait_for_selector(".selection:not(:has-text('meet it'))")
    assert "where" not in page.url
    assert not browser.said


@pytest.mark.slow
def test_a_cost_is_chosen_and_kept_while_brushing_and_by_the_back_button(served: str, chrome: Any) -> None:
    browser = Browser(chrome.new_context(viewport={"width": 1280, "height": 900}).new_page(), served)
    page = browser.go(STUDY)
    page.evaluate("window.isSamePage = true")
    page.select_option("select[name=x]", "seconds")
    page.click("#show")
    page.wait_for_selector("h2:has-text('Accuracy against training time')")
    assert page.url.endswith("?x=seconds")
    page.locator("svg#map").scroll_into_view_if_needed()
    box = page.locator("svg#map").bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.1 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.8 * box["height"], steps=5)
    page.mouse.up()
    page.wait_for_selector(".selection:has-text('meet it')")
    assert "< seconds <" in page.locator("#where").input_value()
    page.fill("#where", "n == 3")
    page.press("#where", "Enter")
    rows = httpx.get(
        f"{served}/api/v1{STUDY}/trials?where=n==3", headers={"authorization": f"Bearer {WRITE_TOKEN}"}
    ).json()["rows"]
    page.wait_for_selector(f".selection:has-text('{len(rows)} trials meet it')")
    page.click("text=Zoom to it")
    page.wait_for_url("**zoom=1**")
    assert "x=seconds" in page.url
    assert "--x seconds" in page.locator("#report-command").text_content()
    for _ in range(3):
        page.go_back()
    page.wait_for_selector(".selection:not(:has-text('meet it'))")
    assert page.url.endswith("?x=seconds")
    assert page.locator("#figure-heading").inner_text() == "Accuracy against training time"
    assert page.evaluate("window.isSamePage"), "the page was loaded as a whole"
    assert not browser.said


@pytest.mark.slow
def test_the_front_is_walked_by_keyboard_and_leads_to_its_row(served: str, chrome: Any) -> None:
    page = Browser(chrome.new_context().new_page(), served).go(STUDY)
    page.locator(".brushable").focus()
    page.keyboard.press("ArrowRight")
    assert "1 of" in page.locator(".readout").first.inner_text()
    page.keyboard.press("Enter")
    assert page.locator("tr.found").count() == 1


@pytest.mark.slow
def test_a_page_follows_its_study_within_two_seconds_of_a_result(served: str, database: Path, chrome: Any) -> None:
    browser = Browser(chrome.new_context().new_page(), served)
    page = browser.go("/studies/empty")
    assert "No trial has begun" in page.content()
    page.wait_for_timeout(1500)
    engine = connect(str(database))
    store, study_id = Store(engine), Studies(engine).study("empty").id
    params = sample_params(np.random.default_rng(5))
    launch_id = store.record_launch(study_id, {"command_line": "hnet sweep run empty.yaml", "host": "here"})
    store.start_trial(study_id, 0, describe(params, 4), launch_id=launch_id, attempt=1)
    store.complete_trial(study_id, 0, 1, [sample_result(params, 4, seed) for seed in range(3)])
    began = time.monotonic()
    page.wait_for_selector("svg#map", timeout=10_000)
    assert time.monotonic() - began < 4  # two seconds where nothing else runs
    assert page.locator("a", has_text="trial 0").count()
    assert not browser.said
    engine.dispose()


@pytest.mark.slow
def test_what_is_being_typed_survives_an_update(served: str, database: Path, chrome: Any) -> None:
    page = Browser(chrome.new_context().new_page(), served).go(STUDY)
    page.fill("textarea[name=text]", "half a sent")
    page.fill("input[name=where]", "numb")
    from studies.store.admin import tag_study

    engine = connect(str(database))
    tag_study(engine, "sample-tradeoff", ["appears"])
    engine.dispose()
    page.wait_for_selector("a.tag >> text=appears", timeout=10_000)
    assert page.locator("textarea[name=text]").input_value() == "half a sent"
    assert page.locator("input[name=where]").first.input_value() == "numb"
