"""Costs measured on several machines are not compared without a warning, in reports of one study and of several."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports.analysis.machines import MAX_NAMED, machines_remark
from reports.data.study_data import read_study
from reports.pages.overlay import write_overlay
from studies.metrics.cost_axes import COST_AXES
from tests.reports.cases import fill, new_engine, open_in, some_runs

TIME = COST_AXES["seconds"]


@pytest.mark.parametrize(
    ("machines", "text"),
    [
        ([], None),
        (["a, cpu, 1 thread"], None),
        (["b, cuda, 2 threads", "a, cpu, 1 thread"], "Measured on 2 machines (a, cpu, 1 thread; b, cuda, 2 threads): "),
        ([None], "Measured on machines that are not all known: training time can be compared on one machine only"),
        (["a, cpu, 1 thread", None], "Measured on machines that are not all known"),
    ],
)
def test_the_machines_are_named(machines: list[str | None], text: str | None) -> None:
    remark = machines_remark(TIME, machines)
    assert remark is None if text is None else remark is not None and remark.startswith(text)


def test_of_many_machines_some_are_named() -> None:
    remark = machines_remark(TIME, [f"host{i}" for i in range(MAX_NAMED + 3)])
    assert remark is not None
    assert f"on {MAX_NAMED + 3} machines (host0; host1; host2; host3; ...)" in remark


def test_studies_of_two_machines_side_by_side_have_the_warning_over_time_alone(tmp_path: Path) -> None:
    engine = new_engine(tmp_path)
    for host in ("one", "two"):
        fill(engine, [some_runs(number) for number in range(3)], name=host, provenance={"host": host})
    engine.dispose()
    studies, folders = open_in(tmp_path), {"one": "1-one", "two": "2-two"}
    page = write_overlay(studies, list(folders), tmp_path / "time", (), folders, "seconds").read_text(encoding="utf-8")
    assert "Measured on 2 machines (one, cpu, 1 thread; two, cpu, 1 thread)" in page
    page = write_overlay(studies, list(folders), tmp_path / "ratio", (), folders).read_text(encoding="utf-8")
    assert "machines (" not in page
    assert read_study(studies, "one", "seconds").machines == {"one, cpu, 1 thread"}
