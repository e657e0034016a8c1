"""The page as a real browser shows it: silent, self-contained, drawn inside its axes, usable by keyboard."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from reports.pages.tradeoff import write_study as write
from studies.queries.studies import Studies
from tests.reports.browser import Visit, visit

PAGE = "tradeoff.html"

GEOMETRY = """
const svg = document.getElementById("tradeoff");
const box = svg.querySelector(".axis").getBBox(), grid = svg.querySelector(".grid").getBBox();
const commands = (path) => path.getAttribute("d").match(/[MHV][^MHVh]*/g);
const numbers = (path) => commands(path).map((one) => [one[0], ...one.slice(1).trim().split(" ").map(Number)]);
const dots = [...svg.querySelectorAll(".points path")].flatMap(numbers);
const outside = dots.filter(([, x, y]) => x < box.x || x > box.x + box.width || y < grid.y || y > box.y);
const front = numbers(svg.querySelector(".front-line"));
return { n: dots.length, outside, xs: front.filter(([kind]) => kind !== "V").map(([, x]) => x),
         width: svg.getBoundingClientRect().width, overflow: document.documentElement.scrollWidth - innerWidth,
         labels: svg.querySelectorAll(".callouts text").length,
         background: getComputedStyle(document.body).backgroundColor };
"""

INTERACTION = """
const plot = document.querySelector(".plot.view-0");
const key = (name) => plot.dispatchEvent(new KeyboardEvent("keydown", { key: name }));
const result = {};
plot.focus();
key("ArrowRight"); key("ArrowRight");
result.readout = document.querySelector(".readout").textContent;
result.ringed = plot.querySelectorAll(".cursor").length;
key("Enter");
result.row = document.activeElement.id;
result.views = [...document.querySelectorAll(".view:not([hidden])")].map((view) => view.id);
const heads = [...document.querySelectorAll("#front th[scope=col]")];
const column = heads.findIndex((head) => head.textContent === "final");
const rows = () => [...document.querySelectorAll("#front tbody tr")];
const values = () => rows().map((row) => Number(row.cells[column].dataset.v));
heads[column].querySelector("button").click();
result.ascending = [heads[column].getAttribute("aria-sort"), values()];
heads[column].querySelector("button").click();
result.descending = [heads[column].getAttribute("aria-sort"), values()];
const select = document.getElementById("configuration");
select.value = select.options[0].value;
select.dispatchEvent(new Event("change"));
result.chosen = [select.value, [...document.querySelectorAll(".view:not([hidden])")].map((view) => view.id)];
const svg = document.getElementById("tradeoff"), dot = svg.querySelector(".points.final.member path");
const [x, y] = dot.getAttribute("d").slice(1).split(/[ h]/).map(Number);
const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
svg.dispatchEvent(new PointerEvent("pointermove", { clientX: at.x, clientY: at.y }));
result.tip = document.querySelector(".tip").textContent;
const choice = document.querySelector("input[value='1']");
if (choice) choice.click();
result.closeUp = [!!choice, getComputedStyle(plot).display];
dispatchEvent(new Event("beforeprint"));
result.closedOnPaper = document.querySelectorAll("details:not([open])").length;
return result;
"""


@pytest.fixture
def folder(report_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(report_folder, tmp_path / "report"))


def assert_quiet(seen: Visit) -> None:
    """Nothing but our own line on the console, which shows that lines are seen; one request, for the page itself."""
    assert len(seen.console) == 1, seen.console
    assert "probe ran" in seen.console[0]
    assert seen.requests == [f"/probed-{PAGE}"]


def test_the_page_is_silent_asks_for_nothing_and_draws_inside_its_axes(
    chromium: str, folder: Path, sample: Studies, tmp_path: Path
) -> None:
    seen = visit(chromium, folder, PAGE, tmp_path / "profile", GEOMETRY)
    assert_quiet(seen)
    found: dict[str, Any] = seen.result
    trials = sample.trials("sample-tradeoff", where="state == 'COMPLETE'")
    assert found["n"] == 2 * trials["duplicate_of"].isna().sum()
    assert found["outside"] == []
    assert len(found["xs"]) == len(sample.front("sample-tradeoff"))
    assert found["xs"] == sorted(found["xs"])
    assert found["labels"] >= 1
    assert found["width"] > 600
    assert found["overflow"] <= 0
    assert found["background"] == "rgb(251, 251, 250)"


def test_keyboard_pointer_sorting_and_choices_work(
    chromium: str, folder: Path, sample: Studies, tmp_path: Path
) -> None:
    seen = visit(chromium, folder, PAGE, tmp_path / "profile", INTERACTION)
    assert_quiet(seen)
    found: dict[str, Any] = seen.result
    front = sample.front("sample-tradeoff")
    second = int(front["number"].iloc[1])
    assert found["readout"].startswith(f"2 of {len(front)} on the front: trial {second}, ratio ")
    assert found["ringed"] == 1
    assert found["row"] == f"front-{second}"
    assert found["views"] == [f"view-{second}"]
    finals = sorted(front["final_accuracy"])
    assert found["ascending"] == ["ascending", finals]
    assert found["descending"] == ["descending", finals[::-1]]
    assert found["chosen"] == [str(front["number"].iloc[0]), [f"view-{front['number'].iloc[0]}"]]
    assert found["tip"].startswith("trial ")
    assert "beta_output" in found["tip"]
    assert found["closeUp"][1] == ("none" if found["closeUp"][0] else "block")
    assert found["closedOnPaper"] == 0


def test_the_page_follows_the_dark_theme_and_fits_a_phone(chromium: str, folder: Path, tmp_path: Path) -> None:
    flags = ("--blink-settings=preferredColorScheme=0", "--window-size=500,900")
    seen = visit(chromium, folder, PAGE, tmp_path / "profile", GEOMETRY, *flags)
    assert_quiet(seen)
    assert seen.result["background"] == "rgb(20, 23, 26)"
    assert seen.result["overflow"] <= 0


@pytest.mark.slow
def test_a_policy_keeps_a_page_that_was_tampered_with_from_asking_for_anything(
    chromium: str, folder: Path, tmp_path: Path
) -> None:
    page = folder / PAGE
    page.write_text(
        page.read_text().replace("</main>", "<img src='/stolen.png'><script>document.title = 1</script></main>")
    )
    seen = visit(chromium, folder, PAGE, tmp_path / "profile", "return document.title;")
    assert seen.requests == [f"/probed-{PAGE}"]
    assert seen.result != "1"
    assert sum("Content Security Policy" in line for line in seen.console) == 2


@pytest.mark.slow
def test_a_study_of_two_thousand_configurations_opens_without_a_word(
    chromium: str, sample: Studies, tmp_path: Path
) -> None:
    from reports.data.study_data import MAX_OFF_FRONT
    from tests.reports.pages.test_tradeoff import STUDY, Many

    many: Any = Many(sample, 2000)
    write(many, STUDY, tmp_path / "report")
    seen = visit(chromium, tmp_path / "report", PAGE, tmp_path / "profile", GEOMETRY.replace("callouts text", "cloud"))
    assert_quiet(seen)
    assert seen.result["labels"] >= 1  # too many points are drawn as their density,
    assert 2 * MAX_OFF_FRONT <= seen.result["n"] < 2 * 2000  # the best of it one by one
    assert seen.result["outside"] == []
