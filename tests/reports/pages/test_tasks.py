"""The tasks report: every number of its figures is in a table and a CSV, for several studies, groups and streams."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reports.data.task_curves import task_curves
from reports.figures.task_curves import MAX_PANELS, panel_tasks
from reports.pages.tasks import write
from studies.queries.studies import Studies
from sweeps.cli.report import app
from tests.reports.browser import widths
from tests.reports.cases import fill, import_cells, new_engine, open_in, some_params, some_runs
from tests.reports.pages.test_pages_in_browser import INSIDE, look
from tests.reports.reading import read

HOSTILE = "</script><script>document.title=1337</script>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tasks")
    engine = new_engine(folder)
    fill(engine, [some_runs(number) for number in range(3)], name="one")
    fill(engine, [some_runs(n) for n in (4, 5)], name=HOSTILE, trained=[some_params(n) for n in (4, 5)])
    fill(engine, [some_runs(0, measure="mse")], name="errors", measure="mse")
    engine.dispose()
    many = {(after, on): 0.9 - 0.001 * (after - on) for after in range(1, 31) for on in range(1, after + 1)}
    import_cells(folder, "long", [[many, many]], [{"stream.dataset": "b"}])
    return folder


@pytest.fixture(scope="module")
def studies(folder: Path) -> Studies:
    return open_in(folder)


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def test_the_command_writes_final_and_during_of_every_task(folder: Path, studies: Studies, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["tasks", "one:0", "one:2", "-o", str(out), "--db", str(folder / "study.db")])
    assert done.exit_code == 0, done.output
    rows = rows_of(out / "tasks.csv")
    assert [(row["label"], row["task"]) for row in rows] == [(f"one:{n}", str(t)) for n in (0, 2) for t in (1, 2, 3, 4)]
    for row in rows:
        runs, task = studies.matrices("one", int(row["number"])), int(row["task"])
        assert float(row["final"]) == pytest.approx(runs[:, 4, task - 1].mean())
        assert float(row["during"]) == pytest.approx(runs[:, task, task - 1].mean())
    cells = rows_of(out / "matrix.csv")
    assert len(cells) == 2 * 10
    for cell in cells:
        runs, after, on = studies.matrices("one", int(cell["number"])), int(cell["after_task"]), int(cell["on_task"])
        assert float(cell["mean"]) == pytest.approx(runs[:, after, on - 1].mean())
    assert json.loads((out / "report.json").read_text())["streams"][0]["averages"][3]["after_task"] == 4


def test_the_page_has_each_drawing_with_its_numbers_as_a_table(studies: Studies, tmp_path: Path) -> None:
    html = write(studies, ["one", HOSTILE], tmp_path).read_text()
    page = read(html)
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    drawings = [str(one["id"]) for one in page.all("svg") if one.get("role") == "img"]
    assert drawings == ["tasks-0-0", "tasks-0-1", "tasks-0-2", "averages-0", *(f"over-time-0-{t}" for t in (1, 2, 3))]
    for row, cells in ((row, page.rows[f"tasks-0-row-{i}"]) for i, row in enumerate(rows_of(tmp_path / "tasks.csv"))):
        assert cells[1] == row["task"]
        assert float(cells[4]) == float(row["final"])
    assert "<script>document.title" not in html


def test_streams_have_figures_of_their_own_and_a_warning(studies: Studies, tmp_path: Path) -> None:
    page = read(write(studies, ["one", "long"], tmp_path).read_text())
    assert "cannot be compared with each other" in "".join(page.text)
    assert {"tasks-0-0", "tasks-1-0"} <= {str(one.get("id")) for one in page.all("svg")}


def test_many_tasks_are_drawn_in_bands_and_some_of_them_over_time(studies: Studies, tmp_path: Path) -> None:
    html = write(studies, ["long"], tmp_path).read_text()
    assert 'class="band family-0"' in html
    panels = re.findall(r'<svg id="over-time-0-(\d+)"', html)
    assert list(map(int, panels)) == panel_tasks(30)
    assert len(panels) == MAX_PANELS
    assert f"{MAX_PANELS} of 30 tasks are drawn" in html


@pytest.mark.parametrize("n_tasks", [1, 2, 13, 14, 100])
def test_panels_are_those_of_tasks_that_later_ones_follow(n_tasks: int) -> None:
    tasks = panel_tasks(n_tasks)
    assert tasks == sorted(set(tasks))
    assert len(tasks) == min(n_tasks - 1, MAX_PANELS)
    assert not tasks or (tasks[0], tasks[-1]) == (1, n_tasks - 1)


def test_errors_are_drawn_on_a_log_axis_and_lose_by_growing(studies: Studies, tmp_path: Path) -> None:
    (stream,) = task_curves(studies, ["errors"])
    finals = [cell.mean or 0.0 for cell in stream.curves[0].finals()]
    html = write(studies, ["errors"], tmp_path).read_text()
    assert "mean squared error, mean over seeds" in html
    assert f"worst on task {1 + finals.index(max(finals))}" in html


def test_the_same_studies_give_the_same_bytes(studies: Studies, tmp_path: Path) -> None:
    for out in ("a", "b"):
        write(studies, ["one"], tmp_path / out)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


@pytest.mark.slow
def test_figures_for_papers_are_written_when_asked(studies: Studies, tmp_path: Path) -> None:
    write(studies, ["one"], tmp_path, figures=True)
    for name in ("tasks", "averages", "over-time"):
        assert (tmp_path / f"{name}-column.pdf").read_bytes().startswith(b"%PDF")
        assert (tmp_path / f"{name}-text.png").stat().st_size > 5_000


@pytest.mark.slow
def test_marks_are_inside_their_axes_and_curves_can_be_taken_out(
    chromium: str, studies: Studies, tmp_path: Path
) -> None:
    page = write(studies, ["one", HOSTILE], tmp_path / "out")
    script = INSIDE + """
    const figure = document.querySelector("figure.switchable"), svg = figure.querySelector("svg[role=img]");
    const isShown = (one) => one.getClientRects().length;
    const shown = () => [...svg.querySelectorAll(".family-0, .family-0-line")].filter(isShown);
    const before = shown().length;
    const lines = [...svg.querySelectorAll(".thin")].map((one) => getComputedStyle(one).stroke);
    figure.querySelector("button[data-family]").click();
    return { outside, marks, before, after: shown().length, lines, title: document.title };
    """  # fmt: skip
    found = look(chromium, tmp_path, page, script)
    assert found["outside"] == []
    assert found["marks"] > 40
    assert found["before"] >= 4
    assert found["after"] == 0
    assert len(found["lines"]) == 2
    assert "none" not in found["lines"]
    assert found["title"] != "1337"
    assert widths(chromium, [page], tmp_path / "narrow") <= [390]
