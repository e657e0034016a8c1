"""Every kind of page in a real browser: silent, drawn inside its axes, switchable, and without controls in print."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from reports.data.published_cells import Configuration, MeasuredBy, PublishedCell, PublishedTable
from reports.pages import comparison as comparison_report
from reports.pages import published_table, tradeoff
from studies.queries.studies import Studies
from tests.reports.browser import visit, widths
from tests.reports.cases import fill, import_cells, new_engine, open_in, some_params, some_runs
from tests.reports.pages.test_tradeoff import rows_of
from tests.studies.sample import sample_spec

# Each drawn mark lies between the ends of the x axis and within the grid of its drawing.
INSIDE = """
const outside = [];
for (const svg of document.querySelectorAll(".plot svg:has(.axis):has(.grid)")) {
  if (!svg.getClientRects().length) continue;
  const axis = svg.querySelector(".axis").getBBox(), grid = svg.querySelector(".grid").getBBox();
  for (const path of svg.querySelectorAll("g.points path")) {
    for (const place of path.getAttribute("d").split("M").slice(1)) {
      const [x, y] = place.match(/-?[\\d.]+/g).map(Number);
      const isWide = x < axis.x - 1 || x > axis.x + axis.width + 1, isHigh = y < grid.y - 1 || y > axis.y + 1;
      if (isWide || isHigh) outside.push([svg.id, x, y]);
    }
  }
}
const marks = document.querySelectorAll("g.points path").length;
"""
SORTS = """
const table = document.querySelector("table.sortable"), heads = [...table.tHead.rows[0].cells];
const column = heads.findIndex((head) => head.classList.contains("num"));
heads[column].querySelector("button").click();
const values = [...table.tBodies[0].rows].map((row) => row.cells[column].dataset.v ?? row.cells[column].textContent);
const known = values.filter((value) => !Number.isNaN(Number(value))).map(Number);
const isAscending = known.every((v, i) => !i || known[i - 1] <= v);
const sorted = isAscending && heads[column].getAttribute("aria-sort") === "ascending";
const overflow = document.documentElement.scrollWidth - innerWidth;
"""
# The style rules for print made those of the screen.
PRINTED = """
for (const sheet of document.styleSheets) for (const rule of sheet.cssRules)
  if (rule.media?.mediaText === "print") rule.media.mediaText = "all";
