"""Provenance of a launch: code, packages, machine, data and command line."""

from __future__ import annotations

import platform
import shlex
import socket
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from hnet_core.registry import REGISTRIES
from studies.database.urls import mask_passwords
from studies.spec.notify import mask_addresses
from sweeps.distribution import own_version

PACKAGES = ("torch", "torchvision", "numpy", "optuna", "ray", "sqlalchemy", "pandas", "scipy", "scikit-learn")


def provenance(device: str, threads: int, data_checksum: str, spec_text: str) -> dict[str, Any]:
    """Collect the values of the launch table."""
    commit, dirty = _git()
    return {
        "git_commit": commit,
        "git_dirty": dirty,
        "packages": {
            "python": platform.python_version(),
            "hnet": own_version(),
            **{name: _version(name) for name in PACKAGES},
            **plugin_versions(),
        },
        "host": f"{socket.gethostname()} ({platform.system()} {platform.machine()})",
        "device": device,
        "threads": threads,
        "data_checksum": data_checksum,
        "command_line": command_line(),
        "spec_text": mask_addresses(mask_passwords(spec_text)),
    }


def plugin_versions() -> dict[str, str]:
    """Version of each other distribution that adds methods, streams or other components by entry points."""
    installed = metadata.entry_points()  # reads the files of every distribution, so once for all groups
    entries = [entry for registry in REGISTRIES for entry in installed.select(group=registry.entry_point_group)]
    found = {entry.dist.name: entry.dist.version for entry in entries if entry.dist is not None}
    return dict(sorted(found.items()))


def command_line() -> str:
    """Command line with secrets masked; running it again resumes a sweep. `python -m sweeps` is written as hnet."""
    program = Path(sys.argv[0]).name
    words = ["hnet" if program == "__main__.py" else program, *sys.argv[1:]]
    return mask_addresses(mask_passwords(shlex.join(words)))


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git() -> tuple[str | None, bool | None]:
    """Commit of the running code, and whether files differ from it; None if it is no git checkout of this code."""
    folder = Path(__file__).resolve().parent
    try:
        tracked = _run_git(folder, "ls-files", "--", Path(__file__).name)
        if not tracked:
            return None, None
        return _run_git(folder, "rev-parse", "HEAD"), bool(
            _run_git(folder, "status", "--porcelain", "--untracked-files=no")
        )
    except (OSError, subprocess.SubprocessError):
        return None, None


def _run_git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()
