"""`hnet sweep submit`: hands a sweep to the batch system of a cluster."""

from __future__ import annotations

import os
import secrets
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hnet_core.errors import ConfigInvalid
from studies import DEFAULT_URL
from studies.output.formats import say
from studies.output.output_file import check_holds_no_database
from studies.spec.document import unreadable
from studies.spec.yaml_subset import write_yaml
from sweeps.cli.options import Assignments, Data, Database, Source
from sweeps.cli.sweep import NewName, app, data_folder

if TYPE_CHECKING:
    from sweeps.launch.slurm import SlurmJob
    from sweeps.launch.sweep_command import SweepCommand

SLURM, KUBERNETES = "Slurm", "Kubernetes"


@app.command()
def submit(
    spec: Source,
    slurm: Annotated[bool, typer.Option("--slurm", help="Submit a batch job with sbatch.")] = False,
    kubernetes: Annotated[bool, typer.Option("--kubernetes", help="Create a RayJob with kubectl.")] = False,
    study: NewName = None,
    db: Database = DEFAULT_URL,
    data: Data = None,
    storage: Annotated[str | None, typer.Option(help="Path or URI for checkpoints that every node reaches.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Training processes at a time.", show_default="what the nodes have")
    ] = None,
    set_: Assignments = None,
    nodes: Annotated[int, typer.Option(min=1, max=10_000, help="Number of nodes, or of pods that train.")] = 1,
    cpus: Annotated[int, typer.Option("--cpus-per-node", min=1, help="CPUs of each node.")] = 4,
    gpus: Annotated[int, typer.Option("--gpus-per-node", min=0, help="GPUs of each node.")] = 0,
    memory: Annotated[
        str | None, typer.Option("--memory-per-node", help="Such as 32G.", show_default="the cluster's default")
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="Time limit: 90 (minutes), 12:00:00, 2-0 (days-hours).", rich_help_panel=SLURM)
    ] = None,
    partition: Annotated[str | None, typer.Option(help="Partition.", rich_help_panel=SLURM)] = None,
    account: Annotated[str | None, typer.Option(help="Account that is charged.", rich_help_panel=SLURM)] = None,
    array: Annotated[
        bool,
        typer.Option(
            "--array", help="One small job per node, which start one by one, not all at once.", rich_help_panel=SLURM
        ),
    ] = False,
    sbatch: Annotated[
        list[str] | None,
        typer.Option(help="Further option of sbatch: qos=NAME, constraint=a100, ...", rich_help_panel=SLURM),
    ] = None,
    setup: Annotated[
        Path | None,
        typer.Option(
            help="File of shell lines to run on every node first: modules, environment.", rich_help_panel=SLURM
        ),
    ] = None,
    image: Annotated[
        str | None, typer.Option(help="Container image with hnet, see Dockerfile.", rich_help_panel=KUBERNETES)
    ] = None,
    namespace: Annotated[str | None, typer.Option(help="Namespace.", rich_help_panel=KUBERNETES)] = None,
    secret: Annotated[
        str, typer.Option(help="Secret whose key url is the database.", rich_help_panel=KUBERNETES)
    ] = "hnet-database",
    data_claim: Annotated[
        str | None, typer.Option(help="Volume claim with the data sets.", rich_help_panel=KUBERNETES)
    ] = None,
    queue: Annotated[str | None, typer.Option(help="Queue of Kueue.", rich_help_panel=KUBERNETES)] = None,
    toleration: Annotated[
        list[str] | None,
        typer.Option(
            help="Taint of nodes to run on nevertheless, such as preemptible ones.", rich_help_panel=KUBERNETES
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be submitted, and stop.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write.", show_default="hnet-STUDY.sbatch or .yaml in this folder"),
    ] = None,
) -> None:
    """Write what a cluster needs to run a sweep, print it and submit it.

    Watch and stop the sweep with `hnet sweep status` and `hnet sweep stop` and the same --db.
    """
    if slurm == kubernetes:
        raise ConfigInvalid("hnet sweep submit must be given --slurm or --kubernetes, got both or none; name one.")
    from studies.spec.loading import load_spec
    from sweeps.presets import open_document

    document = open_document(spec)
    checked = load_spec(document, data_folder(data), set_ or [], study)
    if slurm:
        from sweeps.launch.slurm import SlurmJob

        lines = None if setup is None else _text_of(setup)
        job = SlurmJob(nodes, array, cpus, gpus, memory, time, partition, account, tuple(sbatch or ()), lines)
        sweep = _sweep_command(spec, checked.study, db, data, storage)
        sweep = replace(sweep, renamed=study is not None, workers=workers, assignments=tuple(set_ or ()))
        _submit_to_slurm(job, sweep, dry_run, output)
        return
    from sweeps.launch.kubernetes import RayJob, rayjob_manifest

    if image is None or storage is None:
        raise ConfigInvalid(
            "--kubernetes must come with --image (hnet in a container, see Dockerfile) and --storage (a pod's own "
            "disk is lost with it); add them."
        )
    if db not in (DEFAULT_URL, os.environ.get("HNET_DB")):
        raise ConfigInvalid(
            "--kubernetes must take the database from a secret, got --db; create one with: "
            f"kubectl create secret generic {secret} --from-literal=url=postgresql://USER@HOST/NAME"
        )
    rayjob = RayJob(
        image, nodes, cpus, gpus, memory or "8Gi", namespace, secret, data_claim, queue, tuple(toleration or ())
    )
    text = write_yaml(document.content)
    manifest = rayjob_manifest(rayjob, checked.study, text, storage, workers, secrets.token_hex(3))
    _submit_to_kubernetes(manifest, dry_run, output)


