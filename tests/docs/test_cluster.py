"""The commands of docs/cluster.md: each is one that the command line parses, and those that submit are run dry."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from studies.spec.notify import check_address
from sweeps.cli import app
from tests.docs.conftest import DOCS
from tests.sweeps.cli.test_sweep import Hnet, hnet, spec  # noqa: F401  (fixtures)

# ruff: noqa: F811  (fixtures of another test file)

PAGE = (DOCS / "cluster.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
COMMANDS = [shlex.split(line, comments=True) for block in BLOCKS for line in block.splitlines()]
SUBMITS = [words for words in COMMANDS if words[:3] == ["hnet", "sweep", "submit"]]


def parsed(words: list[str]) -> dict[str, Any]:
    """Parameters that the command line makes of a command."""
    command: Any = typer.main.get_command(app)
    while words and hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    return dict(command.make_context("hnet", list(words)).params)


@pytest.mark.parametrize("words", [words for words in COMMANDS if words[0] == "hnet"], ids=" ".join)
def test_every_command_of_hnet_is_parsed(words: list[str]) -> None:
    assert parsed(words[1:])["spec"] in ("quickstart", "split_mnist", "spec.yaml")


@pytest.mark.parametrize("words", SUBMITS, ids=" ".join)
def test_every_submission_can_be_run_dry(words: list[str], hnet: Hnet, spec: str, tmp_path: Path) -> None:
    (tmp_path / spec).rename(tmp_path / "spec.yaml")
    done = hnet(*words[1:], "--dry-run")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("#!/bin/bash" if "--slurm" in words else "# Sweep of study 'tiny'")


def test_the_options_that_the_page_explains_exist() -> None:
    run, submit = (parsed(["sweep", name, "quickstart"]) for name in ("run", "submit"))
    named = {name.removeprefix("--").replace("-", "_") for name in re.findall(r"`(--[a-z-]+)", PAGE)}
    of_others = {"export", "no_kill", "requeue", "build_arg", "db", "set"}
    renamed = {"cpus_per_node": "cpus", "gpus_per_node": "gpus", "memory_per_node": "memory"}
    assert {renamed.get(name, name) for name in named - of_others} <= {*run, *submit}


def test_the_address_of_the_example_may_be_notified() -> None:
    (block,) = re.findall(r"```yaml\n(notify:.*?)```", PAGE, flags=re.DOTALL)
    assert check_address(yaml.safe_load(block)["notify"])


def test_the_events_of_a_notification_are_those_of_the_page() -> None:
    from typing import get_args

    from sweeps.driver.notification import Event

    (listed,) = re.findall(r"`event` \((.*?)\)", PAGE)
    assert re.findall(r"`(\w+)`", listed) == list(get_args(Event))
