"""Slurm: the batch script of a sweep, and its submission.

One job holds all nodes (`slurm_job.sh.j2`), or an array has one small job per node, of which the first drives the sweep
and the others join it as they start (`slurm_array.sh.j2`).
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from hnet_core.errors import ConfigInvalid
from sweeps.launch.rendering import render
from sweeps.launch.sweep_command import SweepCommand, check_one_line, check_plain

SECONDS_TO_END = 120  # between the signal and the time limit: ten to end, and Slurm may send it a minute early
_MEMORY = re.compile(r"\d+(?:[KMGT]B?)?", re.IGNORECASE)  # as sbatch reads --mem
_TIME = re.compile(r"(?:(?P<days>\d+)-)?(?P<parts>\d+(?::\d+){0,2})")


@dataclass(frozen=True)
class SlurmJob:
    """Options of a batch job.

    Attributes:
        nodes: of the job; with `array`, jobs of one node each.
        cpus, gpus: per node.
        memory: per node, such as 32G.
        time: limit, as sbatch takes it.
        options: further options of sbatch without their dashes, such as "reservation=NAME".
        setup: shell lines run on every node first; by default the folder of this Python is put before PATH.
    """

    nodes: int = 1
    array: bool = False
    cpus: int = 4
    gpus: int = 0
    memory: str | None = None
    time: str | None = None
    partition: str | None = None
    account: str | None = None
    options: tuple[str, ...] = ()
    setup: str | None = None


def slurm_script(job: SlurmJob, sweep: SweepCommand) -> str:
    """Write the batch script of a sweep.

    Raises:
        ConfigInvalid: a value does not fit into a line of directives, or has a line break.
    """
    words = [word for group in sweep.arguments() for word in group]
    check_one_line("an argument of the sweep", words)
    return render(
        "slurm_array.sh.j2" if job.array else "slurm_job.sh.j2",
        title=f"Sweep of study {sweep.study!r}",
        directives=_directives(job, sweep.study),
        setup=(job.setup or f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH").rstrip("\n"),
        nodes=job.nodes,
        gpus=job.gpus,
        command=[shlex.join(group) for group in sweep.arguments()],
        scratch_option=' --scratch "$scratch"' if sweep.database_file is not None else "",
        database_from_environment=sweep.database_is_secret,
    )


def submit_script(path: Path, database: str | None = None) -> str:
    """Submit a script with sbatch and return the id of the job.

    Args:
        database: for the environment of the job, where the script does not name it.

    Raises:
        ConfigInvalid: there is no sbatch here, or it refuses the job.
    """
    if shutil.which("sbatch") is None:
        raise ConfigInvalid(
            "--slurm must be used where sbatch is, on a login node of the cluster, and there is none here; "
            "--dry-run shows the script without submitting it."
        )
    environment = os.environ if database is None else {**os.environ, "HNET_DB": database}
    done = subprocess.run(["sbatch", "--parsable", str(path)], env=environment, capture_output=True, text=True)
    if done.returncode:
        why = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise ConfigInvalid(f"sbatch must accept {path}, got: {why[-1]}; correct the options of the job.")
    return done.stdout.strip().partition(";")[0]


def log_name(job: SlurmJob, study: str, job_id: str) -> str:
    """Name of the file in the folder of submission to which the job writes."""
    return f"{job_name(study)}-{job_id}{'_0' if job.array else ''}.log"


def _directives(job: SlurmJob, study: str) -> list[str]:
    nodes = 1 if job.array else job.nodes
    found = [f"job-name={job_name(study)}", f"nodes={nodes}", "ntasks-per-node=1", f"cpus-per-task={job.cpus}"]
    if job.gpus:
        found.append(f"gpus-per-node={job.gpus}")
    if job.memory is not None and not _MEMORY.fullmatch(job.memory):
        raise ConfigInvalid(
            f"--memory-per-node must be a size such as 32G, got {job.memory!r}; units are K, M, G and T."
        )
    for option in ("mem", "time", "partition", "account"):
        value = job.memory if option == "mem" else getattr(job, option)
        if value is not None:
            found.append(f"{option}={check_plain(f'--{option}', value)}")
    if job.array:
        found.append(f"array=0-{job.nodes - 1}")
    elif job.nodes > 1:
        found.append("no-kill")  # a lost node does not end the job
    found += [f"signal=B:USR1@{_seconds_to_end(job.time)}", "requeue", "open-mode=append", "export=ALL"]
    found.append(f"output={job_name(study)}-{'%A_%a' if job.array else '%j'}.log")
    found += [check_plain("--sbatch", option.lstrip("-")) for option in job.options]
    return [f"--{option}" for option in found]


def job_name(study: str) -> str:
    """Name of the job and its log: of a study, with other characters than these replaced."""
    return "hnet-" + re.sub(r"[^A-Za-z0-9._-]", "_", study)[:100]


def _seconds_to_end(time: str | None) -> int:
    """Seconds before the limit at which the sweep is ended: a quarter of a short one, at least 30."""
    return SECONDS_TO_END if time is None else max(30, min(SECONDS_TO_END, seconds_of(time) // 4))


def seconds_of(time: str) -> int:
    """Return the seconds of a time limit in one of sbatch's forms: M, M:S, H:M:S, D-H, D-H:M or D-H:M:S.

    Raises:
        ConfigInvalid: it is in none of them, or zero.
    """
    match = _TIME.fullmatch(time)
    seconds = 0
    if match is not None:
        parts = [int(part) for part in match["parts"].split(":")]
        if match["days"] is not None:
            hours, minutes, rest = [*parts, 0, 0][:3]
        elif len(parts) == 3:
            hours, minutes, rest = parts
        else:
            hours, (minutes, rest) = 0, [*parts, 0][:2]
        seconds = ((int(match["days"] or 0) * 24 + hours) * 60 + minutes) * 60 + rest
    if not seconds:
        raise ConfigInvalid(f"--time must be M, M:S, H:M:S, D-H, D-H:M or D-H:M:S, got {time!r}; a day is 1-0.")
    return seconds
