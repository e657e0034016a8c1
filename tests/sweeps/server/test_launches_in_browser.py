"""Real sweeps on a real Ray, started from a page in a real Chromium: watched, stopped, continued, and left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2 as httpx
import pytest
import yaml

from studies.database.open_database import connect
from studies.queries.studies import Studies
from studies.spec.yaml_subset import write_yaml
from tests.reports.conftest import chromium  # noqa: F401  (fixture)
from tests.sweeps.server.conftest import WRITE_TOKEN
from tests.sweeps.server.test_serve import Browser, _wait_for, address_of, chrome, start  # noqa: F401  (fixture)
from tests.sweeps.test_ray import workers_of
from tests.sweeps.tiny import SPEC

SECONDS = 300.0
TRIALS = 5
HEADERS = {"authorization": f"Bearer {WRITE_TOKEN}"}


class Served:
    """A server over a database of its own, with one spec in its folder; it can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "runs.db"
        self.specs = folder / "specs"
        self.specs.mkdir()
        slow = {**SPEC["trial"], "training": {"iterations": 6000, "batch_size": 16}}
        spec = {**SPEC, "trial": slow, "budget": {"trials": TRIALS}}
        (self.specs / "tiny.yaml").write_text(write_yaml(spec))
        connect(str(self.database), create=True).dispose()
        self.process: subprocess.Popen[str] | None = None
        self.base = ""

    def start(self) -> str:
        self.process = start(self.database, "--specs", str(self.specs), HNET_TOKEN=WRITE_TOKEN)
        self.base = address_of(self.process).partition("/?")[0]
        _wait_for(self.base)
        return self.base

    def end(self, number: int) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.communicate(timeout=60)
            self.process = None

    def ask(self, path: str, body: Any = None) -> Any:
        address = f"{self.base}/api/v1{path}"
        found = httpx.get(address, headers=HEADERS, timeout=120) if body is None else None
        return (found or httpx.post(address, json=body, headers=HEADERS, timeout=120)).json()

    def end_sweeps(self) -> None:
        """End the sweeps that a failed test has left."""
        studies = Studies(connect(str(self.database)))
        for study in studies.names():
            driver = studies.study(study).driver
            if driver is not None and self.ask(f"/studies/{quote(study, safe='')}/log").get("running"):
                os.kill(driver["pid"], signal.SIGTERM)

    def command(self, *words: str) -> Any:
        command = [sys.executable, "-m", "sweeps", *words, "--db", str(self.database), "--format", "json"]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with ExitStack() as ending:
        made = Served(tmp_path)
        made.start()
        ending.callback(lambda: made.end(signal.SIGTERM))
        ending.callback(made.end_sweeps)
        yield made


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    limit = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < limit, what
        time.sleep(0.2)


