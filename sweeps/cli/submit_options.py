"""Options of `hnet sweep submit`: of the sweep, of the nodes, of Slurm and of Kubernetes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from studies import DEFAULT_URL
from sweeps.cli.options import Assignments, Data, Database, NewName

SLURM, KUBERNETES = "Slurm", "Kubernetes"


@dataclass(frozen=True)
class BatchSystem:
    """The batch system, one of both."""

    slurm: Annotated[bool, typer.Option("--slurm", help="Submit a batch job with sbatch.")] = False
    kubernetes: Annotated[bool, typer.Option("--kubernetes", help="Create a RayJob with kubectl.")] = False


@dataclass(frozen=True)
class SubmitOptions:
    """What to do with the job that was written."""

    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be submitted, and stop.")] = False
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write.", show_default="hnet-STUDY.sbatch or .yaml in this folder"),
    ] = None


@dataclass(frozen=True)
class SweepOptions:
    """Options of `hnet sweep run` that are passed on."""

    study: NewName = None
    db: Database = DEFAULT_URL
    data: Data = None
    storage: Annotated[str | None, typer.Option(help="Path or URI for checkpoints that every node reaches.")] = None
    workers: Annotated[
        int | None, typer.Option(min=1, help="Training processes at a time.", show_default="what the nodes have")
    ] = None
    set_: Assignments = None


@dataclass(frozen=True)
class NodeOptions:
    """Number and size of the nodes."""

    nodes: Annotated[int, typer.Option(min=1, max=10_000, help="Number of nodes, or of pods that train.")] = 1
    cpus: Annotated[int, typer.Option("--cpus-per-node", min=1, help="CPUs of each node.")] = 4
    gpus: Annotated[int, typer.Option("--gpus-per-node", min=0, help="GPUs of each node.")] = 0
    memory: Annotated[
        str | None, typer.Option("--memory-per-node", help="Such as 32G.", show_default="the cluster's default")
    ] = None


@dataclass(frozen=True)
class SlurmOptions:
    """Options of a batch job."""

    time: Annotated[
        str | None, typer.Option(help="Time limit: 90 (minutes), 12:00:00, 2-0 (days-hours).", rich_help_panel=SLURM)
    ] = None
    partition: Annotated[str | None, typer.Option(help="Partition.", rich_help_panel=SLURM)] = None
    account: Annotated[str | None, typer.Option(help="Account that is charged.", rich_help_panel=SLURM)] = None
    array: Annotated[
        bool,
        typer.Option(
            "--array", help="One small job per node, which start one by one, not all at once.", rich_help_panel=SLURM
        ),
    ] = False
    sbatch: Annotated[
        list[str] | None,
        typer.Option(help="Further option of sbatch: qos=NAME, constraint=a100, ...", rich_help_panel=SLURM),
    ] = None
    setup: Annotated[
        Path | None,
        typer.Option(
            help="File of shell lines to run on every node first: modules, environment.", rich_help_panel=SLURM
        ),
    ] = None


@dataclass(frozen=True)
class KubernetesOptions:
    """Options of a RayJob."""

    image: Annotated[
        str | None, typer.Option(help="Container image with hnet, see Dockerfile.", rich_help_panel=KUBERNETES)
    ] = None
    namespace: Annotated[str | None, typer.Option(help="Namespace.", rich_help_panel=KUBERNETES)] = None
    secret: Annotated[str, typer.Option(help="Secret whose key url is the database.", rich_help_panel=KUBERNETES)] = (
        "hnet-database"
    )
    data_claim: Annotated[
        str | None, typer.Option(help="Volume claim with the data sets.", rich_help_panel=KUBERNETES)
    ] = None
    queue: Annotated[str | None, typer.Option(help="Queue of Kueue.", rich_help_panel=KUBERNETES)] = None
    toleration: Annotated[
        list[str] | None,
        typer.Option(
            help="Taint of nodes to run on nevertheless, such as preemptible ones.", rich_help_panel=KUBERNETES
        ),
    ] = None
