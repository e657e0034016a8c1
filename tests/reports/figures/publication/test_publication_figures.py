"""Publication figures: fixed widths, reproducible bytes, and a helpful error without matplotlib."""

from __future__ import annotations

import builtins
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reports.drawing.forest_plot import ForestLine
from reports.drawing.publication import FORMATS, VERMILLION, WIDTHS, MatplotlibMissing
from reports.figures.publication.comparison import comparison_figures
from reports.figures.publication.tradeoff import tradeoff_figures
from reports.pages import tradeoff
from reports.pages.comparison import write as write_comparison
from studies.statistics.interval import Interval
from tests.reports.cases import (
    fill,
    make_study_data,
    make_trial,
    measured,
    new_engine,
    open_in,
    some_params,
    some_runs,
)

LINES = [
    ForestLine("a − b", 0.02, 0.01, 0.03, "better", ""),
    ForestLine("$x^2$ \\alpha − c", -0.01, None, None, "unknown", ""),
]


@pytest.mark.slow
def test_every_figure_comes_in_every_width_and_format() -> None:
    files = comparison_figures(LINES, "A − B", margin=0.005)
    assert set(files) == {f"comparison-{width}.{kind}" for width in WIDTHS for kind in FORMATS}
    assert files["comparison-column.pdf"].startswith(b"%PDF")
    assert files["comparison-column.png"].startswith(b"\x89PNG")
    svg = files["comparison-column.svg"].decode()
    width = re.search(r'<svg[^>]* width="([\d.]+)pt"', svg)
    assert width is not None
    assert float(width[1]) == pytest.approx(72 * 3.25, abs=0.1)
    assert "$x^2$ \\alpha − c" in svg


@pytest.mark.slow
def test_the_same_numbers_give_the_same_bytes_without_a_date() -> None:
    one, other = (comparison_figures(LINES, "A − B", None) for _ in range(2))
    assert one == other
    assert b"CreationDate" not in one["comparison-column.pdf"]
    assert b"<dc:date>" not in one["comparison-text.svg"]


@pytest.mark.slow
def test_reports_write_them_when_asked(tmp_path: Path) -> None:
    engine = new_engine(tmp_path)
    fill(engine, [some_runs(number) for number in range(3)], name="one")
    fill(engine, [some_runs(4)], name="two", trained=[some_params(4)])
    found = open_in(tmp_path)
    tradeoff.write_study(found, "one", tmp_path / "one", figures=True)
    write_comparison(found, ["one", "two"], tmp_path / "both", figures=True)
    for folder, names in (("one", ("tradeoff", "tasks")), ("both", ("comparison",))):
        for name in names:
            assert (tmp_path / folder / f"{name}-column.pdf").stat().st_size > 2_000
    tradeoff.write_study(found, "one", tmp_path / "plain")
    assert not list((tmp_path / "plain").glob("*.pdf"))


@pytest.mark.slow
def test_a_member_of_the_front_that_learned_all_tasks_at_once_has_only_its_final_point() -> None:
    trials = [make_trial(0, 0.5, 0.9), make_trial(1, 1.0, 0.95)]
    metrics = {**trials[1].metrics, "during_accuracy": Interval(None, None, None, 0)}
    joint = replace(trials[1], metrics=measured(metrics))
    drawn = tradeoff_figures(make_study_data([trials[0], joint], front=[0, 1]))["tradeoff-column.svg"].decode()
    assert drawn.count(f"fill: {VERMILLION}") == 2, "one point, and its entry in the legend"


def test_without_matplotlib_an_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MatplotlibMissing, match=r"pip install 'hnet-sweeps\[paper\]'") as caught:
        comparison_figures(LINES, "x", None)
    assert caught.value.exit_code == 2


@pytest.mark.slow
def test_objectives_and_costs_of_zero_come_in_every_width_and_format(tmp_path: Path) -> None:
    goals = {"final_accuracy": "maximize", "generation_multiply_adds": "minimize", "forgetting": "minimize"}
    engine = new_engine(tmp_path)
    fill(engine, [some_runs(number) for number in range(6)], objectives=goals)
    engine.dispose()
    for x in ("memory_bytes", "forgetting"):
        tradeoff.write(open_in(tmp_path), ["case"], tmp_path / x, x=x, figures=True)
        for stem in ("tradeoff", "objectives", "parallel"):
            for width in WIDTHS:
                assert (tmp_path / x / f"{stem}-{width}.pdf").read_bytes().startswith(b"%PDF")
                assert "forgetting" in (tmp_path / x / f"objectives-{width}.svg").read_text(encoding="utf-8")
