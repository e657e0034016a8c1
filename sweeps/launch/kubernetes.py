"""Kubernetes: the RayJob of a sweep for the KubeRay operator (1.5.1 or later), and its submission.

Fields: https://docs.ray.io/en/latest/cluster/kubernetes/references/api.html.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from importlib import metadata

from hnet_core.errors import ConfigInvalid
from sweeps.launch.rendering import render
from sweeps.launch.sweep_command import check_one_line, check_plain

SPEC_PATH = "/etc/hnet/spec.yaml"
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?")


@dataclass(frozen=True)
class RayJob:
    """Options of a RayJob.

    Attributes:
        image: with hnet and ray[default], see Dockerfile.
        nodes: pods that train.
        cpus, gpus, memory: of each; memory such as 8Gi.
        secret: whose key `url` is the database.
        data_claim: volume claim with the data sets; without it they are in the image, or downloaded.
        queue: of Kueue.
        tolerations: keys of the taints of nodes that pods may run on, such as those of preemptible machines.
    """

    image: str
    nodes: int = 1
    cpus: int = 4
    gpus: int = 0
    memory: str = "8Gi"
    namespace: str | None = None
    secret: str = "hnet-database"
    data_claim: str | None = None
    queue: str | None = None
    tolerations: tuple[str, ...] = ()


def rayjob_manifest(job: RayJob, study: str, spec: str, storage: str, workers: int | None, suffix: str) -> str:
    """Write the RayJob of a sweep and the ConfigMap of its spec, as YAML.

    Args:
        spec: YAML of the sweep spec.
        storage: URI or path of the checkpoints, which outlive the pods.
        suffix: of the name, which differs from earlier submissions.

    Raises:
        ConfigInvalid: a value is no name or quantity of Kubernetes, or has a line break.
    """
    check_plain("--image", job.image)
    for option, value in (
        ("--namespace", job.namespace),
        ("--secret", job.secret),
        ("--data-claim", job.data_claim),
        ("--queue", job.queue),
    ):
        if value is not None and not _LABEL.fullmatch(value):
            raise ConfigInvalid(f"{option} must be a name of small letters, digits and dashes, got {value!r}.")
    if not _QUANTITY.fullmatch(job.memory):
        raise ConfigInvalid(f"--memory-per-node must be a quantity such as 8Gi, got {job.memory!r}.")
    for key in job.tolerations:
        check_plain("--toleration", key)
    check_one_line("--storage", [storage])
    command = ["hnet", "sweep", "run", SPEC_PATH, "--address", "auto", "--storage", storage]
    command += [] if workers is None else ["--workers", str(workers)]
    return render(
        "rayjob.yaml.j2",
        title=f"Sweep of study {study!r}",
        name=_name(study, suffix),
        spec=spec,
        entrypoint=shlex.join(["sh", "-c", f"{shlex.join(command)} || [ $? = 4 ]"]),
        ray_version=metadata.version("ray"),
        **vars(job),
    )


def create(manifest: str) -> list[str]:
    """Create the objects of a manifest with kubectl and return its lines.

    Raises:
        ConfigInvalid: there is no kubectl here, or it refuses the manifest.
    """
    if shutil.which("kubectl") is None:
        raise ConfigInvalid(
            "--kubernetes must be used where kubectl is, and there is none here; "
            "--dry-run shows the manifest without submitting it."
        )
    done = subprocess.run(["kubectl", "create", "-f", "-"], input=manifest, capture_output=True, text=True)
    if done.returncode:
        why = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise ConfigInvalid(f"kubectl must accept the RayJob, got: {why[-1]}; is it connected, and KubeRay installed?")
    return done.stdout.strip().splitlines()


def _name(study: str, suffix: str) -> str:
    """Name of the objects: RFC 1123, and short enough for the names that KubeRay derives from it."""
    middle = re.sub(r"[^a-z0-9]+", "-", study.lower()).strip("-")[:24].strip("-")
    return "-".join(part for part in ("hnet", middle, suffix) if part)
