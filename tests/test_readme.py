"""The commands, the Python and the links of the README; sweeps are shortened."""

from __future__ import annotations

import re
import shlex
import statistics
import sys
from pathlib import Path
from typing import Any

import pytest

import studies
from hnet_core.stacked import run_trials
from studies.metrics.values import run_metrics
from studies.spec.loading import load_spec
from sweeps import cli
from sweeps.driver.driver import Driver
from sweeps.presets import open_document
from sweeps.runner import run_sweep
from sweeps.worker import work
from tests.sweeps.tiny import inline

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
SHORT = ["--set", "training.iterations=1"]
SHORT_SWEEP = [*SHORT, "--set", "budget.trials=2", "--set", "seeds=1"]


def commands() -> list[list[str]]:
    """The commands that end by themselves."""
    lines = re.findall(r"^\$ (hnet .*)$", README, flags=re.MULTILINE)
    found = [shlex.split(line, comments=True)[1:] for line in lines]
    assert ["serve"] in [arguments[:1] for arguments in found], "tests/sweeps/server starts it"
    return [arguments for arguments in found if arguments[:1] != ["serve"]]


def shortened(arguments: list[str]) -> list[str]:
    if arguments[:2] in (["sweep", "run"], ["sweep", "check"]):
        return [*arguments, *SHORT_SWEEP]
    return [*arguments, *SHORT] if arguments[:2] == ["trial", "run"] else arguments


def test_the_readme_shows_commands_of_every_kind() -> None:
    assert {tuple(arguments[:2]) for arguments in commands()} >= {
        ("sweep", "run"), ("sweep", "check"), ("study", "front"), ("report", "tradeoff"), ("trial", "run"),
    }  # fmt: skip


def test_every_command_of_the_readme_runs_in_the_order_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mnist_root: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HNET_DATA", str(mnist_root))
    monkeypatch.setattr("sweeps.runner._ray", lambda: inline)
    (tmp_path / "demo").mkdir()
    (spec,) = re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)
    (tmp_path / "sweep.yaml").write_text(spec)
    for arguments in commands():
        monkeypatch.setattr(sys, "argv", ["hnet", *shortened(arguments)])
        try:
            cli.main()
        except SystemExit as error:
            assert not error.code, arguments
    assert (tmp_path / "demo" / "tradeoff.html").exists()
    assert (tmp_path / "report" / "tradeoff.html").exists()


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sweeps.runner._ray", lambda: inline)
    (spec,) = re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)
    short = (
        spec.replace("iterations: 300", "iterations: 1")
        .replace("trials: 60", "trials: 1")
        .replace("seeds: 3", "seeds: 1")
    )
    (tmp_path / "sweep.yaml").write_text(short)
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})


@pytest.mark.slow
def test_the_trials_that_every_quickstart_starts_with_give_the_front_of_the_readme() -> None:
    shown = {
        int(number): (float(low), float(high))
        for number, low, high in re.findall(
            r"^ +(\d+) +COMPLETE .*? \[([\d.]+), ([\d.]+)\] n=3", README, flags=re.MULTILINE
        )
    }
    spec = load_spec(open_document("quickstart"), Path("unused"))
    fixed = [number for number in shown if number < len(spec.enqueue)]
    assert len(fixed) >= 3
    for number in fixed:
        results = run_trials(spec.config(spec.enqueue[number]), range(spec.seeds))
        accuracy = statistics.mean(run_metrics(result)["final_accuracy"] for result in results)
        assert shown[number][0] <= accuracy <= shown[number][1], number


@pytest.mark.slow
def test_every_quickstart_trains_the_same_configurations_whichever_ends_first(tmp_path: Path) -> None:
    def two_at_a_time(driver: Driver, workers: int, address: str | None, send: Any) -> None:
        """The later of two jobs ends first."""
        while jobs := [job for job in (driver.next_job(), driver.next_job()) if job is not None]:
            for job in reversed(jobs):
                for message in work(job):
                    send(job.number, message)

    short = ["training.iterations=1", "seeds=1", "stream.n_tasks=2"]
    spec = load_spec(open_document("quickstart"), Path("unused"), short)
    found = []
    for number, backend in enumerate((inline, two_at_a_time)):
        url = str(tmp_path / f"{number}.db")
        run_sweep(spec, url, backend=backend)
        found.append([row["params"] for row in studies.open(url).ledger("quickstart")])
    assert found[0] == found[1]
    assert not [params for number, params in enumerate(found[0]) if params in found[0][:number]], "one comes twice"


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_file_the_readme_links_to_exists(link: str) -> None:
    assert (Path(__file__).parent.parent / link).exists()
