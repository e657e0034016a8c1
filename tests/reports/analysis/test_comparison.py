"""Two methods that differ get a verdict, and those that cannot be compared get none."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hnet_core.errors import ConfigInvalid, NotFound
from hnet_core.trial import TrialResult
from reports.analysis.comparability import budget_remarks, differing_settings
from reports.analysis.comparison import compare, headline
from reports.data.compared_methods import ComparedMethod, compared_methods
from reports.data.measured_studies import import_measured
from reports.pages.comparison import write
from reports.tables.comparison import cross_tables, method_table, stream_table, verdict_table
from studies.comparing.comparability import why_not_comparable
from studies.queries.studies import Studies
from studies.statistics.verdicts import A_BETTER, B_BETTER, NO_DIFFERENCE, NOT_COMPARABLE
from sweeps.cli.report import app
from tests.reports.cases import fill, new_engine, open_in, some_params
from tests.reports.reading import read
from tests.studies.sample import sample_result

HOSTILE = "</script><script>document.title=1337</script>=cmd|'/C calc'!A0 \u202e \\input{x} {{7*7}}"


def params(beta: float, chunk_size: int = 500) -> dict[str, Any]:
    return {**some_params(0), "method.beta_output": beta, "hypernet.chunk_size": chunk_size}


def runs(values: Mapping[str, Any], seeds: range = range(7)) -> list[TrialResult]:
    return [sample_result(dict(values), 4, seed) for seed in seeds]


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Studies:
    """`strong` forgets nothing, `weak` much, `same` is as `strong` with other seeds' noise, `two` holds both."""
    folder = tmp_path_factory.mktemp("comparison")
    engine = new_engine(folder)
    for name, betas in {"strong": [0.5], "weak": [0.0005], "same": [0.6], "two": [0.5, 0.0005]}.items():
        every = [params(beta) for beta in betas]
        fill(engine, [runs(one) for one in every], name=name, trained=every)
    fill(engine, [runs(params(0.5), range(100, 107))], name="other-seeds", trained=[params(0.5)])
    fill(engine, ["TrainingDiverged"], name="failed")
    fill(engine, [runs(params(0.5))], name=HOSTILE, trained=[params(0.5)])
    engine.dispose()
    return open_in(folder)


def test_a_clear_difference_is_found_in_either_direction(studies: Studies) -> None:
    for names, answer in ((["strong", "weak"], A_BETTER), (["weak", "strong"], B_BETTER)):
        (pair,) = compare(compared_methods(studies, names)).pairs
        assert pair.verdict.answer == answer
        assert (pair.verdict.design, pair.verdict.a.n) == ("paired", 7)
        assert pair.winner is not None
        assert pair.winner.label == "strong"
        assert pair.sentence.startswith("strong is better than weak: ")


def test_two_that_are_alike_do_not_differ_or_are_equivalent_within_a_margin(studies: Studies) -> None:
    methods = compared_methods(studies, ["strong", "same"])
    assert compare(methods).pairs[0].verdict.answer == NO_DIFFERENCE
    with_margin = compare(methods, margin=0.05)
    assert str(with_margin.pairs[0].verdict) == "equivalent within margin"
    assert "equivalent within a margin of 0.05" in headline(with_margin)[0]


def test_seeds_that_are_not_shared_are_not_paired(studies: Studies) -> None:
    (pair,) = compare(compared_methods(studies, ["strong", "other-seeds"])).pairs
    assert pair.verdict.design == "unpaired"
    assert "not in pairs" in pair.sentence


def test_the_sentence_cuts_a_difference_off_where_none_can_be(studies: Studies) -> None:
    (pair,) = compare(compared_methods(studies, ["strong", "weak"])).pairs
    assert pair.verdict.difference is not None
    wide = replace(pair.verdict, difference=replace(pair.verdict.difference, low=-3.4, high=4.1))
    assert "[-1.00, 1.00] (7 seeds in pairs)" in replace(pair, verdict=wide).sentence


def test_forgetting_is_better_when_lower(studies: Studies) -> None:
    (pair,) = compare(compared_methods(studies, ["strong", "weak"]), metric="forgetting").pairs
    assert pair.verdict.answer == A_BETTER
    assert pair.verdict.difference is not None
    assert pair.verdict.difference.mean < 0


