"""`hnet trial export`: the trained model of a study's trial."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

import hnet_core
from hnet_core.errors import NotFound
from sweeps.cli import app
from sweeps.runner import run_sweep
from tests.sweeps.tiny import inline, tiny_spec


def test_the_model_of_a_finished_trial_is_written_and_predicts(tmp_path: Path) -> None:
    url, path = str(tmp_path / "runs.db"), tmp_path / "model.pt"
    run_sweep(tiny_spec(budget={"trials": 1}), url, backend=inline)
    done = CliRunner().invoke(app, ["trial", "export", "tiny", "0", "--seed", "1", "-o", str(path), "--db", url])
    assert done.exit_code == 0, done.output
    assert "trial 0, seed 1, trained again; the stored result, to the bit" in done.stderr
    read = hnet_core.load(path)
    assert read.seed == 1 and read.weights(0).ndim == 1
    with pytest.raises(NotFound, match="has no finished seed 7; finished: 0, 1"):
        CliRunner().invoke(
            app, ["trial", "export", "tiny", "0", "--seed", "7", "-o", str(path), "--db", url], catch_exceptions=False
        )
