"""The record of a launch: code, packages and plug-ins."""

from __future__ import annotations

from pathlib import Path

import pytest

from hnet_core.registry import REGISTRIES
from sweeps.provenance import plugin_versions, provenance
from tests.sweeps.test_distribution import install


@pytest.mark.parametrize("group", [registry.entry_point_group for registry in REGISTRIES])
def test_a_launch_names_the_distribution_of_each_plug_in_and_its_version(
    group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "my-parts", "1.2.3", {"my_parts.py": ""}, f"[{group}]\npart = my_parts:Part\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    packages = provenance("cpu", 1, "abc", "study: s")["packages"]
    assert packages["my-parts"] == "1.2.3"
    assert packages["torch"]


def test_a_distribution_without_components_is_no_plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "unrelated", "1", {"unrelated.py": ""}, "[console_scripts]\nunrelated = unrelated:main\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "unrelated" not in plugin_versions()