def _sweep_command(spec: str, study: str, db: str, data: Path | None, storage: str | None) -> SweepCommand:
    """The sweep as a command for other machines: with absolute paths, and no password."""
    from studies.database.urls import mask_passwords, parse_url, sqlite_path
    from sweeps.launch.sweep_command import SweepCommand
    from sweeps.presets import preset_names

    file = sqlite_path(parse_url(db))
    return SweepCommand(
        spec=spec if spec.partition(":")[0] in preset_names() else str(Path(spec).absolute()),
        study=study,
        database=db if file is None else str(file.expanduser().absolute()),
        database_is_secret=mask_passwords(db) != db,
        data=None if data is None else _absolute(str(data)),
        storage=None if storage is None else _absolute(storage),
    )


def _submit_to_slurm(job: SlurmJob, sweep: SweepCommand, dry_run: bool, output: Path | None) -> None:
    from sweeps.launch.slurm import job_name, log_name, slurm_script, submit_script

    script = slurm_script(job, sweep)
    print(script, end="")
    if dry_run:
        return
    path = output or Path(f"{job_name(sweep.study)}.sbatch")
    job_id = submit_script(_write(path, script), sweep.database if sweep.database_is_secret else None)
    asked = shlex.join([sweep.study, *([] if sweep.database_is_secret else ["--db", sweep.database])])
    say(f"Submitted {path} as job {job_id}; it writes to {log_name(job, sweep.study, job_id)} in this folder.")
    say(f"Watch it: hnet sweep status {asked}")
    say(f"Stop it: hnet sweep stop {asked}; while it waits for nodes: scancel {job_id}")


def _submit_to_kubernetes(manifest: str, dry_run: bool, output: Path | None) -> None:
    from sweeps.launch.kubernetes import create

    print(manifest, end="")
    if output is not None:
        _write(output, manifest)
    if not dry_run:
        for line in create(manifest):
            say(line)


def _absolute(place: str) -> str:
    """A path as other machines find it; a URL as it is."""
    return place if "://" in place else str(Path(place).expanduser().absolute())


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(f"--setup {path}", error) from None


def _write(path: Path, text: str) -> Path:
    check_holds_no_database(path, "-o")
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigInvalid(f"{path}: must be a file that can be written, got: {error.strerror}.") from None
    return path