@pytest.mark.slow
def test_a_sweep_is_started_watched_stopped_and_continued_from_its_page(server: Served, chrome: Any) -> None:  # noqa: F811
    browser = Browser(chrome.new_context(viewport={"width": 1280, "height": 900}).new_page(), server.base)
    page = browser.page
    page.set_default_timeout(SECONDS * 1000)
    page.click("text=Start a sweep")
    page.click("text=tiny.yaml")
    page.fill("input[name=study]", "mine")
    page.fill("input[name='high:hypernet.chunk_size']", "100")
    page.fill("input[name=workers]", "1")
    page.fill("input[name=trials]", "none")
    page.click("text=Check")
    page.wait_for_selector("text=trials must be a whole number")
    browser.said.clear()  # the browser notes the status 400
    page.fill("input[name=trials]", str(TRIALS))
    page.click("text=Check")
    page.wait_for_selector("text=It can be started")
    assert page.locator(".cards .value").first.inner_text() == str(TRIALS)
    page.click("button:has-text('Start')")
    page.wait_for_url("**/studies/mine")
    page.wait_for_selector("h1:has-text('mine')")

    # The page becomes that of the study, and follows it without being loaded.
    page.wait_for_selector("button:has-text('Stop after the running trials')")
    page.evaluate("window.isSamePage = true")
    page.wait_for_selector("#running .count:has-text('of 4')")  # two tasks of two seeds
    page.click("button:has-text('Stop after the running trials')")
    page.wait_for_selector("button:has-text('Continue')")
    assert "Stopped. Continue with" in page.locator(".log").inner_text()
    done = server.command("sweep", "status", "mine")["done"]
    assert 1 <= done < TRIALS
    page.evaluate("window.isSamePage = true")
    page.click("button:has-text('Continue')")
    page.wait_for_selector(f".setting .count:has-text('{TRIALS} of {TRIALS}')")
    page.wait_for_selector("text=The process that was started from here has ended")
    assert "Finished." in page.locator(".log").inner_text()
    assert not browser.said

    rows = server.command("study", "trials", "mine")["rows"]
    assert [row["number"] for row in rows] == list(range(TRIALS))
    assert all(row["state"] == "COMPLETE" and 20 <= row["params"]["hypernet.chunk_size"] <= 100 for row in rows)
    page.goto(f"{server.base}/studies/mine/trials?sort=number")
    shown = page.locator("table.trials tbody tr")
    heads = page.locator("table.trials thead th").all_inner_texts()
    column = next(i for i, head in enumerate(heads) if "final" in head.lower() and "accuracy" in head.lower())
    for index, row in enumerate(rows):
        text = shown.nth(index).locator("th, td").nth(column).inner_text()
        assert float(text.split()[0]) == pytest.approx(row["final_accuracy"]["mean"], abs=0.005)
        assert f"n={row['final_accuracy']['n']}" in text