const isShown = (one) => one.getClientRects().length;
const shown = (selector) => [...document.querySelectorAll(selector)].filter(isShown).length;
dispatchEvent(new Event("beforeprint"));
"""


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Studies:
    folder = tmp_path_factory.mktemp("pages")
    engine = new_engine(folder)
    fill(engine, [some_runs(number) for number in range(10)], name="one")
    fill(engine, [some_runs(n) for n in range(10, 20)], name="two", trained=[some_params(n) for n in range(10, 20)])
    fill(
        engine,
        [some_runs(number) for number in range(10)],
        name="families",
        params=[{**some_params(number), "family": ("even", "odd")[number % 2]} for number in range(10)],
        search={**sample_spec("families", 10, 3, 4)["search"], "family": {"choice": ["even", "odd"]}},
    )
    three = {"final_accuracy": "maximize", "compression_ratio": "minimize", "seconds": "minimize"}
    fill(engine, [some_runs(number) for number in range(10)], name="three", objectives=three)
    engine.dispose()
    few = {(after, on): 0.9 for after in (1, 2) for on in range(1, after + 1)}
    many = {(after, on): 0.9 for after in range(1, 101) for on in range(1, after + 1)}
    import_cells(folder, "elsewhere", [[few, few], [few]], [{"stream.dataset": "a"}] * 2)
    import_cells(folder, "nowhere", [[few, few]], [{"stream.dataset": "b"}])
    import_cells(folder, "tasks", [[many]])
    return open_in(folder)


def look(chromium: str, tmp_path: Path, page: Path, script: str, *flags: str) -> Any:
    """What the script returns; the page says nothing and asks for nothing but itself."""
    seen = visit(chromium, page.parent, page.name, tmp_path / "profile", script, *flags)
    assert len(seen.console) == 1, seen.console
    assert "probe ran" in seen.console[0]
    assert seen.requests == [f"/probed-{page.name}"]
    return seen.result


@pytest.mark.slow
def test_fronts_of_several_studies_can_be_walked_and_hovered(chromium: str, studies: Studies, tmp_path: Path) -> None:
    page = tradeoff.write(studies, ["one", "two"], tmp_path / "out")
    script = INSIDE + SORTS + """
    const plot = document.querySelector(".plot.view-0"), n = plot.querySelectorAll(".glyphs path").length;
    plot.focus();
    plot.dispatchEvent(new KeyboardEvent("keydown", { key: "End" }));
    const readout = document.querySelector(".readout").textContent;
    plot.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
    const row = document.activeElement.id;
    const svg = plot.querySelector("svg"), mark = svg.querySelector(".glyphs path").getAttribute("d");
    const [x, y] = mark.match(/[\\d.]+/g).map(Number);
    const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
    svg.dispatchEvent(new PointerEvent("pointermove", { clientX: at.x, clientY: at.y }));
    return { outside, marks, sorted, overflow, n, readout, row, tip: document.querySelector(".tip").textContent };
    """  # fmt: skip
    found = look(chromium, tmp_path, page, script)
    assert found["outside"] == []
    assert found["marks"] > 20
    assert found["sorted"]
    assert found["overflow"] <= 0
    assert found["readout"].startswith(f"{found['n']} of {found['n']} on the front: two: trial ")
    assert found["row"].startswith("fronts-row-1-")
    assert found["tip"].startswith("one: trial ")
    assert "on the front" in found["tip"]


@pytest.mark.slow
@pytest.mark.parametrize("x", ["seconds", "memory_bytes", "model_bytes", "forgetting"])
def test_every_mark_is_inside_its_axes_whatever_the_cost(
    chromium: str, studies: Studies, tmp_path: Path, x: str
) -> None:
    page = tradeoff.write(studies, ["three"], tmp_path / "out", x=x)
    script = INSIDE + """
    const boxes = (style) => [...document.querySelectorAll(`#parallel ${style}`)].map((one) => one.getBBox());
    const axes = boxes(".axis"), lines = boxes(".final-line");
    const top = Math.min(...axes.map((one) => one.y)), bottom = Math.max(...axes.map((one) => one.y + one.height));
    const isIn = lines.every((one) => one.y >= top - 1 && one.y + one.height <= bottom + 1);
    const panels = document.querySelectorAll("#objectives-part .panels svg").length;
    return { outside, marks, panels, n: lines.length, isIn };
    """  # fmt: skip
    found = look(chromium, tmp_path, page, script)
    assert found["outside"] == []
    assert found["marks"] > 20
    assert (found["panels"], found["n"], found["isIn"]) == (3, 10, True)


@pytest.mark.slow
def test_a_family_can_be_left_out_of_the_figure_and_its_table_and_brought_back(
    chromium: str, studies: Studies, tmp_path: Path
) -> None:
    page = tradeoff.write_study(studies, "families", tmp_path / "out")
    script = INSIDE + """
    const svg = document.getElementById("fronts"), figure = svg.closest("figure");
    const isShown = (one) => one.getClientRects().length;
    const shown = (selector, root) => [...root.querySelectorAll(selector)].filter(isShown).length;
    const count = () => ["g.points.family-0", "g.points.family-1", ".callouts text"].map((mark) => shown(mark, svg));
    const rows = () => figure.querySelectorAll("tr[id^='fronts-row']:not(.out)").length;
    const [even, odd] = figure.querySelectorAll("button[data-family]");
    const before = [count(), rows()];
    odd.click();
    const plot = svg.closest(".plot"), n = svg.querySelectorAll("g[id='fronts-0-front'] path").length;
    plot.focus();
    plot.dispatchEvent(new KeyboardEvent("keydown", { key: "End" }));
    const readout = figure.querySelector(".readout").textContent;
    const during = [count(), rows()];
    odd.click();
    const after = [count(), rows()], names = [even, odd].map((one) => one.textContent.trim());
    return { outside, before, during, after, n, readout, names, legends: shown(".legend", figure) };
    """  # fmt: skip
    found = look(chromium, tmp_path, page, script)
    assert found["outside"] == []
    assert found["names"] == ["even", "odd"]
    assert found["legends"] == 1
    (even, odd, labels), rows = found["before"]
    assert even and odd and labels == 2
    assert found["during"][0] == [even, 0, 1]
    assert 0 < found["during"][1] < rows
    assert found["readout"].startswith(f"{found['n']} of {found['n']} on the front: trial ")
    assert found["after"] == found["before"]


@pytest.mark.slow
def test_each_view_shows_its_drawing_and_its_words_alone(chromium: str, studies: Studies, tmp_path: Path) -> None:
    page = tradeoff.write_study(studies, "one", tmp_path / "out")
    script = """
    const inputs = [...document.querySelectorAll(".choice input")];
    const visible = (selector) => [...document.querySelectorAll(selector)].filter((one) => one.getClientRects().length);
    return inputs.map((input) => {
      input.click();
      const drawn = visible(".switchable .plot").map((plot) => plot.querySelector("svg").id);
      return [drawn, visible(".switchable .caption").length];
    });
    """
    found = look(chromium, tmp_path, page, script)
    assert [ids for ids, _ in found][-3:] == [["tradeoff-seeds"], ["tradeoff-bins"], ["tradeoff-attainment"]]
    assert {words for _, words in found} == {1}


@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 420])
def test_a_comparison_draws_its_differences_inside_the_axis(
    chromium: str, studies: Studies, tmp_path: Path, width: int
) -> None:
    page = comparison_report.write(studies, ["one", "two", "one:3"], tmp_path / "out", margin=0.01)
    script = INSIDE + SORTS + "return { outside, marks, sorted, overflow };"
    found = look(chromium, tmp_path, page, script, f"--window-size={width},900")
    assert found["outside"] == []
    assert found["marks"] >= 6
    assert found["sorted"]
    assert found["overflow"] <= 0


def test_a_published_table_is_drawn_and_sorted(
    chromium: str, studies: Studies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = Configuration("any", "a note", {"full": studies.ledger("one")[0]["config"]})
    way = MeasuredBy(configuration, "final_accuracy")
    cell = PublishedCell("row", "column", "percent", "95.00 ± 0.10", 95.0, 0.1, "sem", 5, "", (way,))
    table = PublishedTable("here:table1", "A table", "somebody", "https://example.org", (cell,))
    monkeypatch.setattr("reports.pages.published_table.published_table", lambda name, studies: table)
    page = published_table.write(studies, "here:table1", tmp_path / "out")
    found = look(chromium, tmp_path, page, INSIDE + SORTS + "return { outside, marks, sorted, overflow };")
    assert (found["outside"], found["marks"] >= 1, found["sorted"]) == ([], True, True)
    assert found["overflow"] <= 0


def test_a_study_is_split_by_the_family_that_it_searches(studies: Studies, tmp_path: Path) -> None:
    page = tradeoff.write(studies, ["families"], tmp_path / "overlay", ["family"])
    assert [row["family"] for row in rows_of(page.parent, "families.csv")] == ["family even", "family odd"]
    page = comparison_report.write(studies, ["families"], tmp_path / "compared", ["family"])
    assert {row["label"] for row in rows_of(page.parent, "entrants.csv")} == {"family even", "family odd"}


def test_each_row_of_a_comparison_by_two_fields_has_a_label_of_its_own(tmp_path: Path) -> None:
    cells = {(after, on): 0.9 for after in (1, 2) for on in range(1, after + 1)}
    long = "a_setting_with_a_name_that_is_longer_than_a_line"
    settings = [{f"method.{long}": 0.001 + 1e-7 * (i // 2), "hypernet.chunk_size": i % 2} for i in range(4)]
    import_cells(tmp_path, "case", [[cells, cells, cells]] * 4, settings)
    by = [f"method.{long}", "hypernet.chunk_size"]
    html = comparison_report.write(open_in(tmp_path), ["case"], tmp_path / "out", by).read_text(encoding="utf-8")
    for figure, n_rows in (("differences", 6), ("means-0", 4)):
        drawing = html[html.index(f'<svg id="{figure}"') :]
        texts = re.findall(r'<text x="330" y="[\d.]+" text-anchor="end">([^<]*)<', drawing[: drawing.index("</svg>")])
        rows = list(zip(texts[::2], texts[1::2], strict=True)) if figure == "differences" else texts
        assert len(set(rows)) == len(rows) == n_rows
    crossed = rows_of(tmp_path / "out", "cross.csv")
    assert {row["label"] for row in crossed} == {"0.001", "0.0010001"}


# What rules of axe-core ask for: names of buttons and column headings, and a target of the skip link.
NAMES = """
const named = (one) => one.textContent.trim() !== "" || one.getAttribute("aria-label");
const unnamed = [...document.querySelectorAll("button, th, a, summary, select")].filter((one) => !named(one)).length;
const target = document.querySelector(document.querySelector("a.skip").getAttribute("href"));
const first = target && target.closest("main") !== null;
return { unnamed, first, headings: document.querySelectorAll("main h2").length };
"""


@pytest.mark.slow
@pytest.mark.parametrize("names", [["one", "two"], ["one", "two", "elsewhere"], ["elsewhere", "nowhere"]])
def test_a_comparison_names_its_controls_and_its_skip_link_leads_to_a_part(
    chromium: str, studies: Studies, tmp_path: Path, names: list[str]
) -> None:
    found = look(chromium, tmp_path, comparison_report.write(studies, names, tmp_path / "out"), NAMES)
    assert found["unnamed"] == 0
    assert found["first"]
    assert found["headings"] >= 3


@pytest.mark.slow
def test_no_page_is_wider_than_a_phone(chromium: str, studies: Studies, tmp_path: Path) -> None:
    pages = [
        tradeoff.write(studies, ["one"], tmp_path / "one"),
        tradeoff.write(studies, ["tasks"], tmp_path / "tasks"),
        tradeoff.write(studies, ["three"], tmp_path / "three", x="inference_multiply_adds"),
        tradeoff.write(studies, ["elsewhere"], tmp_path / "elsewhere"),
        tradeoff.write(studies, ["families"], tmp_path / "families"),
        tradeoff.write(studies, ["one", "two"], tmp_path / "overlay"),
        comparison_report.write(studies, ["one", "two", "one:3"], tmp_path / "compared", margin=0.01),
        comparison_report.write(studies, ["elsewhere", "nowhere"], tmp_path / "refused"),
        comparison_report.write(studies, ["one"], tmp_path / "crossed", ["hypernet.chunk_size", "method.beta_output"]),
        published_table.write(studies, "vonoswald2020:table1", tmp_path / "published"),
    ]
    found = widths(chromium, pages, tmp_path / "profile")
    assert len(found) == len(pages)
    assert max(found) <= 390, found


@pytest.mark.slow
def test_the_print_has_every_view_and_no_controls(chromium: str, studies: Studies, tmp_path: Path) -> None:
    page = tradeoff.write_study(studies, "one", tmp_path / "out")
    script = PRINTED + """
    return { controls: shown("nav, .choice, .choose, .tip, .readout, summary, .skip"),
             views: shown(".switchable .plot"),
             closed: document.querySelectorAll("details:not([open])").length,
             background: getComputedStyle(document.body).backgroundColor };
    """  # fmt: skip
    found = look(chromium, tmp_path, page, script)
    assert found["controls"] == 0
    assert found["views"] >= 4
    assert found["closed"] == 0
    assert found["background"] == "rgb(255, 255, 255)"
