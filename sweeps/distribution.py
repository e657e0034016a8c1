"""The installed distribution of this code, and other ones that install packages of the same names."""

from __future__ import annotations

import importlib
import sys
from importlib import metadata
from pathlib import Path

DISTRIBUTION = "hnet-sweeps"
PACKAGES = ("hnet_core", "studies", "reports", "sweeps")
ROOT = Path(__file__).resolve().parent.parent


def own_distribution() -> metadata.Distribution | None:
    """Return the distribution that installed the command `hnet`; None if this code runs from an uninstalled checkout.

    It is found by its command where it is installed under another name than `DISTRIBUTION`.
    """
    try:
        return metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        commands = metadata.entry_points(group="console_scripts", name="hnet")
        return next((command.dist for command in commands if command.value == "sweeps.cli:main"), None)


def own_version() -> str | None:
    """Version of the installed distribution; None if there is none."""
    found = own_distribution()
    return None if found is None else found.version


def name_clashes() -> list[str]:
    """Return a message with the remedy for each of our packages that something else owns or hides."""
    own = own_distribution()
    own_name = None if own is None else own.metadata["Name"]
    owners = metadata.packages_distributions()
    found = []
    for package in PACKAGES:
        others = sorted({name for name in owners.get(package, ()) if name != own_name})
        if others:
            found.append(
                f"package {package} also belongs to the installed distribution {', '.join(others)}, and the later "
                f"installation overwrites the earlier: install {DISTRIBUTION} into an environment of its own "
                "(python -m venv)"
            )
        hidden_by = _hiding_file(package)
        if hidden_by is not None:
            found.append(f"{hidden_by} hides package {package} of {ROOT}: rename it, or work in another folder")
    return found


def _hiding_file(package: str) -> Path | None:
    """Return the file that is imported instead of our package, also by `python -m` or a notebook started here."""
    ours = ROOT / package
    imported = getattr(sys.modules.get(package) or importlib.import_module(package), "__file__", None)
    here = Path.cwd()
    candidates = [
        *([] if imported is None else [Path(imported)]),
        here / package / "__init__.py",
        here / f"{package}.py",
    ]
    for path in candidates:
        if path.exists() and path.resolve() != ours / "__init__.py":
            return path
    return None
