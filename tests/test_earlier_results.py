"""A study, checkpoints and a model that commit 8e10498 wrote are opened, continued and reported.

tests/data/earlier was made by that commit: a sweep of three trials killed in the second one, a checkpoint of four
methods after the first of two tasks with the result of the whole run there, and an exported model. The configurations
with their hashes are those of the presets before training.epochs.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import hnet_core
import studies
from hnet_core.config_validation import parse_trial
from hnet_core.errors import ConfigInvalid, UnsupportedTrial
from hnet_core.training import run_trial
from studies.spec.spec import SweepSpec
from sweeps.cli import app
from sweeps.runner import checkpoint_folder, run_sweep
from tests.hnet_core.conftest import stand_ins  # noqa: F401  (fixture)
from tests.sweeps.tiny import inline

EARLIER = Path(__file__).parent / "data" / "earlier"
CONFIGURATIONS = json.loads((EARLIER / "configurations.json").read_text())
METHODS = ["ewc", "hnet", "hypermask"]


@pytest.fixture
def database(tmp_path: Path) -> str:
    path = tmp_path / "study.db"
    path.write_bytes(gzip.decompress((EARLIER / "study.db.gz").read_bytes()))
    return str(path)


def test_an_earlier_study_is_continued_from_its_checkpoints_and_reported(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert CliRunner().invoke(app, ["db", "upgrade", "--db", database]).exit_code == 0
    found = studies.open(database)
    before = next(iter(found.trial_rows("tiny", "number == 0").dicts()))
    record = found.study("tiny")
    shutil.copytree(EARLIER / "checkpoints", checkpoint_folder(record.uuid))
    spec = SweepSpec.model_validate(record.spec)
    outcome = run_sweep(spec, database, backend=inline)
    assert not outcome.stopped
    rows = list(studies.open(database).trial_rows("tiny").dicts())
    assert [(row["number"], row["state"], row["attempt"]) for row in rows] == [
        (0, "COMPLETE", 1),
        (1, "COMPLETE", 2),
        (2, "COMPLETE", 1),
    ]
    assert rows[0] == before
    continued = studies.open(database).trial("tiny", 1)
    matrices = studies.open(database).matrices("tiny", 1)
    for seed in range(2):
        alone = run_trial(parse_trial(continued["config"]), seed)
        assert np.array_equal(matrices[seed], np.array([alone.untrained, *alone.test], dtype=float), equal_nan=True)
    for command in ("db check", "study show tiny", f"report tradeoff tiny -o {tmp_path / 'report'}"):
        done = CliRunner().invoke(app, [*command.split(), "--db", database])
        assert done.exit_code == 0, (command, done.output, done.exception)


def test_a_study_with_outlived_batch_statistics_is_labelled_and_not_continued(database: str, tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["db", "upgrade", "--db", database]).exit_code == 0
    with sqlite3.connect(database) as connection:
        connection.execute(
            "UPDATE trial SET config = json_set(config, '$.method.name', 'finetune', '$.target.name', 'resnet32', "
            "'$.target.normalization', 'task')"
        )
    spec = SweepSpec.model_validate(studies.open(database).study("tiny").spec)
    with pytest.raises(ConfigInvalid, match="cannot go on: in 1 trial of an earlier version earlier tasks were evalu"):
        run_sweep(spec, database, backend=inline)
    report = tmp_path / "report"
    done = CliRunner().invoke(app, ["report", "tradeoff", "tiny", "-o", str(report), "--db", database])
    assert done.exit_code == 0, done.output
    assert "<strong>Outdated:</strong> in 1 trial earlier tasks" in (report / "tradeoff.html").read_text()


@pytest.mark.parametrize("method", METHODS)
def test_an_earlier_checkpoint_is_resumed_to_the_same_result(method: str, stand_ins: Path) -> None:  # noqa: F811
    stored = json.loads((EARLIER / f"{method}.json").read_text())
    config = parse_trial(stored["config"])
    assert config.hash() == stored["config_hash"]
    checkpoint = torch.load(EARLIER / f"{method}.pt", weights_only=True)
    resumed = run_trial(config, 0, stand_ins, resume=checkpoint)
    assert resumed.test == run_trial(config, 0, stand_ins).test
    # Another CPU rounds in another way.
    assert np.array(resumed.test[-1]) == pytest.approx(np.array(stored["test"][-1]), abs=0.02)


def test_an_earlier_checkpoint_with_statistics_of_weights_that_moved_on_is_refused(stand_ins: Path) -> None:  # noqa: F811
    """latent_replay had batch statistics per task by default, although its weights change in later tasks."""
    stored = json.loads((EARLIER / "latent_replay.json").read_text())
    config = parse_trial(stored["config"])
    assert config.hash() == stored["config_hash"]
    checkpoint = torch.load(EARLIER / "latent_replay.pt", weights_only=True)
    with pytest.raises(UnsupportedTrial, match="weights that no longer exist; leave out"):
        run_trial(config, 0, stand_ins, resume=checkpoint)


@pytest.mark.parametrize("stored", CONFIGURATIONS, ids=lambda stored: stored["preset"])
def test_an_earlier_configuration_keeps_its_hash_and_content(stored: dict[str, Any]) -> None:
    """A field added since, at its default, is not written: results of all presets stay valid, and comparable."""
    config = parse_trial(stored["config"])
    assert config.hash() == stored["hash"]
    assert config.model_dump(mode="json") == stored["config"]


def test_an_earlier_model_is_read() -> None:
    model = hnet_core.load(EARLIER / "hnet_model.pt")
    assert model.config.method.name == "hnet"
    assert model.weights(1).isfinite().all()
