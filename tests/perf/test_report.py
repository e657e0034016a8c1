"""The sections that `make perf` writes into the documentation."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from perf import processes, report, sweep, trial
from perf.step import StepTiming


def row(task: int, engine: str, ms: float, setting: str = "split_mnist", mib: float = 10.0) -> StepTiming:
    what = "regularizer" if setting == "permuted_mnist_100" else "step"
    return StepTiming(setting, task, what, engine, ms, ratio=2.0, gemm_share=0.5, peak_mib=mib)


ROWS = [row(2, "plain", 20), row(2, "fast", 10), row(5, "plain", 40), row(5, "fast", 11)]


def test_a_section_is_replaced_and_the_prose_around_it_stays() -> None:
    page = "above\n<!-- steps: begin -->\nold\n<!-- steps: end -->\nbelow\n"
    assert report.replace_section(page, "steps", "new") == (
        "above\n<!-- steps: begin -->\nnew\n<!-- steps: end -->\nbelow\n"
    )
    with pytest.raises(ValueError, match="must have the marks"):
        report.replace_section("above", "steps", "new")


def test_the_page_has_the_marks_the_report_needs() -> None:
    page = report.PAGE.read_text()
    for name in ("steps", "trials", "processes", "sweeps", "endurance"):
        report.replace_section(page, name, "anything")


def test_ratios_are_of_mean_times_and_growth_is_against_the_second_task() -> None:
    lines = report.summary(ROWS)
    assert lines[0].startswith(
        "- split_mnist, step: fast is 2.9 times plain over tasks 2, 5 (ratio of mean times), 3.6"
    )
    assert lines[1] == "- split_mnist, step: fast takes 1.10 times as long at task 5 as at task 2."


def test_memory_growth_is_per_previous_task() -> None:
    rows = [
        row(task, engine, 1.0, "permuted_mnist_100", mib)
        for task, mib in ((2, 20.0), (100, 69.0))
        for engine in ("plain", "fast")
    ]
    assert report.summary(rows)[-1] == "- permuted_mnist_100: fast needs 0.50 MiB more per previous task."


def test_trials_are_given_with_mean_deviation_and_number_of_seeds() -> None:
    trials = [
        {
            "setting": "split_mnist",
            "engine": "fast",
            "seed": seed,
            "processes": 1,
            "iterations": 2000,
            "accuracy": accuracy,
            "seconds": 60.0,
            "wall_seconds": 61.0,
        }
        for seed, accuracy in enumerate([0.997, 0.999])
    ]
    section = report.trial_section(trials, "Measured today.")
    assert "| split_mnist | fast | 1 | 2000 | 2 | 99.800 +- 0.141 % | 60 +- 0 |" in section


def test_workers_are_given_with_the_spread_of_their_ratio(tmp_path: Path) -> None:
    row = {
        "setting": "split_mnist",
        "engine": "fast",
        "iterations": 200,
        "processes": 2,
        "rounds": 7,
        "trials_per_second": 0.2,
        "ratio": 1.91,
        "ratio_low": 1.88,
        "ratio_high": 1.95,
        "cpu_seconds": 9.0,
        "cpu_ratio": 1.93,
    }
    path = tmp_path / "processes.json"
    path.write_text(json.dumps([row]))
    section = report.processes_section(report._rows("processes", [path], processes.ScalingTiming), "Measured today.")
    assert "| split_mnist, 200 iterations | fast | 2 | 12.00 | 1.91 (1.88 to 1.95) | 7 | 1.93 |" in section
    with pytest.raises(SystemExit, match=r"--trials must be the output of perf\.trial --json"):
        report._rows("trials", [path], trial.TrialTiming)


def test_sweeps_are_given_with_what_asking_took_apart(tmp_path: Path) -> None:
    path = tmp_path / "sweep.json"
    path.write_text(json.dumps([asdict(sweep.ServiceCost("driver, nsga2", 1900, 61.04, 34.5, 26.54))]))
    section = report.sweep_section(report._rows("sweep", [path], sweep.ServiceCost), "Measured today.")
    assert section.splitlines()[-1] == "| driver, nsga2 | 1,900 | 61.0 | 34.5 | 26.5 |"


def test_one_long_study_may_come_from_each_file(tmp_path: Path) -> None:
    ended = sweep.Endurance("sqlite", "nsga2", 10000, 9999, 0, 7.25, 41.0, 212.4, 33.3)
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    for path in paths:
        path.write_text(json.dumps(asdict(ended)))
    section = report.endurance_section(report._rows("endurance", paths, sweep.Endurance), "Measured today.")
    assert section.splitlines()[-2:] == ["| sqlite | nsga2 | 10,000 | 9,999 | 0 | 7.2 | 41.0 | 212 | 33 |"] * 2
