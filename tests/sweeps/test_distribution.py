"""The distribution of this code, and other ones that claim its package names."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sweeps import distribution
from sweeps.cli import app
from sweeps.distribution import name_clashes, own_distribution, own_version


def install(folder: Path, name: str, version: str, files: dict[str, str], entry_points: str = "") -> None:
    """Lay out a distribution in a folder as pip does."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))
    (info / "entry_points.txt").write_text(entry_points)
    for file, content in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(content)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for installed distributions, at the end of the path of imports."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


def test_the_distribution_is_found_by_its_name_and_under_another_one_by_its_command(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site, "hnet-next", "7.0", {}, "[console_scripts]\nhnet = sweeps.cli:main\n")
    monkeypatch.setattr(distribution, "DISTRIBUTION", "not-installed")
    found = own_distribution()
    assert found is not None and found.metadata["Name"] == "hnet-next"
    install(site, "hnet-sweeps", "9.0", {})
    monkeypatch.setattr(distribution, "DISTRIBUTION", "hnet-sweeps")
    assert own_version() == "9.0"
    assert CliRunner().invoke(app, ["--version"]).stdout == "hnet 9.0\n"


def test_an_uninstalled_checkout_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distribution, "DISTRIBUTION", "not-installed")
    monkeypatch.setattr(metadata, "entry_points", lambda **query: [])
    assert own_version() is None
    assert CliRunner().invoke(app, ["--version"]).stdout == "hnet (not installed)\n"


def test_here_nothing_clashes() -> None:
    assert name_clashes() == []


def test_another_distribution_that_owns_one_of_our_packages_is_named_with_the_remedy(site: Path) -> None:
    install(site, "sweeps", "0.2.0", {"sweeps/__init__.py": "", "sweeps/bayes_search.py": ""})
    (message,) = name_clashes()
    assert "package sweeps also belongs to the installed distribution sweeps" in message
    assert "install hnet-sweeps into an environment of its own" in message


def test_our_own_distribution_is_no_clash(site: Path) -> None:
    install(site, "hnet-sweeps", "0.1.0", {"sweeps/__init__.py": "", "studies/__init__.py": ""})
    assert name_clashes() == []


@pytest.mark.parametrize("file", ["studies/__init__.py", "studies.py"])
def test_a_package_or_module_in_the_working_directory_that_hides_ours_is_named(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reports").mkdir()  # a folder of results hides nothing
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).touch()
    (message,) = name_clashes()
    assert message.startswith(str(tmp_path / file)) and "hides package studies" in message and "rename it" in message


def test_doctor_fails_on_a_clash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeps.distribution.name_clashes", lambda: ["package sweeps also belongs to another"])
    done = CliRunner().invoke(app, ["doctor", "--format", "json"])
    assert done.exit_code == 1 and "package sweeps also belongs to another" in done.stdout