def test_the_best_configuration_stands_for_a_study_and_one_can_be_named(studies: Studies) -> None:
    (best,) = compared_methods(studies, ["two"])
    assert (best.trial.number, best.n_tried, best.selection) == (0, 2, "validation_final_accuracy")
    named = compared_methods(studies, ["two:0", "two:1"])
    assert [(one.label, one.trial.number, one.n_tried) for one in named] == [("two:0", 0, 1), ("two:1", 1, 1)]


def test_trials_of_several_studies_can_be_grouped_by_a_field(studies: Studies) -> None:
    methods = compared_methods(studies, ["strong", "weak"], by=["method", "method.beta_output"])
    assert [one.label for one in methods] == ["hnet, beta_output 0.5", "hnet, beta_output 0.0005"]
    with pytest.raises(ConfigInvalid, match=r"did you mean 'method\.beta_output'"):
        compared_methods(studies, ["strong"], by=["method.beta_outptu"])


def test_two_fields_make_a_table_of_one_by_the_other(studies: Studies, tmp_path: Path) -> None:
    by = ["method", "method.beta_output"]
    comparison = compare(compared_methods(studies, ["strong", "weak"], by=by))
    (table,) = cross_tables(comparison, by)
    assert [row["label"] for row in table.rows] == ["hnet"]
    weak, strong = (f"method.beta_output {value}" for value in ("0.0005", "0.5"))
    assert [column.label for column in table.columns] == ["method", weak, "95 % interval", strong, "95 % interval"]
    means = {one.config["method"]["beta_output"]: one.interval(comparison.metric) for one in comparison.methods}
    assert table.rows[0][strong] == means[0.5].mean
    assert table.rows[0][f"{weak}.low"] == means[0.0005].low
    assert cross_tables(comparison, ["method"]) == []
    write(studies, ["strong", "weak"], tmp_path, by)
    assert "cross.csv" in (tmp_path / "comparison.html").read_text()
    assert (tmp_path / "cross.tex").read_text().count(r"\begin{tabular}") == 1


def test_the_family_is_adjusted_together_and_the_best_is_marked(studies: Studies) -> None:
    comparison = compare(compared_methods(studies, ["strong", "weak", "same"]))
    assert {pair.verdict.family for pair in comparison.pairs} == {3}
    standing = {one.label: comparison.standing(one) for one in comparison.methods}
    assert standing["weak"] == ""
    assert sorted([standing["strong"], standing["same"]]) == ["best", "not significantly different from the best"]
    table = method_table(comparison, comparison.streams[0])
    assert table.is_marked(table.rows[0])
    assert [row["label"] for row in table.rows][-1] == "weak"
    assert len(verdict_table(comparison).rows) == 3


def test_different_budgets_data_and_streams_are_not_comparable(studies: Studies) -> None:
    one, other = compared_methods(studies, ["strong", "weak"])
    elsewhere = {**other.config, "stream": {**other.config["stream"], "name": "split"}}
    longer = {**other.config, "training": {**other.config["training"], "iterations": 5000}}
    assert why_not_comparable(one, other, "final_accuracy") is None
    cases: list[tuple[ComparedMethod, str]] = [
        (replace(other, config=longer), "different budgets: training.iterations 300 and 5000"),
        (replace(other, data=frozenset({"f" * 16})), "different data"),
        (replace(other, stream="split mnist", config=elsewhere), "different streams: stream.name permuted and split"),
    ]
    for changed, reason in cases:
        (pair,) = compare([one, changed]).pairs
        assert pair.verdict.answer == NOT_COMPARABLE
        assert reason in str(pair.verdict)
        assert "are not comparable: " + reason in headline(compare([one, changed]))[0]


def test_studies_without_a_stream_in_common_say_so_for_each_pair(tmp_path: Path) -> None:
    for name in ("split_mnist_dgr", "permuted_mnist_10_ewc_cl1"):
        import_measured(str(tmp_path / "study.db"), name)
    names = ["measured:split_mnist_dgr", "measured:permuted_mnist_10_ewc_cl1"]
    write(open_in(tmp_path), names, tmp_path)
    rows = json.loads((tmp_path / "report.json").read_text())["verdicts"]
    assert [row["verdict"] for row in rows] == [NOT_COMPARABLE] * 3
    assert all(row["reason"].startswith("different streams: stream.name split and permuted") for row in rows)


