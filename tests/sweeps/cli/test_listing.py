"""`hnet list` shows a user's own data sets, as `hnet doctor` does, and the measured studies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sweeps.cli import app


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for file in ("mine/train.npz", "mine/test.npz", "half/train.npz", "notes/readme.txt"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    return tmp_path


def test_own_data_sets_are_listed_with_their_folder_and_what_they_lack(root: Path) -> None:
    done = CliRunner().invoke(app, ["list", "datasets", "--data", str(root), "--format", "json"])
    summaries = {row["name"]: row["summary"] for row in json.loads(done.stdout)["rows"]}
    assert summaries["mine"] == f"your own: {root / 'mine'}, train.npz and test.npz"
    assert summaries["half"] == f"your own: {root / 'half'}, which lacks test.npz"
    assert "digits" in summaries and "notes" not in summaries


def test_measured_studies_are_listed_with_streams_methods_and_seeds() -> None:
    done = CliRunner().invoke(app, ["list", "measured", "--format", "json"])
    summaries = {row["name"]: row["summary"] for row in json.loads(done.stdout)["rows"]}
    assert summaries["measured:split_mnist_dgr"] == "split mnist, 5 tasks: generative_replay; 3 trainings of 5 seeds"
    assert summaries["measured:split_mnist_hnet_ent_cl2"] == (
        "split mnist, 5 tasks: hnet with entropy; 1 training of 5 seeds"
    )


def test_doctor_shows_own_data_sets(root: Path) -> None:
    done = CliRunner().invoke(app, ["doctor", "--data", str(root), "--format", "json"])
    (found,) = (row["found"] for row in json.loads(done.stdout)["rows"] if row["check"] == "data")
    assert "your own: half (without test.npz), mine" in found
