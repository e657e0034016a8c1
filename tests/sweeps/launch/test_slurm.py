"""The batch script of a sweep: directives, quoting, and that sbatch is needed only to submit."""

from __future__ import annotations

import dataclasses
import os
import shlex
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hnet_core.errors import ConfigInvalid
from sweeps.launch.slurm import SlurmJob, log_name, seconds_of, slurm_script, submit_script
from sweeps.launch.sweep_command import SweepCommand

SWEEP = SweepCommand("/specs/a b.yaml", "tiny", "/home/me/hnet.db")
JOBS = {
    "one node": SlurmJob(),
    "many nodes": SlurmJob(4, False, 16, 4, "64G", "2-0", "gpu", "lab", ("qos=low", "constraint=a100|h100")),
    "array": SlurmJob(3, True, 2, 0, None, "90"),
}


def directives(script: str) -> list[str]:
    return [line.removeprefix("#SBATCH --") for line in script.splitlines() if line.startswith("#SBATCH ")]


def command_of(script: str) -> list[str]:
    """Words of the sweep's command, as a shell splits them."""
    begin = script.index("  hnet sweep run")
    return shlex.split(script[begin : script.index(" &\n", begin)].replace("\\\n", " "))


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_bash_accepts_the_script_and_shellcheck_has_nothing_to_say(job: SlurmJob, tmp_path: Path) -> None:
    path = tmp_path / "job.sh"
    path.write_text(slurm_script(job, SWEEP))
    subprocess.run(["bash", "-n", str(path)], check=True)
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed: the script is checked by bash alone")
    done = subprocess.run(["shellcheck", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_a_job_of_many_nodes_asks_for_what_was_named() -> None:
    script = slurm_script(JOBS["many nodes"], SWEEP)
    assert directives(script) == [
        "job-name=hnet-tiny",
        "nodes=4",
        "ntasks-per-node=1",
        "cpus-per-task=16",
        "gpus-per-node=4",
        "mem=64G",
        "time=2-0",
        "partition=gpu",
        "account=lab",
        "no-kill",
        "signal=B:USR1@120",
        "requeue",
        "open-mode=append",
        "export=ALL",
        "output=hnet-tiny-%j.log",
        "qos=low",
        "constraint=a100|h100",
    ]
    assert "srun --relative=1 --nodes=3 --ntasks=3 " in script
    assert 'wait_for_nodes "$address" 4' in script
    assert '--num-cpus="$SLURM_CPUS_PER_TASK" --num-gpus=4' in script


def test_an_array_has_one_node_per_task_of_which_the_first_drives() -> None:
    script = slurm_script(JOBS["array"], SWEEP)
    assert {"nodes=1", "array=0-2", "output=hnet-tiny-%A_%a.log"} <= set(directives(script))
    assert "srun" not in script
    assert log_name(JOBS["array"], "tiny", "12") == "hnet-tiny-12_0.log"


def test_ports_and_folders_are_of_the_job_alone_and_no_token_is_in_the_script() -> None:
    for job in JOBS.values():
        script = slurm_script(job, SWEEP)
        assert "--port=0" in script
        assert "hnet-$SLURM_JOB_ID" in script
        assert '--temp-dir="$scratch/ray"' in script
        assert "RAY_AUTH_MODE=token" in script
        assert "6379" not in script


def test_a_sqlite_database_is_worked_on_in_a_local_copy_and_a_server_directly() -> None:
    assert command_of(slurm_script(SlurmJob(), SWEEP))[-4:] == ["--address", "$address", "--scratch", "$scratch"]
    server = dataclasses.replace(SWEEP, database="postgresql://me@host/hnet")
    assert command_of(slurm_script(SlurmJob(), server))[-4:-2] == ["--db", "postgresql://me@host/hnet"]


def test_a_password_is_taken_from_the_environment_and_not_written() -> None:
    secret = dataclasses.replace(SWEEP, database="postgresql://me:hidden@host/hnet", database_is_secret=True)
    script = slurm_script(SlurmJob(), secret)
    assert "hidden" not in script
    assert "--db" not in script
    assert ': "${HNET_DB:?' in script


def test_setup_lines_replace_the_path_of_this_python() -> None:
    assert "export PATH=" in slurm_script(SlurmJob(), SWEEP)
    script = slurm_script(SlurmJob(setup="module load python\nsource ~/env/bin/activate\n"), SWEEP)
    assert "module load python\nsource ~/env/bin/activate\nfor program in hnet ray python" in script
    assert "export PATH=" not in script


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" "), min_size=1), max_size=3))
def test_every_argument_reaches_the_command_as_it_was_given(values: list[str]) -> None:
    sweep = SweepCommand(values[0] if values else "a", "tiny", "/hnet.db", assignments=tuple(values))
    words = command_of(slurm_script(SlurmJob(), sweep))
    assert words[3] == sweep.spec
    assert [word for before, word in pairwise(words[4:]) if before == "--set"][: len(values)] == values


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\x00b", "a\x1bb", "a\u2028b"])
def test_a_line_break_or_control_character_is_refused_in_every_argument(value: str) -> None:
    for change in ({"spec": value}, {"data": value}, {"storage": value}, {"assignments": (value,)}):
        with pytest.raises(ConfigInvalid, match="must be one line of printable characters"):
            slurm_script(SlurmJob(), dataclasses.replace(SWEEP, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value", ["a\n#SBATCH --uid=0", "a b", "a;b", "a$(b)", "a`b`", "a'b", 'a"b', "", "-a", "a#b", "a\\b"]
)
@pytest.mark.parametrize("option", ["partition", "account", "memory", "options", "time"])
def test_a_directive_takes_no_blank_quote_or_character_of_a_shell(option: str, value: str) -> None:
    given_value: Any = (f"qos={value}",) if option == "options" else value
    if option == "options" and value in ("", "-a", "a#b"):
        given_value = (value,) if value != "-a" else ("- a",)
    with pytest.raises(ConfigInvalid, match=" must "):
        slurm_script(dataclasses.replace(SlurmJob(), **{option: given_value}), SWEEP)


def test_the_name_of_any_study_makes_a_name_of_a_job() -> None:
    script = slurm_script(
        SlurmJob(), dataclasses.replace(SWEEP, study="my/study $(rm -rf ~)\n#SBATCH --uid=0", renamed=False)
    )
    assert directives(script)[0] == "job-name=hnet-my_study___rm_-rf_____SBATCH_--uid_0"
    assert "uid=0" not in directives(script)


@pytest.mark.parametrize(
    ("time", "seconds"),
    [("90", 5400), ("2:30", 150), ("12:00:00", 43200), ("1-0", 86400), ("1-2:30", 95400), ("0-0:0:45", 45)],
)
def test_every_form_of_a_time_limit_is_read(time: str, seconds: int) -> None:
    assert seconds_of(time) == seconds


@pytest.mark.parametrize("time", ["0", "1h", "1:2:3:4", "-1", "1-", "UNLIMITED", "1.5"])
def test_a_time_limit_in_another_form_is_refused(time: str) -> None:
    with pytest.raises(ConfigInvalid, match="--time must be M, M:S"):
        seconds_of(time)


def test_the_signal_comes_a_quarter_of_the_limit_before_its_end() -> None:
    def signal(time: str | None) -> str:
        return next(one for one in directives(slurm_script(SlurmJob(time=time), SWEEP)) if one.startswith("signal"))

    assert [signal(time) for time in (None, "1-0", "4", "1")] == [f"signal=B:USR1@{n}" for n in (120, 120, 60, 30)]


def fake_sbatch(folder: Path, monkeypatch: pytest.MonkeyPatch, lines: str) -> None:
    (folder / "sbatch").write_text(f"#!/bin/sh\n{lines}\n")
    (folder / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_sbatch_gets_the_script_and_the_database_in_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_sbatch(tmp_path, monkeypatch, f'echo "$2 $HNET_DB" > {tmp_path}/got; echo "17;cluster"')
    assert submit_script(Path("job.sbatch"), "postgresql://host/x") == "17"
    assert (tmp_path / "got").read_text() == "job.sbatch postgresql://host/x\n"


def test_a_refusal_of_sbatch_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_sbatch(tmp_path, monkeypatch, "echo 'sbatch: error: invalid partition' >&2; exit 1")
    with pytest.raises(ConfigInvalid, match="got: sbatch: error: invalid partition"):
        submit_script(Path("job.sbatch"))