def test_times_are_compared_on_one_machine_only(studies: Studies) -> None:
    one, other = compared_methods(studies, ["strong", "weak"])
    assert compare([one, other], metric="seconds").pairs[0].verdict.answer != NOT_COMPARABLE
    elsewhere = replace(other, machines=frozenset({"another host"}))
    (pair,) = compare([one, elsewhere], metric="seconds").pairs
    assert "different machines: sample-host, cpu, 1 thread and another host" in str(pair.verdict)
    keys = [column.key for column in method_table(compare([one, elsewhere]), one.stream).columns]
    assert "seconds" not in keys
    assert any("different machines" in remark for remark in budget_remarks([one, elsewhere]))
    unknown = [replace(each, machines=frozenset({None})) for each in (one, other)]
    assert str(compare(unknown, metric="seconds").pairs[0].verdict) == "not comparable: machines not known"
    assert "Times are left out: machines not known." in method_table(compare(unknown), one.stream).caption
    assert any("machines of some are not known" in remark for remark in budget_remarks(unknown))


def test_the_box_names_what_differs_and_how_much_each_was_searched(studies: Studies) -> None:
    strong, weak, two = compared_methods(studies, ["strong", "weak", "two"])
    found = {setting.name: setting.values for setting in differing_settings([strong, weak])}
    assert found == {"method.beta_output": ("0.5", "0.0005")}
    assert {s.name: s.values for s in differing_settings([strong, two])} == {"configurations tried": ("1", "2")}
    assert "not searched equally" in budget_remarks([strong, two])[0]


def test_names_over_several_streams_become_a_table(studies: Studies) -> None:
    strong, weak = compared_methods(studies, ["strong", "weak"])
    elsewhere = [replace(strong, stream="split x"), replace(weak, stream="split x")]
    comparison = compare([strong, weak, *elsewhere])
    assert len(comparison.pairs) == 2
    table = stream_table(comparison)
    assert table is not None
    assert [row["label"] for row in table.rows] == ["strong", "weak"]
    assert comparison.ranks is None
    assert len(headline(comparison)) == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [("failed", "'failed' has no finished configuration"), ("two:7", "'two' has no finished trial 7")],
)
def test_what_is_not_there_is_not_found(studies: Studies, tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(NotFound, match=message):
        write(studies, ["strong", name], tmp_path)


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (["strong"], {}, "needs two or more"),
        (["strong", "strong"], {}, "may be named once"),
        (["strong", "weak"], {"metric": "compression_ratio"}, "must vary over seeds"),
        (["strong", "weak"], {"margin": -1.0}, "margin must be a positive number"),
    ],
)
def test_what_cannot_be_compared_is_an_error(
    studies: Studies, tmp_path: Path, names: list[str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigInvalid, match=message):
        write(studies, names, tmp_path, **options)


def test_the_report_is_written_with_its_files_and_the_same_bytes_again(studies: Studies, tmp_path: Path) -> None:
    for folder in (tmp_path / "one", tmp_path / "two"):
        write(studies, ["strong", "weak", "same"], folder, margin=0.02)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == [
        "comparison.html", "entrants.csv", "entrants.tex", "report.json", "seeds.csv", "settings.csv", "verdicts.csv",
        "verdicts.tex",
    ]  # fmt: skip
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    summary = json.loads((tmp_path / "one" / "report.json").read_text())
    assert summary["files"] == files
    with (tmp_path / "one" / "verdicts.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["verdict"] for row in rows] == [row["verdict"] for row in summary["verdicts"]]
    with (tmp_path / "one" / "seeds.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 21
    page = read((tmp_path / "one" / "comparison.html").read_text())
    assert page.rows["pair-0"][:3] == ["strong", "weak", "A better"]


def test_hostile_names_stay_text(studies: Studies, tmp_path: Path) -> None:
    html = write(studies, ["strong", HOSTILE], tmp_path).read_text()
    assert "<script>document.title" not in html
    assert "{{7*7}}" in html
    assert "\\input" not in (tmp_path / "verdicts.tex").read_text()
    assert "\u202e" not in (tmp_path / "verdicts.tex").read_text()


def test_the_command_says_where_the_page_is(studies: Studies, tmp_path: Path) -> None:
    fill(new_engine(tmp_path), [runs(params(0.5))], name="a", trained=[params(0.5)])
    fill(new_engine(tmp_path), [runs(params(0.0005))], name="b", trained=[params(0.0005)])
    result = CliRunner().invoke(
        app, ["compare", "a", "b", "-o", str(tmp_path / "out"), "--db", str(tmp_path / "study.db"), "--margin", "0.01"]
    )
    assert (result.exit_code, result.stdout.strip()) == (0, str(tmp_path / "out" / "comparison.html"))
