"""The choice of the package index for torch in the Makefile."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
UNREACHABLE = "TORCH_CPU=http://127.0.0.1:9"  # the port discard, where nothing listens

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make_torch(folder: Path, *variables: str) -> str:
    """Run the target that chooses the index, in a folder whose environment seems to be there already."""
    for name in ("Makefile", "constraints.txt"):
        shutil.copy(REPOSITORY / name, folder)
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").symlink_to(sys.executable)
    (folder / ".venv" / "python").touch()
    without_ci = {name: value for name, value in os.environ.items() if name not in ("CI", "MAKEFLAGS")}
    done = subprocess.run(
        ["make", "--no-print-directory", ".venv/torch", *variables],
        cwd=folder, env=without_ci, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.skipif(
    sys.platform != "linux" or bool(glob.glob("/dev/nvidia*")) or shutil.which("nvidia-smi") is not None,
    reason="the CPU index is tried on Linux without an NVIDIA GPU",
)
def test_without_the_cpu_index_torch_comes_from_the_default_one_and_make_says_so(tmp_path: Path) -> None:
    begun = time.monotonic()
    said = make_torch(tmp_path, UNREACHABLE)
    assert time.monotonic() - begun < 10
    assert "http://127.0.0.1:9 cannot be reached: torch comes from the default package index" in said


def test_continuous_integration_does_not_try_the_cpu_index(tmp_path: Path) -> None:
    assert make_torch(tmp_path, UNREACHABLE, "CI=true") == ""
