"""The RayJob of a sweep: valid YAML with the fields of KubeRay, nothing secret in it, and a command the CLI accepts."""

from __future__ import annotations

import dataclasses
import os
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from hnet_core.errors import ConfigInvalid
from sweeps.cli import app
from sweeps.launch.kubernetes import RayJob, create, rayjob_manifest
from tests.sweeps.tiny import SPEC

JOB = RayJob("registry.example/hnet:1.0", nodes=4, cpus=8, gpus=1, memory="16Gi", data_claim="data", queue="lab")
SPEC_TEXT = yaml.safe_dump(SPEC)


def objects(job: RayJob = JOB, study: str = "tiny", storage: str = "s3://bucket/hnet") -> tuple[Any, Any]:
    text = rayjob_manifest(job, study, SPEC_TEXT, storage, None, "1a2b3c")
    config, rayjob = yaml.safe_load_all(text)
    return config, rayjob


def pods(rayjob: Any) -> list[Any]:
    cluster = rayjob["spec"]["rayClusterSpec"]
    return [group["template"]["spec"] for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])]


# Fields of ray.io/v1 as of KubeRay 1.5.1 that are used here, with their types; another name would be ignored silently.
FIELDS: dict[str, Any] = {
    "entrypoint": str,
    "suspend": bool,
    "shutdownAfterJobFinishes": bool,
    "ttlSecondsAfterFinished": int,
    "backoffLimit": int,
    "submitterConfig": {"backoffLimit": int},
    "rayClusterSpec": {
        "rayVersion": str,
        "authOptions": {"mode": str},
        "headGroupSpec": {"rayStartParams": {None: str}, "template": dict},
        "workerGroupSpecs": [
            {
                "groupName": str,
                "replicas": int,
                "minReplicas": int,
                "maxReplicas": int,
                "rayStartParams": {None: str},
                "template": dict,
            }
        ],
    },
}


def assert_fits(content: Any, fields: Any, place: str = "spec") -> None:
    if isinstance(fields, list):
        assert isinstance(content, list) and content, place
        for one in content:
            assert_fits(one, fields[0], place)
    elif isinstance(fields, dict):
        for key, value in content.items():
            assert key in fields or None in fields, f"{place}.{key} is no field"
            assert_fits(value, fields.get(key, fields.get(None)), f"{place}.{key}")
    else:
        assert type(content) is fields, place


def test_the_manifest_is_a_config_map_and_a_rayjob_with_known_fields() -> None:
    config, rayjob = objects()
    assert (config["apiVersion"], config["kind"]) == ("v1", "ConfigMap")
    assert (rayjob["apiVersion"], rayjob["kind"]) == ("ray.io/v1", "RayJob")
    assert yaml.safe_load(config["data"]["spec.yaml"]) == SPEC
    assert_fits(rayjob["spec"], FIELDS)
    (volume,) = [one for one in pods(rayjob)[0]["volumes"] if one["name"] == "spec"]
    assert volume["configMap"]["name"] == config["metadata"]["name"] == rayjob["metadata"]["name"] == "hnet-tiny-1a2b3c"


def test_the_entrypoint_is_a_command_of_this_cli_and_ends_well_with_failed_trials() -> None:
    shell, option, script = shlex.split(objects()[1]["spec"]["entrypoint"])
    assert (shell, option) == ("sh", "-c")
    command, _, rest = script.partition(" || ")
    assert rest == "[ $? = 4 ]"
    words = shlex.split(command)
    assert words[:4] == ["hnet", "sweep", "run", "/etc/hnet/spec.yaml"]
    run: Any = typer.main.get_command(app).commands["sweep"].commands["run"]  # type: ignore[attr-defined]
    context = run.make_context("run", words[3:])
    assert (context.params["address"], context.params["storage"]) == ("auto", "s3://bucket/hnet")


def test_the_database_comes_from_a_secret_and_only_the_driver_has_it() -> None:
    head, worker = pods(objects()[1])
    (database,) = [one for one in head["containers"][0]["env"] if one["name"] == "HNET_DB"]
    assert database["valueFrom"] == {"secretKeyRef": {"name": "hnet-database", "key": "url"}}
    assert "HNET_DB" not in str(worker)


