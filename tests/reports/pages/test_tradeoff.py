"""The written report agrees with SQL for every kind of study."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reports.data.task_matrices import INFERENCE
from reports.pages.tradeoff import write_study as write
from reports.pages.tradeoff_content import collect
from reports.pages.tradeoff_page import page
from studies.errors import StudyNotFound
from studies.metrics.definitions import METRICS
from studies.queries.row_selection import Rows
from studies.queries.studies import Studies
from tests.reports.cases import fill, inferring, new_engine, open_in, some_params, some_runs
from tests.reports.reading import read

STUDY = "sample-tradeoff"
HOSTILE = "</script><script>document.title=1337</script><img src=x onerror=alert(1)>\"'&\u202e\u0665 {{7*7}} "


def written(folder: Path, name: str = "case") -> tuple[str, dict[str, Any]]:
    """The page and the JSON of a study in a folder."""
    html = write(open_in(folder), name, folder / "report").read_text(encoding="utf-8")
    return html, json.loads((folder / "report" / "report.json").read_text(encoding="utf-8"))


def rows_of(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_csv_numbers_equal_those_in_sql(sample: Studies, report_folder: Path) -> None:
    trials = sample.trials(STUDY, where="state == 'COMPLETE'").set_index("number")
    trials = trials[trials["duplicate_of"].isna()]
    rows = rows_of(report_folder, "tradeoff.csv")
    assert [int(row["number"]) for row in rows] == list(trials.index)
    compared = ["final_accuracy", "final_accuracy.low", "final_accuracy.high", "during_accuracy", "forgetting"]
    for row in rows:
        for key in [*compared, "compression_ratio", "model_weights", "seconds", "method.beta_output"]:
            assert float(row[key]) == trials.loc[int(row["number"]), key], key


def test_the_front_of_page_json_and_csv_is_the_front_of_sql(sample: Studies, report_folder: Path) -> None:
    front = sample.front(STUDY)
    numbers = [int(number) for number in front["number"]]
    content = json.loads((report_folder / "report.json").read_text())
    html = read((report_folder / "tradeoff.html").read_text())
    assert [row["number"] for row in content["front"]] == numbers
    assert [int(row["number"]) for row in rows_of(report_folder, "front.csv")] == numbers
    assert [int(key.removeprefix("front-")) for key in html.rows if re.fullmatch(r"front-\d+", key)] == numbers
    for sql, as_json in zip(front.to_dict("records"), content["front"], strict=True):
        cells = html.rows[f"front-{sql['number']}"]
        for metric in ("final_accuracy", "during_accuracy", "forgetting", "seconds"):
            expected = {"mean": sql[metric], "low": sql[f"{metric}.low"], "high": sql[f"{metric}.high"], "n": sql["n"]}
            assert as_json[metric] == expected
            assert repr(sql[metric]) in cells
        assert repr(sql["compression_ratio"]) in cells
        assert as_json["compression_ratio"] == sql["compression_ratio"]
        assert as_json["params"] == sql["params"]


def test_the_recommendation_is_the_best_of_sql_by_validation(sample: Studies, report_folder: Path) -> None:
    trials = sample.trials(STUDY, where="state == 'COMPLETE'", sort="-validation_final_accuracy")
    best = json.loads((report_folder / "report.json").read_text())["answer"]["best"]
    assert best["number"] == trials.loc[0, "number"]
    assert best["final_accuracy"]["mean"] == trials.loc[0, "final_accuracy"]


def test_task_rows_equal_the_matrices_of_sql(sample: Studies, report_folder: Path) -> None:
    for row in rows_of(report_folder, "matrix.csv"):
        cells = sample.matrices(STUDY, int(row["number"]))[:, int(row["after_task"]), int(row["on_task"]) - 1]
        assert float(row["mean"]) == pytest.approx(cells.mean(), abs=1e-12)
        assert int(row["n"]) == len(cells)
    for row in rows_of(report_folder, "tasks.csv"):
        last = sample.matrices(STUDY, int(row["number"]))[:, -1, int(row["task"]) - 1]
        assert float(row["final"]) == pytest.approx(last.mean(), abs=1e-12)


def test_the_same_study_gives_the_same_bytes(sample: Studies, report_folder: Path, tmp_path: Path) -> None:
    write(sample, STUDY, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in report_folder.iterdir())
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (report_folder / path.name).read_bytes(), path.name


def test_every_drawing_says_its_finding_and_every_link_has_its_file(report_folder: Path) -> None:
    html = read((report_folder / "tradeoff.html").read_text())
    drawings = [svg for svg in html.all("svg") if svg.get("role") == "img"]
    ids = [str(attributes["id"]) for _, attributes in html.elements if "id" in attributes]
    assert len(drawings) >= 7
    assert len(set(ids)) == len(ids)
    for svg in drawings:
        assert all(name in ids for name in str(svg["aria-labelledby"]).split())
    links = [str(link["href"]) for link in html.all("a")]
    assert all(link[1:] in ids for link in links if link.startswith("#"))
    named = {link for link in links if not link.startswith("#")}
    assert named == {path.name for path in report_folder.iterdir()} - {"tradeoff.html"}


def test_the_page_refers_to_nothing_outside(report_folder: Path) -> None:
    html = (report_folder / "tradeoff.html").read_text()
    assert ("link", {"rel": "icon", "href": "data:,"}) in read(html).elements
    page_ = read(html)
    sources = [a[key] for _, a in page_.elements for key in ("src", "href", "action", "poster", "srcset") if a.get(key)]
    assert all(re.fullmatch(r"#[\w-]+|[\w-]+\.(csv|json|tex)|data:,", str(source)) for source in sources)
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|sendBeacon|import\(", html)
    assert not [a for _, a in page_.elements for key in a if key.startswith("on") or key == "style"]


def test_a_study_of_one_trial_with_one_seed_is_reported_without_an_interval(tmp_path: Path) -> None:
    fill(new_engine(tmp_path), [some_runs(0, seeds=1)])
    html, content = written(tmp_path)
    assert content["front"][0]["final_accuracy"]["low"] is None
    assert "1 seed, no interval" in html
    assert "single point" in html
    assert "0 parameters varied. Not varied: beta_output " in html


def test_a_study_where_everything_failed_says_so_and_why(tmp_path: Path) -> None:
    fill(new_engine(tmp_path), ["MemoryError: no room", "MemoryError: no room"])
    html, content = written(tmp_path)
    assert "There is no answer: no configuration has finished (2 trials: 2 failed)." in html
    assert "MemoryError: no room" in html
    assert content["answer"]["best"] is None
    assert rows_of(tmp_path / "report", "tradeoff.csv") == []


def test_a_study_without_trials_is_a_page_too(tmp_path: Path) -> None:
    fill(new_engine(tmp_path), [])
    assert "no trial of this study has started" in written(tmp_path)[0]


def test_a_study_in_which_nothing_is_feasible_is_drawn_without_a_front(tmp_path: Path) -> None:
    fill(new_engine(tmp_path), [some_runs(0), some_runs(1)], constraints={"compression_ratio": "<= 0.001"})
    html, content = written(tmp_path)
    assert content["front"] == []
    assert "meets the constraint compression_ratio &lt;= 0.001" in html
    assert "infeasible" in html


def test_errors_are_better_when_lower(tmp_path: Path) -> None:
    objectives = {"final_mse": "minimize", "compression_ratio": "minimize"}
    runs = [some_runs(i, measure="mse") for i in range(6)]
    fill(new_engine(tmp_path), runs, measure="mse", objectives=objectives)
    html, content = written(tmp_path)
    trials = open_in(tmp_path).trials("case", sort="validation_final_mse")
    assert content["answer"]["best"]["number"] == trials.loc[0, "number"]
    assert content["metrics"] == {"final": "final_mse", "selection": "validation_final_mse"}
    assert "final mean squared error of" in html
    assert "Better is down" in html


def test_other_objectives_keep_the_figure_and_drop_the_line(tmp_path: Path) -> None:
    objectives = {"final_accuracy": "maximize", "during_accuracy": "maximize"}
    fill(new_engine(tmp_path), [some_runs(i) for i in range(5)], objectives=objectives)
    html, _ = written(tmp_path)
    assert "other objectives (maximize final_accuracy, maximize during_accuracy)" in html
    assert 'class="front-line"' not in html


def test_a_reduced_run_is_labelled_and_never_called_a_reproduction(tmp_path: Path) -> None:
    paper = {"cite": "von Oswald et al. (2020)", "settings": {"training.iterations": 2000}}
    fill(new_engine(tmp_path), [some_runs(0)], paper=paper)
    html, content = written(tmp_path)
    assert "<strong>Reduced:</strong> training.iterations 300 instead of 2000" in html
    assert "does not reproduce" in html
    assert content["paper"]["reduced"] == ["training.iterations 300 instead of 2000"]


def test_hostile_names_and_values_stay_text(tmp_path: Path) -> None:
    name = (HOSTILE + "x" * 200)[:200]
    long = HOSTILE + "x" * 10_000
    params = [{**some_params(i), "method.beta_output": long, HOSTILE: long} for i in range(2)]
    spec = {"search": {"method.beta_output": {"choice": [HOSTILE]}, HOSTILE: {"choice": [HOSTILE]}}}
    launch = {"command_line": HOSTILE, "host": long, "packages": {HOSTILE: HOSTILE}, "device": HOSTILE}
    results: list[Any] = [some_runs(0), some_runs(1), long]
    fill(new_engine(tmp_path), results, name=name, params=[*params, params[0]], provenance=launch, **spec)
    html, _ = written(tmp_path, name)
    parsed = read(html)
    assert len(parsed.all("script")) == 2
    assert parsed.all("img") == []
    assert "{{7*7}}" in "".join(parsed.text)
    assert len(html) < 400_000


def test_a_password_in_a_command_line_is_in_no_file(tmp_path: Path) -> None:
    launch = {"command_line": "hnet sweep run x --db postgresql://me:s3cret@host/db"}
    fill(new_engine(tmp_path), [some_runs(0)], provenance=launch)
    written(tmp_path)
    assert all("s3cret" not in path.read_text() for path in (tmp_path / "report").iterdir())


def test_an_unknown_study_is_not_found(sample: Studies, tmp_path: Path) -> None:
    with pytest.raises(StudyNotFound):
        write(sample, "sample-tradeof", tmp_path / "report")
    assert not (tmp_path / "report").exists()


class Many:
    """The sample study with each finished trial repeated, a little changed, until there are `n`."""

    def __init__(self, sample: Studies, n: int) -> None:
        self._sample = sample
        trials = sample.trials(STUDY)
        done = trials[(trials["state"] == "COMPLETE") & trials["duplicate_of"].isna()]
        self._originals = [int(number) for number in done["number"]]
        table = pd.concat([done] * (n // len(done) + 1), ignore_index=True).head(n)
        rng = np.random.default_rng(0)
        columns = [name for name in table.columns if name.split(".")[0] in METRICS and name != "target_weights"]
        table[columns] = table[columns].astype(float).mul(rng.uniform(0.7, 1.0, n), axis=0)
        self._table = table.assign(number=range(n))

    def study(self, name: str) -> Any:
        return self._sample.study(name)

    def trial_rows(self, name: str, columns: list[str]) -> Rows:
        return _rows(self._table[columns])

    def measured(self, name: str, columns: list[str]) -> dict[str, Any]:
        table = self._table.assign(finished_at=self._table["number"])
        return {name: table[name].to_numpy(dtype=float) for name in columns}

    def outdated_results(self, name: str) -> dict[str, int]:
        return {}

    def runs(self, name: str) -> pd.DataFrame:
        """Three seeds of each trial, a little around its mean."""
        table = pd.concat([self._table.assign(seed=seed) for seed in range(3)], ignore_index=True)
        columns = ["final_accuracy", "during_accuracy"]
        table[columns] = table[columns] + np.random.default_rng(1).normal(0, 0.01, (len(table), 2))
        return table

    def matrices_of(self, name: str, numbers: list[int]) -> Any:
        originals = {number: self._originals[number % len(self._originals)] for number in numbers}
        return {number: self._sample.matrices(name, original) for number, original in originals.items()}


def _rows(table: pd.DataFrame) -> Rows:
    return Rows(list(table.columns), table.astype(object).where(table.notna(), None).to_numpy().tolist())


@pytest.mark.slow
def test_two_thousand_configurations_stay_below_a_megabyte(sample: Studies) -> None:
    many: Any = Many(sample, 2000)
    report = collect(many, STUDY)
    html = page(report)
    assert len(report.data.configurations) == 2000
    assert len(html.encode()) < 1_000_000
    assert html.count("<tr") < 2_000


def test_the_matrices_of_task_inference_are_shown_with_their_numbers(tmp_path: Path) -> None:
    fill(new_engine(tmp_path), [[inferring(run) for run in some_runs(0)], some_runs(1)])
    html, _ = written(tmp_path)
    study, page_of = open_in(tmp_path), read(html)
    rows = rows_of(tmp_path / "report", "inference.csv")
    assert {(row["number"], row["matrix"]) for row in rows} == {("0", name) for name in INFERENCE}
    for row in rows:
        cells = study.matrices("case", 0, row["matrix"])[:, int(row["after_task"]), int(row["on_task"]) - 1]
        assert float(row["mean"]) == pytest.approx(cells.mean(), abs=1e-12)
    last = study.matrices("case", 0, "task_inference")[:, -1, 2].mean()
    assert repr(float(last))[:12] in str(page_of.rows["inference-0-3"])
    assert "The task of every input is inferred." in html
    assert html.count("with the task of every input known, on each task") == 2, "caption and label of one matrix"
    assert html.count("Share of test inputs whose task is inferred right, on") == 2
    assert "with the task of every input inferred, on each task" not in html, "that is the matrix of the scenario"


def test_a_study_without_task_inference_has_no_file_of_it(tmp_path: Path) -> None:
    fill(new_engine(tmp_path), [some_runs(0)])
    html, _ = written(tmp_path)
    assert "inference" not in html
    assert not (tmp_path / "report" / "inference.csv").exists()
