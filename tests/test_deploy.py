"""The Dockerfile and the manifests in deploy/, as far as they can be checked without Docker and Kubernetes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from sweeps.cli import app

REPOSITORY = Path(__file__).parent.parent
MANIFESTS = sorted((REPOSITORY / "deploy").glob("*.yaml"))
KINDS = {
    "Service": "v1",
    "PersistentVolumeClaim": "v1",
    "StatefulSet": "apps/v1",
    "Job": "batch/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
}


def instructions() -> list[tuple[str, str]]:
    """Instructions of the Dockerfile with their arguments, in order; lines that go on are joined."""
    text = re.sub(r"^#.*\n", "", (REPOSITORY / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [(name, " ".join(rest.split())) for name, _, rest in (line.partition(" ") for line in lines if line.strip())]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for one in instructions():
        if one[0] == "FROM":
            found.append([])
        found[-1].append(one)
    return found


def objects() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in MANIFESTS:
        for content in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            yield path.name, content


def pod_specs() -> list[dict[str, Any]]:
    return [content["spec"]["template"]["spec"] for _, content in objects() if "template" in content["spec"]]


def test_every_instruction_of_the_dockerfile_is_one() -> None:
    known = {"FROM", "ARG", "ENV", "RUN", "COPY", "WORKDIR", "USER", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in instructions()} == known


def test_base_images_have_a_version_and_the_image_does_not_run_as_root() -> None:
    for stage in stages():
        assert re.fullmatch(r"python:3\.\d+-slim( AS \w+)?", stage[0][1])
    users = [rest for name, rest in stages()[-1] if name == "USER"]
    assert users == ["1000"], "a number, by which Kubernetes sees that it is not root"
    last_run = max(position for position, (name, _) in enumerate(stages()[-1]) if name in ("RUN", "COPY"))
    assert [name for name, _ in stages()[-1]].index("USER") > last_run


def test_everything_that_is_copied_exists_and_is_let_through_by_the_ignore_file() -> None:
    ignored = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").split()
    assert ignored[0] == "*"
    for name, rest in instructions():
        if name == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (REPOSITORY / source).exists()
                assert f"!{source}" in ignored


def test_the_image_has_all_packages_the_database_driver_and_the_dashboard_that_kuberay_asks() -> None:
    copied = {rest.split()[0] for name, rest in instructions() if name == "COPY"}
    assert {"hnet_core", "studies", "reports", "sweeps"} <= copied
    installs = " ".join(rest for name, rest in instructions() if name == "RUN")
    assert '".[postgres]" "ray[default]"' in installs


def test_the_argument_for_the_processor_is_checked() -> None:
    (torch,) = [rest for name, rest in instructions() if name == "RUN" and '"$TORCH"' in rest]
    assert ("ARG", "TORCH=cpu") in instructions()
    assert all(f" {kind}) " in torch for kind in ("cpu", "cuda", "*"))
    assert "exit 2" in torch


def test_package_lists_and_downloads_are_not_kept_in_the_image() -> None:
    for name, rest in instructions():
        if name == "RUN" and "apt-get install" in rest:
            assert "--no-install-recommends" in rest
            assert "rm -rf /var/lib/apt/lists/*" in rest
    assert any(name == "ENV" and "PIP_NO_CACHE_DIR=1" in rest for name, rest in instructions())
    assert not any(re.match("COPY .*(tests|docs|perf)", f"{name} {rest}") for name, rest in instructions())


def test_manifests_hold_known_kinds_with_names_and_the_label_of_this_project() -> None:
    found = list(objects())
    assert {name for name, _ in found} == {"data.yaml", "postgres.yaml"}
    for name, content in found:
        assert content["apiVersion"] == KINDS[content["kind"]], name
        assert re.fullmatch("[a-z0-9-]{1,63}", content["metadata"]["name"])
        assert content["metadata"]["labels"] == {"app.kubernetes.io/part-of": "hnet"}


def test_pods_have_no_privileges_and_explicit_resources() -> None:
    assert len(pod_specs()) == 2
    for pod in pod_specs():
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            }
            assert "memory" in container["resources"]["limits"]
            assert ":" in container["image"]


def test_no_password_is_in_a_manifest() -> None:
    for pod in pod_specs():
        for container in pod["containers"]:
            for variable in container["env"]:
                assert "PASSWORD" not in variable["name"] or set(variable) == {"name", "valueFrom"}
    assert not any(content["kind"] == "Secret" for _, content in objects())


def test_services_policies_and_volumes_refer_to_what_there_is() -> None:
    by_kind = {content["kind"]: content for _, content in objects()}
    labels = by_kind["StatefulSet"]["spec"]["template"]["metadata"]["labels"]
    assert by_kind["StatefulSet"]["spec"]["serviceName"] == by_kind["Service"]["metadata"]["name"]
    for selector in (
        by_kind["Service"]["spec"]["selector"],
        by_kind["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        by_kind["StatefulSet"]["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()
    claims = [one["metadata"]["name"] for one in by_kind["StatefulSet"]["spec"]["volumeClaimTemplates"]]
    claims += [one["name"] for pod in pod_specs() for one in pod.get("volumes", [])]
    for pod in pod_specs():
        for container in pod["containers"]:
            assert {one["name"] for one in container["volumeMounts"]} <= set(claims)
    (volume,) = by_kind["Job"]["spec"]["template"]["spec"]["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"] == by_kind["PersistentVolumeClaim"]["metadata"]["name"]


def test_the_password_of_the_comment_makes_the_url_that_sweeps_read() -> None:
    text = (REPOSITORY / "deploy" / "postgres.yaml").read_text(encoding="utf-8")
    comment = " ".join(line.removeprefix("#").rstrip("\\ ") for line in text.splitlines() if line.startswith("#"))
    assert '--from-literal=url="postgresql://hnet:$password@hnet-postgres/hnet"' in comment


def test_the_command_that_fills_the_volume_is_one_of_this_cli() -> None:
    (job,) = [content for _, content in objects() if content["kind"] == "Job"]
    words = job["spec"]["template"]["spec"]["containers"][0]["args"]
    assert words[0] == "hnet"
    command: Any = typer.main.get_command(app)
    for word in words[1:3]:
        command = command.commands[word]
    assert command.make_context(words[2], words[3:]).params["spec"] == "split_mnist"


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_the_commands_in_the_comments_name_files_that_exist(path: Path) -> None:
    comments = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#   kubectl apply")]
    assert comments
    for line in comments:
        assert (REPOSITORY / shlex.split(line.removeprefix("#"))[-1]).exists()