def test_pods_run_without_privileges_and_with_explicit_resources() -> None:
    for pod in pods(objects()[1]):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["terminationGracePeriodSeconds"] == 60
        (container,) = pod["containers"]
        assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
        assert container["resources"]["requests"] == container["resources"]["limits"]
    assert pods(objects()[1])[1]["containers"][0]["resources"]["limits"] == {
        "cpu": "8",
        "memory": "16Gi",
        "nvidia.com/gpu": "1",
    }


def test_the_head_trains_nothing_and_the_cluster_ends_with_the_sweep() -> None:
    spec = objects()[1]["spec"]
    assert spec["rayClusterSpec"]["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert spec["shutdownAfterJobFinishes"] is True
    assert spec["backoffLimit"] > 0


def test_preemptible_nodes_queue_and_claim_are_left_out_unless_named() -> None:
    plain = RayJob("image")
    text = rayjob_manifest(plain, "tiny", SPEC_TEXT, "s3://b", None, "x")
    assert not any(word in text for word in ("tolerations", "kueue", "persistentVolumeClaim", "nvidia", "namespace"))
    tolerant = dataclasses.replace(JOB, tolerations=("cloud.google.com/gke-spot",), namespace="lab")
    config, rayjob = objects(tolerant)
    assert pods(rayjob)[1]["tolerations"] == [{"key": "cloud.google.com/gke-spot", "operator": "Exists"}]
    assert "tolerations" not in pods(rayjob)[0], "the driver stays off preemptible nodes"
    assert config["metadata"]["namespace"] == rayjob["metadata"]["namespace"] == "lab"
    assert rayjob["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "lab"
    assert rayjob["spec"]["suspend"] is True


@pytest.mark.parametrize(
    ("change", "option"),
    [
        ({"image": "a b"}, "--image"),
        ({"image": "a\nkind: Pod"}, "--image"),
        ({"namespace": "A"}, "--namespace"),
        ({"secret": "a/b"}, "--secret"),
        ({"data_claim": "a\n"}, "--data-claim"),
        ({"queue": "-a"}, "--queue"),
        ({"memory": "8 GiB"}, "--memory-per-node"),
        ({"tolerations": ("a b",)}, "--toleration"),
    ],
)
def test_what_is_no_name_or_quantity_of_kubernetes_is_refused(change: dict[str, Any], option: str) -> None:
    with pytest.raises(ConfigInvalid, match=option):
        objects(dataclasses.replace(JOB, **change))


def test_quotes_and_dollars_in_the_storage_stay_text() -> None:
    storage = "s3://b/$(id) '\"`x"
    script = shlex.split(objects(storage=storage)[1]["spec"]["entrypoint"])[2]
    assert shlex.split(script.partition(" || ")[0])[-1] == storage
    with pytest.raises(ConfigInvalid, match="--storage"):
        objects(storage="a\nb")


@pytest.mark.parametrize("study", ["tiny", "Split MNIST (β=1)", "x" * 200, "!!!"])
def test_every_study_makes_a_name_of_kubernetes(study: str) -> None:
    name = objects(study=study)[1]["metadata"]["name"]
    assert len(name) <= 47
    assert name.replace("-", "a").isalnum()
    assert name == name.lower()


def test_kubectl_gets_the_manifest_and_its_refusal_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "kubectl"
    tool.write_text(f"#!/bin/sh\ncat > {tmp_path}/got\necho rayjob.ray.io/x created\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert create("kind: RayJob") == ["rayjob.ray.io/x created"]
    assert (tmp_path / "got").read_text() == "kind: RayJob"
    tool.write_text("#!/bin/sh\ncat >/dev/null\necho 'no matches for kind RayJob' >&2\nexit 1\n")
    with pytest.raises(ConfigInvalid, match="got: no matches for kind RayJob"):
        create("kind: RayJob")
    tool.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigInvalid, match="--dry-run"):
        create("kind: RayJob")
