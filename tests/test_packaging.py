"""The metadata of the distribution, the files a wheel ships, and the names documents tell a user to install."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parent.parent
PACKAGES = ["hnet_core", "studies", "reports", "sweeps"]
SHIPPED = {
    "reports/templates": {".j2", ".css", ".js"},
    "reports/published": {".csv", ".yaml"},
    "reports/measured": {".json"},
    "sweeps/presets": {".yaml"},
    "sweeps/launch/templates": {".j2"},
    "studies/database/migrations/versions": {".py"},
}


@cache
def pyproject() -> dict[str, Any]:
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


@cache
def tracked(*options: str) -> list[Path]:
    """Files that git tracks, relative to the repository."""
    command = ["git", "ls-files", *options]
    try:
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [Path(line) for line in done.stdout.splitlines()]


def test_the_distribution_has_a_name_of_its_own_and_the_command_is_hnet() -> None:
    project = pyproject()["project"]
    assert project["name"] == "hnet-sweeps"
    assert project["scripts"] == {"hnet": "sweeps.cli:main"}
    own = [line for extra in project["optional-dependencies"].values() for line in extra if line.startswith("hnet")]
    assert own == ["hnet-sweeps[paper,postgres]"]


def test_the_metadata_agrees_with_the_citation_file() -> None:
    project = pyproject()["project"]
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    assert [author["name"] for author in project["authors"]] == [author["name"] for author in citation["authors"]]
    assert (project["version"], project["license"]) == (citation["version"], citation["license"])
    assert project["urls"] == {one["title"]: one["url"] for one in citation["references"]}
    assert project["keywords"]


def test_the_classifiers_name_each_supported_python_and_the_types() -> None:
    classifiers = pyproject()["project"]["classifiers"]
    for minor in (11, 12, 13):
        assert f"Programming Language :: Python :: 3.{minor}" in classifiers
    assert "Typing :: Typed" in classifiers
    assert all((REPOSITORY / package / "py.typed").is_file() for package in PACKAGES)


def test_optuna_is_bounded_below_its_next_major_version() -> None:
    (optuna,) = [line for line in pyproject()["project"]["dependencies"] if line.startswith("optuna")]
    assert optuna == "optuna>=5.0,<6"


def test_a_wheel_ships_every_tracked_file_of_the_four_packages() -> None:
    assert pyproject()["tool"]["hatch"]["build"] == {"targets": {"wheel": {"packages": PACKAGES}}}
    for folder, suffixes in SHIPPED.items():
        assert {path.suffix for path in tracked() if path.parent == Path(folder)} >= suffixes, folder
    assert tracked("--cached", "--ignored", "--exclude-standard") == [], "hatchling leaves out what .gitignore names"


def test_no_file_tells_a_user_to_install_the_project_of_another_author() -> None:
    foreign = re.compile(r"pip install (?:-\S+ )*['\"]?hnet(?![\w-])|(?<![\w-])hnet\[")
    others = [path for path in tracked() if path.name != Path(__file__).name]
    texts = {path: (REPOSITORY / path).read_text(encoding="utf-8", errors="replace") for path in others}
    assert {str(path): hits for path, text in texts.items() if (hits := foreign.findall(text))} == {}


def test_the_wheel_holds_templates_presets_published_tables_and_migrations(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(REPOSITORY)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("hnet_sweeps-*.whl")
    names = {Path(name) for name in zipfile.ZipFile(wheel).namelist()}
    assert {path for path in tracked() if path.parts[0] in PACKAGES} <= names
    assert {path.parts[0] for path in names if not path.parts[0].endswith(".dist-info")} == set(PACKAGES)
