"""`hnet trial`: files are checked before training, and the trained model is written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from typer.testing import CliRunner, Result

import hnet_core
from hnet_core import trained_model
from hnet_core.build import method_shape, stream_shape
from hnet_core.errors import ConfigInvalid
from hnet_core.trial import TaskReport
from sweeps.cli import app
from tests.sweeps.tiny import SPEC


@pytest.fixture
def trial_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `hnet trial run` on the tiny configuration, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(SPEC["trial"]))

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["trial", "run", "tiny.yaml", *arguments], catch_exceptions=False)

    return run


@pytest.mark.parametrize("option", ["-o", "--save"])
@pytest.mark.parametrize("place", ["no/such/folder/file", ".", "tiny.yaml/file"])
def test_a_file_that_cannot_be_written_is_refused_before_training(
    option: str, place: str, trial_run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hnet_core.stacked.run_trials", lambda *_, **__: pytest.fail("trained"))
    with pytest.raises(ConfigInvalid, match=rf"{option} must name a file that can be written, got {place}: "):
        trial_run(option, place)


def test_an_export_checks_its_file_before_it_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeps.model_export.export_model", lambda *_, **__: pytest.fail("trained"))
    with pytest.raises(ConfigInvalid, match="-o must name a file that can be written"):
        CliRunner().invoke(
            app, ["trial", "export", "tiny", "0", "-o", str(tmp_path / "no" / "model.pt")], catch_exceptions=False
        )


def test_checking_a_file_changes_nothing(tmp_path: Path, trial_run: Callable[..., Result]) -> None:
    (tmp_path / "results.json").write_text("earlier results")
    with pytest.raises(ConfigInvalid, match="unknown key"):
        trial_run("-o", "results.json", "--save", "model.pt", "--set", "training.iterationz=1")
    assert (tmp_path / "results.json").read_text() == "earlier results"
    assert not (tmp_path / "model.pt").exists()


def test_the_trained_model_is_written_as_trial_export_writes_it(trial_run: Callable[..., Result]) -> None:
    done = trial_run("--save", "model.pt", "-o", "results.json", "--format", "json")
    assert done.exit_code == 0, done.output
    assert "Wrote model.pt: the trained model" in done.stderr
    model, config = hnet_core.load("model.pt"), hnet_core.parse_trial(SPEC["trial"])
    assert model.config == config
    reports: list[TaskReport] = []
    hnet_core.run_trial(config, seed=0, on_task=reports.append)
    shape = method_shape(config, stream_shape(config, Path()))
    trained_model.save("again.pt", config, shape, reports[-1].checkpoint)
    assert torch.equal(model.weights(1), hnet_core.load("again.pt").weights(1))


def test_a_model_of_several_seeds_and_one_file_for_both_outputs_are_refused(trial_run: Callable[..., Result]) -> None:
    with pytest.raises(ConfigInvalid, match=r"--save writes the model of one seed, got --seeds 2"):
        trial_run("--save", "model.pt", "--seeds", "2")
    with pytest.raises(ConfigInvalid, match="different files"):
        trial_run("--save", "model.pt", "-o", "./model.pt")


def test_a_log_shows_the_task_of_how_many_and_how_long_the_rest_takes(
    trial_run: Callable[..., Result],
) -> None:
    lines = trial_run("--seeds", "2", "--set", "training.stack_seeds=false").stderr.splitlines()
    assert lines[0] == "training the first task"
    expected = [f"seed {seed} of 2: task {n}/2" for seed in (0, 1) for n in (1, 2)]
    assert [line.split(",")[0] for line in lines[1:]] == expected
    assert [re.search(r", ETA \d+ s$", line) is not None for line in lines[1:]] == [True, True, True, False]


FAST = ("--set", "training.optimizer=rmsprop", "--set", "training.engine=fast", "--set", "method.lookahead=none")
SELECT = ("--set", "training.select=best_validation", "--set", "stream.validation=0")


@pytest.mark.parametrize("command", ["run", "describe"])
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (FAST, r"--set training.engine=fast: training.engine: training.engine fast cannot train this: .*rmsprop"),
        (SELECT, r"--set training.select=best_validation: training.select: .* needs a validation split"),
    ],
    ids=["engine", "validation"],
)
def test_what_training_refuses_is_refused_before_it_is_said_to_train(
    command: str, changes: tuple[str, ...], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(SPEC["trial"]))
    with pytest.raises(ConfigInvalid, match=says):
        CliRunner().invoke(app, ["trial", command, str(tmp_path / "tiny.yaml"), *changes], catch_exceptions=False)
    assert "training the first task" not in capsys.readouterr().err


@pytest.mark.parametrize("is_spec", [False, True], ids=["a configuration", "a spec"])
def test_a_refused_training_is_shown_with_its_line(is_spec: bool, tmp_path: Path) -> None:
    trial = {**SPEC["trial"], "stream": {**SPEC["trial"]["stream"], "validation": 0}}
    trial["training"] = {**trial["training"], "select": "best_validation"}
    text = yaml.safe_dump({**SPEC, "trial": trial} if is_spec else trial)
    (tmp_path / "tiny.yaml").write_text(text)
    line = next(n for n, one in enumerate(text.splitlines(), start=1) if "best_validation" in one)
    key = "trial.training.select" if is_spec else "training.select"
    with pytest.raises(ConfigInvalid, match=rf"tiny\.yaml:{line}: {key}: training.select best_validation needs"):
        CliRunner().invoke(app, ["trial", "describe", str(tmp_path / "tiny.yaml")], catch_exceptions=False)


def test_describe_warns_of_settings_that_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(SPEC["trial"]))

    def warnings(*changes: str) -> list[str]:
        given = [word for change in changes for word in ("--set", change)]
        arguments = ["trial", "describe", str(tmp_path / "tiny.yaml"), "--format", "json", *given]
        found: list[str] = json.loads(CliRunner().invoke(app, arguments, catch_exceptions=False).stdout)["warnings"]
        return found

    assert warnings() == []
    late = "training.schedule={after: [5], factors: [0.1]}"
    assert warnings("training.iterations=null", "training.epochs=2", late) == [
        "training.schedule.after 5 is never reached: a task has 2 epochs"
    ]
    counted = 64 * 12 + 12 + 12 * 10 + 10
    assert warnings(f"hypernet.chunk_size={counted}") == []
    (cut,) = warnings(f"hypernet.chunk_size={counted + 1}")
    assert cut.startswith(f"hypernet.chunk_size {counted + 1} is more than the {counted} weights to generate")
