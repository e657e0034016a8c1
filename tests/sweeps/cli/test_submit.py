"""`hnet sweep submit` on the command line, where there is neither sbatch nor kubectl."""

# ruff: noqa: F811  (fixtures of another test file)

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from tests.sweeps.cli.test_sweep import Hnet, hnet, spec  # noqa: F401  (fixtures)
from tests.sweeps.launch.test_slurm import command_of, directives


@pytest.fixture(autouse=True)
def _no_cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def test_a_dry_run_prints_the_script_and_writes_nothing(hnet: Hnet, spec: str, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    done = hnet("sweep", "submit", spec, "--slurm", "--nodes", "2", "--time", "1-0", "--set", "seeds=3", "--dry-run")
    assert (done.code, done.err) == (0, "")
    assert {"nodes=2", "time=1-0"} <= set(directives(done.out))
    words = command_of(done.out)
    assert words[3:6] == [str(tmp_path / spec), "--db", str(tmp_path / "hnet.db")]
    assert words[6:8] == ["--data", os.environ["HNET_DATA"]]
    assert words[8:] == ["--set", "seeds=3", "--address", "$address", "--scratch", "$scratch"]
    assert sorted(tmp_path.iterdir()) == before


def test_without_sbatch_it_is_exit_code_2_and_names_the_dry_run(hnet: Hnet, spec: str) -> None:
    done = hnet("sweep", "submit", spec, "--slurm")
    assert done.code == 2
    assert "sbatch" in done.err
    assert "--dry-run" in done.err


def test_with_sbatch_it_shows_how_to_watch_and_stop(hnet: Hnet, spec: str, tmp_path: Path) -> None:
    (tmp_path / "bin" / "sbatch").write_text("#!/bin/sh\necho 7\n")
    (tmp_path / "bin" / "sbatch").chmod(0o755)
    done = hnet("sweep", "submit", spec, "--slurm", "--study", "my study", "--db", "postgresql://me@host/hnet")
    assert done.code == 0, done.err
    assert "Submitted hnet-my_study.sbatch as job 7; it writes to hnet-my_study-7.log" in done.err
    assert "hnet sweep status 'my study' --db postgresql://me@host/hnet" in done.err
    assert "scancel 7" in done.err
    assert (tmp_path / "hnet-my_study.sbatch").read_text() == done.out


def test_the_spec_is_checked_before_anything_is_written(hnet: Hnet, spec: str) -> None:
    done = hnet("sweep", "submit", spec, "--slurm", "--dry-run", "--set", "training.iterations=-1")
    assert (done.code, done.out) == (2, "")
    assert "training.iterations" in done.err


@pytest.mark.parametrize("system", [(), ("--slurm", "--kubernetes")])
def test_exactly_one_system_must_be_named(system: tuple[str, ...], hnet: Hnet, spec: str) -> None:
    done = hnet("sweep", "submit", spec, *system)
    assert done.code == 2
    assert "--slurm or --kubernetes" in done.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--partition", "a b"), "--partition must consist of"),
        (("--sbatch", "x\n#SBATCH --uid=0"), "--sbatch must consist of"),
        (("--memory-per-node", "1x"), "--memory-per-node must be a size such as 32G, got '1x'"),
        (("--time", "tomorrow"), "--time must be M, M:S"),
        (("--storage", "/a\nb"), "must be one line of printable characters"),
        (
            ("--setup", "missing.sh"),
            "--setup missing.sh: must be a text file that can be read, got: No such file or directory",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_named(options: tuple[str, ...], said: str, hnet: Hnet, spec: str) -> None:
    done = hnet("sweep", "submit", spec, "--slurm", "--dry-run", *options)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_rayjob_holds_the_spec_as_changed_on_the_command_line(hnet: Hnet, spec: str) -> None:
    options = ("--image", "registry.example/hnet:1", "--storage", "s3://bucket/hnet", "--nodes", "2")
    done = hnet("sweep", "submit", spec, "--kubernetes", *options, "--set", "seeds=3", "--study", "other", "--dry-run")
    assert done.code == 0, done.err
    config, rayjob = yaml.safe_load_all(done.out)
    held = yaml.safe_load(config["data"]["spec.yaml"])
    assert (held["seeds"], held["study"]) == (3, "other")
    assert rayjob["spec"]["rayClusterSpec"]["workerGroupSpecs"][0]["replicas"] == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "--image"),
        (("--image", "x"), "--storage"),
        (("--image", "x", "--storage", "s3://b", "--db", "my.db"), "kubectl create secret"),
        (("--image", "x", "--storage", "s3://b"), "kubectl"),
    ],
)
def test_a_rayjob_needs_image_storage_secret_and_kubectl(
    options: tuple[str, ...], said: str, hnet: Hnet, spec: str
) -> None:
    done = hnet("sweep", "submit", spec, "--kubernetes", *options)
    assert done.code == 2
    assert said in done.err
