"""Reports of results that other programs measured: few cells, few seeds, settings without a search."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from reports.data.study_data import read_study
from reports.pages import comparison, tradeoff
from studies.queries.studies import Studies
from tests.reports.cases import import_cells, open_in
from tests.reports.pages.test_tradeoff import rows_of
from tests.reports.reading import read


def after_the_last_task(number: int, seed: int, n_tasks: int = 3) -> dict[tuple[int, int], float]:
    """Only the accuracies after the last task, as published tables have them."""
    return {(n_tasks, task): 0.9 - 0.01 * task + 0.003 * seed - 0.02 * number for task in range(1, n_tasks + 1)}


@pytest.fixture
def final_only(tmp_path: Path) -> Studies:
    for name in ("one", "two"):
        trials = [[after_the_last_task(number, seed) for seed in range(3)] for number in range(9)]
        settings = [{"method.name": ("ewc", "hnet")[number % 2]} for number in range(9)]
        import_cells(tmp_path, name, trials, settings)
    return open_in(tmp_path)


def test_results_after_the_last_task_alone_are_reported_without_during(final_only: Studies, tmp_path: Path) -> None:
    html = tradeoff.write(final_only, ["one"], tmp_path / "report").read_text(encoding="utf-8")
    shown = html[html.index("</style>") : html.index("What the numbers mean")]
    assert "points during" not in shown
    assert shown.count("right after") == shown.count("nothing was measured right after each task, only after the last")
    seeds = rows_of(tmp_path / "report", "seeds.csv")
    assert {row["series"] for row in seeds} == {"final"}
    assert len(seeds) == 27
    assert {row["series"] for row in rows_of(tmp_path / "report", "attainment.csv")} == {"final"}


@pytest.mark.parametrize(("names", "by"), [(["one", "two"], []), (["one"], ["method"]), (["one", "two"], ["method"])])
def test_results_after_the_last_task_alone_are_seen_side_by_side(
    final_only: Studies, tmp_path: Path, names: list[str], by: list[str]
) -> None:
    page = tradeoff.write(final_only, names, tmp_path / "report", by)
    assert len(rows_of(page.parent, "families.csv")) == len(names) * max(1, 2 * len(by))


def test_settings_that_differ_count_as_parameters_of_an_imported_study(tmp_path: Path) -> None:
    settings: list[dict[str, Any]] = [
        {"hypernet.chunk_size": 100 * (1 + i % 5), "note": ("a", "b")[i % 2], "training.rate": 10.0 ** -(i % 4),
         "method.name": "hnet"}
        for i in range(24)
    ]  # fmt: skip
    del settings[3]["note"]
    import_cells(tmp_path, "case", [[after_the_last_task(i, s) for s in range(2)] for i in range(24)], settings)
    studies = open_in(tmp_path)
    data = read_study(studies, "case")
    assert data.parameters == ("hypernet.chunk_size", "note", "training.rate")
    assert data.space("hypernet.chunk_size") == {"int": [100, 500], "log": False}
    assert data.space("note") == {"choice": ["a", "b"]}
    assert data.space("training.rate") == {"float": [0.001, 1.0], "log": True}
    html = tradeoff.write(studies, ["case"], tmp_path / "report").read_text(encoding="utf-8")
    assert "3 parameters varied: chunk_size, note, rate." in html
    assert rows_of(tmp_path / "report", "tradeoff.csv")[1]["hypernet.chunk_size"] == "200"
    importances = rows_of(tmp_path / "report", "importance.csv")
    assert {row["parameter"] for row in importances} == set(data.parameters)
    assert all(row["fanova"] for row in importances if row["parameter"] != "note")


def test_a_column_named_family_makes_families(tmp_path: Path) -> None:
    settings = [{"family": (0, "b")[number % 2]} for number in range(6)]
    import_cells(tmp_path, "case", [[after_the_last_task(i, s) for s in range(2)] for i in range(6)], settings)
    studies = open_in(tmp_path)
    tradeoff.write(studies, ["case"], tmp_path / "by", ["family"])
    assert [row["family"] for row in rows_of(tmp_path / "by", "families.csv")] == ["family 0", "family b"]
    html = tradeoff.write(studies, ["case"], tmp_path / "one").read_text(encoding="utf-8")
    assert [one["data-label"] for one in read(html).all("button") if "data-label" in one] == ["0", "b"]


def test_a_setting_that_never_varied_is_named_with_its_value_and_has_no_panel(tmp_path: Path) -> None:
    trials = [[after_the_last_task(number, seed) for seed in range(2)] for number in range(4)]
    settings = [{"a.x": 36, "a.y": number} for number in range(4)]
    search = {"a.x": {"choice": [8, 36]}, "a.y": {"int": [0, 3]}}
    import_cells(tmp_path, "case", trials, settings, search=search)
    html = tradeoff.write(open_in(tmp_path), ["case"], tmp_path / "report").read_text(encoding="utf-8")
    assert "1 parameter varied: y. Not varied: x 36." in html
    assert [svg["id"] for svg in read(html).all("svg") if str(svg.get("id")).startswith("parameter-")] == [
        "parameter-1"
    ]


def test_errors_of_zero_get_a_linear_axis_in_every_view(tmp_path: Path) -> None:
    for name, worst in (("some", 0.1), ("all", 0.0)):
        trials = [[{(1, 1): worst * min(number, 1)} for _ in range(2)] for number in range(9)]
        import_cells(tmp_path, name, trials, measure="mse")
        tradeoff.write(open_in(tmp_path), [name], tmp_path / name)
        assert len(rows_of(tmp_path / name, "bins.csv")) > 1
    tradeoff.write(open_in(tmp_path), ["some", "all"], tmp_path / "both")
    assert len(rows_of(tmp_path / "both", "families.csv")) == 2


def test_a_report_of_incomplete_matrices_names_the_cells_that_are_missing(tmp_path: Path) -> None:
    from_zero = {(after - 1, on): 0.9 for after in (1, 2, 3) for on in range(1, after + 1)}
    import_cells(tmp_path, "case", [[from_zero]])
    html = tradeoff.write(open_in(tmp_path), ["case"], tmp_path / "report").read_text(encoding="utf-8")
    answer = json.loads((tmp_path / "report" / "report.json").read_text())["answer"]["headline"]
    assert answer in html
    assert answer.endswith("(1 trial: 1 complete): trial 0 with no value after task 3.")
    assert "no configuration has all the values it needs" in html


def test_complete_trials_without_a_final_value_are_named_beside_those_that_have_one(tmp_path: Path) -> None:
    whole = after_the_last_task(0, 0)
    lacking = {cell: value for cell, value in whole.items() if cell != (3, 2)}
    import_cells(tmp_path, "case", [[whole], [lacking], [{(3, 3): 0.5}], [lacking]])
    html = tradeoff.write(open_in(tmp_path), ["case"], tmp_path / "report").read_text(encoding="utf-8")
    lacks = "no value after task 3 on task"
    assert f"left out: trials 1 and 3 with {lacks} 2; trial 2 with {lacks} 1 to 2." in html


def two_seeds(number: int) -> list[dict[tuple[int, int], float]]:
    """A configuration whose interval reaches from below 0 to above 1, although its seeds are 0.1 apart."""
    return [{(1, 1): 0.7 + 0.03 * number + apart} for apart in (-0.05, 0.05)]


def test_intervals_of_two_seeds_do_not_make_the_axis_and_end_open(tmp_path: Path) -> None:
    import_cells(tmp_path, "case", [two_seeds(number) for number in range(7)])
    page = tradeoff.write(open_in(tmp_path), ["case"], tmp_path / "report")
    html = page.read_text(encoding="utf-8")
    drawing = html[html.index('<svg id="tradeoff"') :]
    ticks = re.findall(r'text-anchor="end">([\d.]+)</text>', drawing[: drawing.index("</g>")])
    assert min(map(float, ticks)) >= 0.6
    bars = re.search(r'd="([^"]*)" class="bars final member"', drawing)
    assert bars is not None
    assert bars[1].count("l4 4l4 -4") == bars[1].count("l4 -4l4 4") > 0  # arrows at both ends
    assert "two seeds show nothing" in html


def test_intervals_are_within_the_bounds_of_their_metric_on_the_page_and_in_every_file(tmp_path: Path) -> None:
    import_cells(tmp_path, "case", [two_seeds(number) for number in range(3)])
    page = tradeoff.write(open_in(tmp_path), ["case"], tmp_path / "report")
    html = page.read_text(encoding="utf-8")
    shown = [tuple(map(float, pair)) for pair in re.findall(r"\[(-?[\d.]+), (-?[\d.]+)\]", html)]
    assert shown
    assert all(low >= 0 and high <= 1 for low, high in shown)
    assert all(float(row["final_accuracy.high"]) <= 1 for row in rows_of(tmp_path / "report", "front.csv"))
    best = json.loads((tmp_path / "report" / "report.json").read_text())["answer"]["best"]
    assert best["final_accuracy"]["high"] == 1


def test_pages_of_two_seeds_say_that_they_show_nothing_and_keep_differences_in_their_bounds(tmp_path: Path) -> None:
    for name in ("one", "two"):
        import_cells(tmp_path, name, [[{(1, 1): 0.6 + apart}, {(1, 1): 0.8 - apart}] for apart in (0.0, 0.15)])
    studies = open_in(tmp_path)
    html = tradeoff.write(studies, ["one", "two"], tmp_path / "overlay").read_text(encoding="utf-8")
    assert "The best of one, two rest on 2 seeds: two seeds show nothing" in html
    html = comparison.write(studies, ["one:0", "two:1"], tmp_path / "compared").read_text(encoding="utf-8")
    assert "Every entrant rests on 2 seeds: two seeds show nothing" in html
    row = read(html).rows["pair-0"]
    assert "[-1.0, 1.0]" in html.replace("\u2007", "")
    assert all(float(cell) >= -1 for cell in row if cell.startswith("-"))