@pytest.fixture
def images(mnist_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real MNIST for a server that is started after this, and for its sweeps."""
    monkeypatch.setenv("HNET_DATA", str(mnist_root))


@pytest.mark.slow
@pytest.mark.usefixtures("images")
def test_some_cells_of_a_published_table_are_started_from_its_page_and_measured(server: Served, chrome: Any) -> None:  # noqa: F811
    browser = Browser(chrome.new_context(viewport={"width": 1280, "height": 900}).new_page(), server.base)
    page, row, column = browser.page, "S-CL1", "EWC"
    page.set_default_timeout(SECONDS * 1000)
    page.goto(f"{server.base}/launch/table/vonoswald2020%3Atable1")
    for name in ("rows", "columns"):
        for box in page.locator(f"input[type=checkbox][name={name}]").all():
            box.set_checked(box.get_attribute("value") in (row, column))
    page.select_option("select[name=scale]", "smoke")
    page.fill("input[name=workers]", "1")
    page.click("button:has-text('Check')")
    page.wait_for_selector("text=It can be started")
    assert page.locator(".cards .value").all_inner_texts() == ["1", "under a minute"]
    study = f"vonoswald2020:table1:smoke:rows={row}:columns={column}"
    assert study in page.locator(".cards").inner_text()
    page.click("button:has-text('Start')")
    page.wait_for_url("**/studies/**")
    page.wait_for_selector("text=The process that was started from here has ended")
    assert "Finished. Look at it" in page.locator(".log").inner_text()
    assert "1 of 1" in page.locator(".setting").inner_text()
    (trial,) = server.command("study", "trials", study)["rows"]
    assert (trial["state"], trial["method"], trial["final_accuracy"]["n"]) == ("COMPLETE", "ewc", 1)
    page.goto(f"{server.base}/tables/vonoswald2020:table1")
    (cell,) = [each for each in page.locator("#cells tbody tr").all_inner_texts() if row in each and column in each]
    assert f"{100 * trial['final_accuracy']['mean']:.4g}" in cell, "its accuracy in percent"
    assert "reduced, so no reproduction" in cell
    assert not browser.said


@pytest.mark.slow
def test_failed_trials_are_tried_again_by_a_click_and_complete(server: Served, chrome: Any) -> None:  # noqa: F811
    content = yaml.safe_load((server.specs / "tiny.yaml").read_text())
    fragile = {**content, "budget": {"trials": 1}, "limits": {"retries": 0}}
    (server.specs / "fragile.yaml").write_text(write_yaml(fragile))
    settings = {"study": "mine", "workers": 1}
    assert server.ask("/sources/file/fragile.yaml/check", settings)["valid"]
    driver = server.ask("/sources/file/fragile.yaml/start", settings)["pid"]
    page = Browser(chrome.new_context().new_page(), server.base).page
    page.set_default_timeout(SECONDS * 1000)
    page.goto(f"{server.base}/studies/mine")
    page.wait_for_selector("#running .count:has-text('of 4')")
    wait_until(lambda: bool(workers_of(driver)), "no worker trains")
    os.kill(workers_of(driver)[0], signal.SIGKILL)
    page.wait_for_selector("button:has-text('Retry 1 failed trial')")
    assert "gave up after 1 attempts: the worker process died" in page.locator("#coverage").inner_text()
    (failed,) = server.command("study", "trials", "mine")["rows"]
    assert failed["state"] == "FAILED"
    page.click("button:has-text('Retry 1 failed trial')")
    page.wait_for_selector("#answer .role:has-text('Best final_accuracy')")
    page.wait_for_selector("text=The process that was started from here has ended")
    (trial,) = server.command("study", "trials", "mine")["rows"]
    assert (trial["state"], trial["attempt"], trial["config_hash"]) == ("COMPLETE", 2, failed["config_hash"])
    assert page.locator("button:has-text('Retry')").count() == 0


@pytest.mark.slow
def test_a_sweep_survives_kill_9_of_its_server_and_a_new_server_finds_it(server: Served) -> None:
    settings = {"study": "mine", "workers": 1}
    assert server.ask("/sources/file/tiny.yaml/check", settings)["valid"]
    pid = server.ask("/sources/file/tiny.yaml/start", settings)["pid"]
    wait_until(lambda: bool(server.ask("/studies/mine").get("states", {}).get("RUNNING")), "no trial runs")
    server.end(signal.SIGKILL)
    os.kill(pid, 0)  # raises if it has ended
    server.start()
    found = server.ask("/studies/mine/log")
    assert found["running"]
    assert "Study mine" in found["text"]
    page = httpx.get(f"{server.base}/studies/mine", headers=HEADERS).text
    assert "Stop after the running trials" in page
    assert f"process {pid}" in page
    wait_until(lambda: not server.ask("/studies/mine/log")["running"], "it does not end")
    assert "Finished." in server.ask("/studies/mine/log")["text"]
    assert server.command("sweep", "status", "mine")["done"] == TRIALS


@pytest.mark.slow
def test_the_pages_of_a_start_are_accessible_silent_and_as_wide_as_their_window(server: Served, chrome: Any) -> None:  # noqa: F811
    from axe_playwright_python.sync_playwright import Axe

    (server.specs / "broken.yaml").write_text("study: x\nbudget: {trials: 0}\n")
    addresses = ["/launch", "/launch/file/tiny.yaml", "/launch/file/broken.yaml", "/launch/preset/three_families",
                 "/launch/table/vonoswald2020%3Atable1"]  # fmt: skip
    for scheme, width in (("light", 1280), ("dark", 390)):
        context = chrome.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
        browser = Browser(context.new_page(), server.base)
        for address in addresses:
            page = browser.go(address)
            found = Axe().run(page).response["violations"]
            assert not [one["id"] for one in found if one["impact"] in ("serious", "critical")], (address, found)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, address
            assert not browser.said, (address, browser.said)


@pytest.mark.slow
def test_a_sweep_is_started_without_javascript(server: Served, chrome: Any) -> None:  # noqa: F811
    page = Browser(chrome.new_context(java_script_enabled=False).new_page(), server.base).page
    page.set_default_timeout(SECONDS * 1000)
    page.goto(f"{server.base}/launch/file/tiny.yaml")
    page.fill("input[name=study]", "mine")
    page.fill("input[name=trials]", "1")
    page.click("text=Check")
    page.click("button:has-text('Start')")
    page.wait_for_url("**/studies/mine")
    wait_until(lambda: not server.ask("/studies/mine/log")["running"], "it does not end")
    page.reload()
    assert "1 of 1" in page.locator(".setting").inner_text()
