"""Several studies, or the values of a field, share a figure and keep their own front, colour and shape."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hnet_core.errors import ConfigInvalid
from reports.analysis.families import MAX_FAMILIES, Family, families_of, families_within
from reports.analysis.recommendation import recommend
from reports.drawing.marks import GLYPHS
from reports.figures.overlay import overlay_figure, x_scale
from reports.pages.tradeoff import write
from reports.table import interval_of
from reports.tables.trial_rows import trial_row
from studies.queries.studies import Studies
from studies.statistics.interval import Interval
from studies.statistics.pareto import pareto_mask
from tests.reports.cases import (
    SPEC,
    fill,
    make_study_data,
    make_trial,
    measured,
    new_engine,
    open_in,
    some_params,
    some_runs,
)
from tests.reports.reading import read

HOSTILE = "../..</script><script>document.title=1337</script>"


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Studies:
    folder = tmp_path_factory.mktemp("overlay")
    engine = new_engine(folder)
    fill(engine, [some_runs(number) for number in range(8)], name="one")
    later: Any = {"trained": [some_params(number) for number in range(8, 14)]}
    fill(engine, [some_runs(number) for number in range(8, 14)], name="two", **later)
    fill(engine, [some_runs(0, measure="mse")], name="errors", measure="mse")
    fill(engine, ["TrainingDiverged"], name="failed")
    fill(engine, [some_runs(0)], name=HOSTILE)
    engine.dispose()
    return open_in(folder)


def test_each_study_keeps_its_own_front(studies: Studies) -> None:
    for family in families_of(studies, ["one", "two"]):
        trials = studies.trials(family.label)
        values = trials[["validation_final_accuracy", "compression_ratio"]].to_numpy()
        expected = trials["number"][pareto_mask(values, ("maximize", "minimize"))]
        assert family.data.on_front == set(expected)


def test_the_hypervolume_is_the_share_of_the_box_up_to_the_reference(studies: Studies) -> None:
    (family,) = families_of(studies, [HOSTILE])
    (trial,) = family.data.front
    assert family.hypervolume == pytest.approx(
        (2.0 - trial.value("compression_ratio")) / 2.0 * trial.value("final_accuracy")
    )


def test_a_field_splits_a_study_into_families_that_share_no_trial(studies: Studies) -> None:
    families = families_of(studies, ["one"], by=["hypernet.chunk_embedding"])
    numbers = [trial.number for family in families for trial in family.data.configurations]
    assert sorted(numbers) == list(range(8))
    assert all(family.label.startswith("chunk_embedding ") for family in families)
    both = families_of(studies, ["one", "two"], by=["method"])
    assert [family.label for family in both] == ["one: hnet", "two: hnet"]


def test_the_families_of_a_study_keep_their_order_and_have_a_front_each() -> None:
    params = [{"family": name} for name in ("late", None, "early", "late")]
    trials = [make_trial(i, 0.1 * (i + 1), 0.9 - 0.1 * i, 0.9 - 0.1 * i, params=one) for i, one in enumerate(params)]
    spec = {**SPEC, "search": {"family": {"choice": ["early", "absent", "late"]}}}
    early, late = families_within(make_study_data(trials, spec=spec, parameters=("family",)))
    assert (early.label, [trial.number for trial in early.data.configurations]) == ("early", [1, 2])
    assert (late.label, [trial.number for trial in late.data.front]) == ("late", [0])
    assert [family.key(trials[0]) for family in (early, late)] == ["0", "0"]


@pytest.mark.parametrize("n_families", [1, MAX_FAMILIES + 1])
def test_one_family_or_more_than_there_are_shapes_for_are_not_split(n_families: int) -> None:
    names = [f"family {i}" for i in range(n_families)]
    trials = [make_trial(i, 0.5, 0.9, params={"family": name}) for i, name in enumerate(names)]
    spec = {**SPEC, "search": {"family": {"choice": names}}}
    assert families_within(make_study_data(trials, spec=spec, parameters=("family",))) == []


def test_there_is_a_shape_for_every_family() -> None:
    assert len(set(GLYPHS)) == MAX_FAMILIES


def test_the_page_has_every_family_and_a_report_of_each_study_beside_it(studies: Studies, tmp_path: Path) -> None:
    page = read(write(studies, ["one", "two"], tmp_path).read_text())
    summary = json.loads((tmp_path / "report.json").read_text())
    assert [family["family"] for family in summary["families"]] == ["one", "two"]
    assert summary["hypervolume_reference"] == {"compression_ratio": 2.0, "final_accuracy": 0.0}
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"1-one", "2-two"}
    links = [str(link["href"]) for link in page.all("a") if not str(link.get("href")).startswith("#")]
    assert all((tmp_path / link).exists() for link in links), links
    with (tmp_path / "fronts.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 14
    on_front = sum(row["on_front"] == "true" for row in rows)
    assert on_front == sum(len(family.data.front) for family in families_of(studies, ["one", "two"]))
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.slow
def test_the_same_studies_give_the_same_bytes(studies: Studies, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write(studies, ["one", "two"], tmp_path / folder)
    for path in (tmp_path / "a").iterdir():
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_a_hostile_name_stays_text_and_inside_the_folder(studies: Studies, tmp_path: Path) -> None:
    html = write(studies, ["one", HOSTILE], tmp_path / "out").read_text()
    assert "<script>document.title" not in html
    assert {path.name for path in tmp_path.iterdir()} == {"out"}
    assert (tmp_path / "out" / "2-script-script-document-title-1337-script" / "tradeoff.html").exists()


@pytest.mark.parametrize(
    ("names", "by", "message"),
    [
        (["one", "errors"], [], "one measure"),
        (["failed", "one", "one"], [], "named once"),
        (["failed"], ["method"], "no configuration of failed has finished"),
        (["one"], ["nothing"], "must name a field"),
    ],
)
def test_what_cannot_share_a_figure_is_an_error(
    studies: Studies, tmp_path: Path, names: list[str], by: list[str], message: str
) -> None:
    with pytest.raises(ConfigInvalid, match=message):
        write(studies, names, tmp_path, by)


def test_more_families_than_shapes_are_refused(studies: Studies, tmp_path: Path) -> None:
    distinct = len({some_params(number)["hypernet.chunk_size"] for number in range(14)})
    assert np.greater(distinct, MAX_FAMILIES)
    with pytest.raises(ConfigInvalid, match="at most 8"):
        write(studies, ["one", "two"], tmp_path, ["hypernet.chunk_size"])


def test_accuracies_are_drawn_on_an_axis_of_errors_too(studies: Studies, tmp_path: Path) -> None:
    html = write(studies, ["one", "two"], tmp_path / "accuracies").read_text(encoding="utf-8")
    assert '<svg id="fronts-errors"' in html
    assert "1 − accuracy, mean over seeds (log scale)" in html
    html = write(studies, ["errors"], tmp_path / "errors", ["method"]).read_text(encoding="utf-8")
    assert "fronts-errors" not in html


def test_a_front_that_the_range_hides_has_a_close_up(tmp_path: Path) -> None:
    def page(accuracies: list[float]) -> str:
        trials = [make_trial(i, 0.1 + 0.1 * i, accuracy, accuracy) for i, accuracy in enumerate(accuracies)]
        families = [
            Family(i, f"f{i}", f"{i}-", part, recommend(part), frozenset(), None, None)
            for i, part in enumerate([make_study_data(trials, [0, 1, 2])] * 2)
        ]
        figure = overlay_figure(families, x_scale(families))
        assert next(name for name, _ in figure.drawings) == "Fronts"
        return "".join(str(drawing) for _, drawing in figure.drawings)

    hidden = page([0.95, 0.955, 0.96, 0.3, 0.2])
    assert 'id="fronts-close-up"' in hidden
    close_up = hidden.partition('id="fronts-close-up"')[2].partition("</svg>")[0]
    assert "ratio 1: as large" not in close_up, "a line beyond the axis"
    assert "fronts-close-up" not in page([0.2, 0.5, 0.96, 0.3, 0.2])


def test_each_metric_has_its_own_number_of_seeds_in_the_csv() -> None:
    trial = make_trial(0, 0.5, 0.9)
    few = replace(trial, metrics=measured({**trial.metrics, "forgetting": Interval(0.1, None, None, 1)}))
    row = trial_row(few, ["compression_ratio", "final_accuracy", "forgetting"])
    assert (row["n"], row["final_accuracy.n"], row["forgetting.n"]) == (trial.n, trial.n, 1)
    assert "compression_ratio.n" not in row
    assert interval_of(row, "forgetting").n == 1
