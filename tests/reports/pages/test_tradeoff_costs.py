"""The trade-off report over any cost: front, bins, attainment, sentences and files go by the axis asked for."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hnet_core.errors import ConfigInvalid
from reports.analysis.families import families_of
from reports.analysis.recommendation import SPARSITY_REMARK, recommend
from reports.data.study_data import read_study
from reports.pages.tradeoff import write, write_study
from reports.pages.tradeoff_content import collect
from studies.metrics.cost_axes import COST_AXES
from studies.metrics.definitions import METRICS
from studies.queries.studies import Studies
from studies.statistics.hypervolume import REFERENCE_POINT
from studies.statistics.interval import Interval
from studies.statistics.pareto import pareto_mask
from tests.reports.cases import (
    SPEC,
    fill,
    import_cells,
    make_study_data,
    make_trial,
    measured,
    new_engine,
    open_in,
    some_runs,
)

STUDY = "sample-tradeoff"
HYPERMASK = {"name": "hypermask", "mask_sparsity": 30}
THREE = {"final_accuracy": "maximize", "compression_ratio": "minimize", "seconds": "minimize"}
GOALS: Mapping[str, Mapping[str, str]] = {
    "one": {"final_accuracy": "maximize"},
    "three": THREE,
    "timed": {"final_accuracy": "maximize", "seconds": "minimize"},
}


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Studies:
    folder = tmp_path_factory.mktemp("costs")
    engine = new_engine(folder)
    for name, goals in GOALS.items():
        fill(engine, [some_runs(number) for number in range(9)], name=name, objectives=goals)
    engine.dispose()
    return open_in(folder)


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def report(studies: Studies, name: str, folder: Path, x: str | None = None) -> tuple[str, dict[str, Any]]:
    html = write_study(studies, name, folder, x=x).read_text(encoding="utf-8")
    return html, json.loads((folder / "report.json").read_text(encoding="utf-8"))


def test_the_front_is_that_of_quality_and_the_cost_in_sql(sample: Studies, tmp_path: Path) -> None:
    html, content = report(sample, STUDY, tmp_path, "seconds")
    trials = sample.trials(STUDY, where="state == 'COMPLETE' and compression_ratio <= 1")
    trials = trials[trials["duplicate_of"].isna()]
    values = trials[["validation_final_accuracy", "seconds"]].to_numpy()
    front = trials[pareto_mask(values, ("maximize", "minimize"))].sort_values("seconds")
    assert [row["number"] for row in content["front"]] == front["number"].tolist()
    assert [int(row["number"]) for row in rows_of(tmp_path / "front.csv")] == front["number"].tolist()
    assert [float(row["seconds"]) for row in rows_of(tmp_path / "front.csv")] == front["seconds"].tolist()
    assert content["metrics"]["cost"] == "seconds"
    assert "Accuracy against training time" in html and "training time of all tasks (s, log scale)" in html


def test_bins_attainment_and_single_seeds_are_over_the_cost_of_each_run(sample: Studies, tmp_path: Path) -> None:
    report(sample, STUDY, tmp_path, "seconds")
    runs = sample.runs(STUDY).set_index(["number", "seed"])["seconds"]
    seeds = rows_of(tmp_path / "seeds.csv")
    assert seeds and all(float(row["seconds"]) == runs[int(row["number"]), int(row["seed"])] for row in seeds)
    bins = rows_of(tmp_path / "bins.csv")
    assert float(bins[0]["seconds_low"]) <= min(runs.groupby("number").mean())
    assert {"level", "seconds", "value"} <= set(rows_of(tmp_path / "attainment.csv")[0])
    (first, *_) = rows_of(tmp_path / "tradeoff.csv")
    assert float(first["seconds.low"]) < float(first["seconds"]) < float(first["seconds.high"])


@pytest.mark.slow
@pytest.mark.parametrize("x", COST_AXES)
def test_every_cost_can_be_the_axis_of_a_whole_report(studies: Studies, tmp_path: Path, x: str) -> None:
    html, content = report(studies, "one", tmp_path, x)
    assert content["answer"]["best"] is not None
    assert f"against {COST_AXES[x].subject}" in html
    assert ("cost" in content["metrics"]) == (x != "compression_ratio")


def test_the_default_is_the_cost_that_the_study_minimises(studies: Studies) -> None:
    timed = read_study(studies, "timed")
    assert (timed.x.metric, timed.front_is_tradeoff) == ("seconds", True)
    assert timed.on_front == read_study(studies, "timed", "seconds").on_front
    assert read_study(studies, "one").x.metric == read_study(studies, "three").x.metric == "compression_ratio"


def test_a_cost_asked_for_decides_the_front_whatever_the_objectives_are(studies: Studies) -> None:
    assert not read_study(studies, "one").front_is_tradeoff
    asked = read_study(studies, "one", "compression_ratio")
    assert asked.front_is_tradeoff and len(asked.front) > len(read_study(studies, "one").front)


def test_a_cost_that_is_none_is_refused_before_anything_is_written(studies: Studies, tmp_path: Path) -> None:
    for names in (["one"], ["one", "three"]):
        with pytest.raises(ConfigInvalid, match="did you mean 'seconds'"):
            write(studies, names, tmp_path / "out", x="second")
    assert not (tmp_path / "out").exists()


def test_what_was_not_measured_leaves_a_report_that_says_so(tmp_path: Path) -> None:
    import_cells(tmp_path, "case", [[{(1, 1): 0.9}], [{(1, 1): 0.8}]])
    html, content = report(open_in(tmp_path), "case", tmp_path / "report", "seconds")
    assert "no training time" in content["answer"]["headline"]
    assert "There is nothing to draw" in html


def test_studies_side_by_side_share_the_axis_and_a_reference_that_is_named(studies: Studies, tmp_path: Path) -> None:
    html = write(studies, ["one", "timed"], tmp_path, x="seconds").read_text(encoding="utf-8")
    content = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    largest = max(max(studies.trials(name)["seconds"]) for name in ("one", "timed"))
    assert content["hypervolume_reference"] == {"seconds": pytest.approx(1.1 * largest), "final_accuracy": 0.0}
    assert all(0 < family["hypervolume"] < 1 for family in content["families"])
    assert "a tenth above the largest training time here" in html
    assert {"best_seconds", "near_seconds", "knee_seconds"} <= set(rows_of(tmp_path / "families.csv")[0])


def test_studies_of_one_cost_share_it_by_default_and_others_the_compression_ratio(studies: Studies) -> None:
    assert families_of(studies, ["timed"])[0].data.x.metric == "seconds"
    mixed = families_of(studies, ["timed", "one"])
    assert {family.data.x.metric for family in mixed} == {"compression_ratio"}
    assert {family.reference for family in mixed} == {REFERENCE_POINT["compression_ratio"]}


def test_one_objective_is_named_with_its_best_and_the_seeds_behind_it(studies: Studies, tmp_path: Path) -> None:
    html, content = report(studies, "one", tmp_path)
    assert "The study has a single objective, the highest final accuracy" in content["answer"]["remarks"][0]
    best = int(studies.trials("one", sort="-validation_final_accuracy,compression_ratio")["number"].iloc[0])
    assert content["answer"]["best"]["number"] == best
    assert len(rows_of(tmp_path / "seeds.csv")) >= 27
    assert "--x compression_ratio draws the front" in html


def test_three_objectives_are_shown_two_by_two_and_together(studies: Studies, tmp_path: Path) -> None:
    html, _ = report(studies, "three", tmp_path)
    assert "3 objectives: highest final accuracy, lowest compression ratio and lowest training time" in html
    assert all(f'id="objectives-{i}"' in html for i in range(3)) and 'id="parallel"' in html
    rows = {int(row["number"]): row for row in rows_of(tmp_path / "objectives.csv")}
    front = studies.front("three")["number"].tolist()
    assert [number for number, row in rows.items() if row["on_front"] == "true"] == sorted(front)
    plane = read_study(studies, "three", "seconds").on_front
    on_pair = {number for number, row in rows.items() if row["on_front.seconds.final_accuracy"] == "true"}
    assert on_pair == plane


def test_two_objectives_have_no_part_of_their_own(sample: Studies, report_folder: Path) -> None:
    assert collect(sample, STUDY).objectives == []
    assert not (report_folder / "objectives.csv").exists()


@pytest.mark.parametrize(
    ("x", "spec", "expected"),
    [
        ("compression_ratio", {"trial": {"method": HYPERMASK}}, True),
        ("model_bytes", {"trial": {"method": HYPERMASK}}, True),
        ("model_bytes", {"families": {"hnet": {}, "masks": {"method": HYPERMASK}}}, True),
        ("inference_multiply_adds", {"trial": {"method": HYPERMASK}}, False),
        ("compression_ratio", {"trial": {"method": {"name": "hnet"}}}, False),
    ],
)
def test_masks_on_an_axis_of_storage_are_said_to_store_no_less(x: str, spec: dict[str, Any], expected: bool) -> None:
    plain = make_trial(0, 0.5, 0.9, 0.9)
    values = {name: plain[name] for name in METRICS} | {x: Interval(0.5, None, None, 3)}
    data = make_study_data([make_trial(0, 0.5, 0.9, metrics=measured(values))], front=[0], spec={**SPEC, **spec})
    assert (SPARSITY_REMARK in recommend(replace(data, x=COST_AXES[x])).remarks) == expected


def test_a_searched_sparsity_is_one_too() -> None:
    trials = [make_trial(0, 0.5, 0.9, 0.9, params={"method.mask_sparsity": 30})]
    data = make_study_data(trials, front=[0], parameters=("method.mask_sparsity",))
    assert SPARSITY_REMARK in recommend(data).remarks
