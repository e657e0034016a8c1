"""The cost on the x axis of a study's page: the same front as the report, kept in every link, form and command."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

import studies
from reports.analysis.recommendation import recommend
from reports.data.study_data import read_study
from reports.data.study_map import read_map, read_some
from reports.figures.study_map import caption
from studies.database.open_database import connect
from studies.metrics.cost_axes import COST_AXES
from studies.queries.studies import Studies
from studies.store.store import Store
from sweeps.cli import app as cli
from tests.reports.cases import fill, import_cells, new_engine, some_runs
from tests.sweeps.server.conftest import Ask

STUDY, API = "/studies/sample-tradeoff", "/api/v1/studies/sample-tradeoff/front"


def front_of(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'<tr id="front-(\d+)"', page)]


def printed(command: str) -> list[int]:
    """The numbers that a command of a page lists."""
    done = CliRunner().invoke(cli, [*shlex.split(command)[1:], "--format", "json"])
    assert done.exit_code == 0, done.output
    return [row["number"] for row in json.loads(done.stdout)["rows"]]


@pytest.mark.parametrize("where", [None, "compression_ratio < 0.4"])
@pytest.mark.parametrize("x", ["seconds", "forgetting"])
def test_the_front_is_that_of_the_report_the_api_and_the_command_on_the_page(
    client: TestClient, _filled: Path, x: str, where: str | None
) -> None:
    asked = {"x": x, **({"where": where} if where else {})}
    page = client.get(STUDY, params=asked).text
    listed = [row["number"] for row in client.get(API, params=asked).json()["rows"]]
    assert front_of(page) == listed
    command = re.search(r'<pre id="front-command"[^>]*>(.*?)</pre>', page)
    assert command is not None
    assert printed(command[1].replace("&#39;", "'").replace("&lt;", "<")) == listed
    assert f"against {COST_AXES[x].subject}</h2>" in page
    assert f"hnet report tradeoff sample-tradeoff --x {x} --db" in page
    found = studies.open(str(_filled))
    report = [trial.number for trial in read_study(found, "sample-tradeoff", x).front]
    if where is None:
        assert listed == report != [trial.number for trial in read_study(found, "sample-tradeoff").front]
    else:
        assert set(listed) < set(report)


def test_every_cost_is_offered_and_those_of_every_kind_are_drawn(client: TestClient) -> None:
    for x in ("hypernet_ratio", "memory_bytes", "forgetting"):
        page = client.get(STUDY, params={"x": x})
        assert page.status_code == 200, x
        select = re.search(r'<select name="x">(.*?)</select>', page.text, re.S)
        assert select is not None
        assert re.findall(r'value="(\w*)"', select[1]) == ["", *COST_AXES]
        assert re.findall(r'value="(\w*)" selected', select[1]) == [x]
        assert COST_AXES[x].label.replace("<", "&lt;") in page.text, "the text along the axis"


def test_a_cost_that_is_none_is_refused_with_the_nearest(client: TestClient) -> None:
    for address in (STUDY, API):
        found = client.get(address, params={"x": "second"})
        assert found.status_code == 400, address
        assert "did you mean" in found.text and "seconds" in found.text
    assert client.get(f"{STUDY}?x=seconds&x=forgetting").status_code == 400


def test_the_cost_stays_in_links_forms_and_the_bounds_that_brushing_writes(client: TestClient) -> None:
    asked = {"x": "seconds", "where": "n == 3"}
    page = client.get(STUDY, params=asked).text
    followed = [parse_qs(urlsplit(link.replace("&amp;", "&")).query) for link in
                re.findall(r'<a data-follow href="([^"]+)"', page)]  # fmt: skip
    assert len(followed) == 2
    assert all(query["x"] == ["seconds"] for query in followed)
    assert '<input type="hidden" name="x" value="seconds">' in page
    moved = client.get(STUDY, params={**asked, "x0": "20", "x1": "30", "y0": "0.9", "zoom": "1"})
    query = parse_qs(urlsplit(moved.headers["location"]).query)
    assert query == {
        "x": ["seconds"],
        "zoom": ["1"],
        "where": ["n == 3 and 20 < seconds < 30 and final_accuracy > 0.9"],
    }
    again = client.get(STUDY, params={"x": "seconds", "where": query["where"][0], "x1": "25"})
    assert parse_qs(urlsplit(again.headers["location"]).query)["where"] == ["n == 3 and seconds < 25"]
    assert client.get(moved.headers["location"]).status_code == 200


def test_a_study_that_minimises_another_cost_is_drawn_over_it(database: Path, ask: Ask) -> None:
    engine, goals = connect(str(database)), {"final_accuracy": "maximize", "seconds": "minimize"}
    fill(engine, [some_runs(number) for number in range(6)], name="timed", objectives=goals)
    page = ask().get("/studies/timed").text
    assert "Accuracy against training time</h2>" in page
    assert front_of(page) == [row["number"] for row in Studies(engine).front_rows("timed").dicts()]
    assert "Training time, as in the study" in page
    engine.dispose()


def test_what_lacks_the_cost_is_left_out_and_said(tmp_path: Path, ask: Ask) -> None:
    new_engine(tmp_path).dispose()
    import_cells(tmp_path, "elsewhere", [[{(1, 1): 0.9, (2, 1): 0.8, (2, 2): 0.9}], [{(1, 1): 0.8}]])
    page = ask(db=str(tmp_path / "study.db")).get("/studies/elsewhere?x=seconds").text
    assert "no finished configuration has a known training time and accuracy." in page
    assert (
        "The front is empty: no finished configuration has a value of every objective (final_accuracy, seconds)" in page
    )


def test_configurations_without_the_cost_are_counted_below_the_figure(_filled: Path) -> None:
    found = studies.open(str(_filled))
    map = read_map(found, "sample-tradeoff", "seconds")
    data = read_some(found, map, map.on_front)
    assert "Without" not in caption(map, data)
    text = caption(replace(map, n_left_out=2), data)
    assert "Without 2 finished configurations that have no known training time or no accuracy." in text


def test_a_cost_from_several_machines_has_the_warning_of_the_report(database: Path, ask: Ask) -> None:
    engine = connect(str(database))
    store, record = Store(engine), Studies(engine).study("sample-tradeoff")
    client, where = ask(), {"x": "seconds"}
    assert "machines (" not in client.get(STUDY, params=where).text
    launch = store.record_launch(record.id, {"command_line": "hnet", "host": "elsewhere"})
    _add_trial(store, record.id, launch)
    (remark,) = [
        each for each in recommend(read_study(Studies(engine), record.name, "seconds")).remarks if "machine" in each
    ]
    assert remark.startswith("Measured on 2 machines (")
    assert "elsewhere, cpu, 1 thread" in remark
    assert remark in client.get(STUDY, params=where).text
    assert "machines (" not in client.get(STUDY).text, "weights are the same everywhere"
    engine.dispose()


def _add_trial(store: Store, study_id: int, launch_id: int) -> None:
    import numpy as np

    from tests.studies.sample import describe, sample_params, sample_result

    params: dict[str, Any] = sample_params(np.random.default_rng(5))
    store.start_trial(study_id, 100, describe(params, 4), launch_id=launch_id, attempt=1)
    store.complete_trial(study_id, 100, 1, [sample_result(params, 4, seed) for seed in range(3)])
