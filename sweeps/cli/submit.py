"""`hnet sweep submit`: hands a sweep to the batch system of a cluster."""

from __future__ import annotations

import os
import secrets
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from hnet_core.errors import ConfigInvalid
from studies import DEFAULT_URL
from studies.output.formats import say
from studies.output.output_file import check_holds_no_database
from studies.spec.document import unreadable
from studies.spec.yaml_subset import write_yaml
from sweeps.cli.option_groups import with_option_groups
from sweeps.cli.options import Source
from sweeps.cli.submit_options import (
    BatchSystem,
    KubernetesOptions,
    NodeOptions,
    SlurmOptions,
    SubmitOptions,
    SweepOptions,
)
from sweeps.cli.sweep import app, data_folder

if TYPE_CHECKING:
    from sweeps.launch.slurm import SlurmJob
    from sweeps.launch.sweep_command import SweepCommand


@app.command()
@with_option_groups
def submit(
    spec: Source,
    system: BatchSystem,
    sweep: SweepOptions,
    nodes: NodeOptions,
    job: SlurmOptions,
    rayjob: KubernetesOptions,
    options: SubmitOptions,
) -> None:
    """Write what a cluster needs to run a sweep, print it and submit it.

    Watch and stop the sweep with `hnet sweep status` and `hnet sweep stop` and the same --db.
    """
    if system.slurm == system.kubernetes:
        raise ConfigInvalid("hnet sweep submit must be given --slurm or --kubernetes, got both or none; name one.")
    from studies.spec.loading import load_spec
    from sweeps.presets import open_document

    document = open_document(spec)
    checked = load_spec(document, data_folder(sweep.data), sweep.set_ or [], sweep.study)
    if system.slurm:
        _submit_to_slurm(_slurm_job(nodes, job), _sweep_command(spec, checked.study, sweep), options)
    else:
        manifest = _manifest(write_yaml(document.content), checked.study, sweep, nodes, rayjob)
        _submit_to_kubernetes(manifest, options)


def _slurm_job(nodes: NodeOptions, job: SlurmOptions) -> SlurmJob:
    from sweeps.launch.slurm import SlurmJob

    return SlurmJob(
        nodes=nodes.nodes,
        array=job.array,
        cpus=nodes.cpus,
        gpus=nodes.gpus,
        memory=nodes.memory,
        time=job.time,
        partition=job.partition,
        account=job.account,
        options=tuple(job.sbatch or ()),
        setup=None if job.setup is None else _text_of(job.setup),
    )


def _sweep_command(spec: str, study: str, sweep: SweepOptions) -> SweepCommand:
    """The sweep as a command for other machines: with absolute paths, and no password."""
    from studies.database.urls import mask_passwords, parse_url, sqlite_path
    from sweeps.launch.sweep_command import SweepCommand
    from sweeps.presets import preset_names

    file = sqlite_path(parse_url(sweep.db))
    return SweepCommand(
        spec=spec if spec.partition(":")[0] in preset_names() else str(Path(spec).absolute()),
        study=study,
        database=sweep.db if file is None else str(file.expanduser().absolute()),
        database_is_secret=mask_passwords(sweep.db) != sweep.db,
        renamed=sweep.study is not None,
        data=None if sweep.data is None else _absolute(str(sweep.data)),
        storage=None if sweep.storage is None else _absolute(sweep.storage),
        workers=sweep.workers,
        assignments=tuple(sweep.set_ or ()),
    )


def _submit_to_slurm(job: SlurmJob, sweep: SweepCommand, options: SubmitOptions) -> None:
    from sweeps.launch.slurm import job_name, log_name, slurm_script, submit_script

    script = slurm_script(job, sweep)
    print(script, end="")
    if options.dry_run:
        return
    path = options.output or Path(f"{job_name(sweep.study)}.sbatch")
    job_id = submit_script(_write(path, script), sweep.database if sweep.database_is_secret else None)
    asked = shlex.join([sweep.study, *([] if sweep.database_is_secret else ["--db", sweep.database])])
    say(f"Submitted {path} as job {job_id}; it writes to {log_name(job, sweep.study, job_id)} in this folder.")
    say(f"Watch it: hnet sweep status {asked}")
    say(f"Stop it: hnet sweep stop {asked}; while it waits for nodes: scancel {job_id}")


def _manifest(spec: str, study: str, sweep: SweepOptions, nodes: NodeOptions, rayjob: KubernetesOptions) -> str:
    from sweeps.launch.kubernetes import RayJob, rayjob_manifest

    if rayjob.image is None or sweep.storage is None:
        raise ConfigInvalid(
            "--kubernetes must come with --image (hnet in a container, see Dockerfile) and --storage (a pod's own "
            "disk is lost with it); add them."
        )
    if sweep.db not in (DEFAULT_URL, os.environ.get("HNET_DB")):
        raise ConfigInvalid(
            "--kubernetes must take the database from a secret, got --db; create one with: "
            f"kubectl create secret generic {rayjob.secret} --from-literal=url=postgresql://USER@HOST/NAME"
        )
    job = RayJob(
        image=rayjob.image,
        nodes=nodes.nodes,
        cpus=nodes.cpus,
        gpus=nodes.gpus,
        memory=nodes.memory or "8Gi",
        namespace=rayjob.namespace,
        secret=rayjob.secret,
        data_claim=rayjob.data_claim,
        queue=rayjob.queue,
        tolerations=tuple(rayjob.toleration or ()),
    )
    return rayjob_manifest(job, study, spec, sweep.storage, sweep.workers, secrets.token_hex(3))


def _submit_to_kubernetes(manifest: str, options: SubmitOptions) -> None:
    from sweeps.launch.kubernetes import create

    print(manifest, end="")
    if options.output is not None:
        _write(options.output, manifest)
    if not options.dry_run:
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
