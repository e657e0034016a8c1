"""`hnet doctor`: checks the installation, with a remedy for whatever is missing."""

from __future__ import annotations

import functools
import importlib
import os
import platform
import shutil
import sys
from collections.abc import Callable
from typing import Any

import typer

from hnet_core.errors import HnetError
from studies import DEFAULT_URL
from sweeps.cli.options import Data, Database, ObjectFormat, Output
from sweeps.cli.root import app

NEEDED = (
    "torch",
    "torchvision",
    "optuna",
    "ray",
    "pandas",
    "sqlalchemy",
    "alembic",
    "scipy",
    "sklearn",
    "jinja2",
)


@app.command()
def doctor(
    db: Database = DEFAULT_URL, data: Data = None, format: ObjectFormat = "table", output: Output = None
) -> None:
    """Check Python, packages, processor, data and database; exit code 1 if something a sweep needs is missing."""
    from studies.output.formats import write

    checks: dict[str, Callable[[], tuple[bool, str]]] = {
        "python": _python,
        **{name: functools.partial(_package, name) for name in NEEDED},
        "names": _names,
        "processor": _processor,
        "data": lambda: _data(data),
        "database": lambda: _database(db),
        "disk": _disk,
    }
    rows: list[dict[str, Any]] = []
    for name, check in checks.items():
        good, text = check()
        rows.append({"check": name, "ok": good, "found": text})
    write(rows, ["check", "ok", "found"], format, output, "Doctor")
    if not all(row["ok"] for row in rows):
        raise typer.Exit(1)


def _python() -> tuple[bool, str]:
    return sys.version_info >= (3, 11), f"{platform.python_version()} (needs 3.11 or later)"


def _package(name: str) -> tuple[bool, str]:
    try:
        module = importlib.import_module(name)
    except Exception as error:  # a broken binary package raises anything
        return False, f"does not import ({error}); reinstall it: pip install --force-reinstall {name}"
    return True, str(getattr(module, "__version__", "present"))


def _names() -> tuple[bool, str]:
    """Look for other packages under our names."""
    from sweeps.distribution import PACKAGES, ROOT, name_clashes

    clashes = name_clashes()
    return not clashes, "; ".join(clashes) or f"{', '.join(PACKAGES)} from {ROOT}"


def _processor() -> tuple[bool, str]:
    import torch

    from hnet_core.runtime.machine import available_cpus

    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    devices = ", ".join(gpus) or "no GPU"
    workers = min(available_cpus(), len(gpus) or available_cpus())  # one CPU each, and a GPU where there are any
    return (
        True,
        f"{available_cpus()} of {os.cpu_count()} CPU cores may be used, {devices}; workers by default: {workers}",
    )


def _data(data: Any) -> tuple[bool, str]:
    from hnet_core.data import data_root
    from hnet_core.data.npz import pair_folders
    from hnet_core.registry import DATASETS

    root = data_root(data)
    present = [name for name in DATASETS if DATASETS[name].is_present(root)]
    absent = [name for name in DATASETS if name not in present]
    rest = f"; not downloaded yet (happens at first use): {', '.join(absent)}" if absent else ""
    own = [
        name if not lacking else f"{name} (without {' and '.join(lacking)})"
        for name, lacking in pair_folders(root).items()
        if name not in DATASETS
    ]
    yours = f"; your own: {', '.join(own)}" if own else ""
    return True, f"{root}: {', '.join(present)}{yours}{rest}"


def _database(db: str) -> tuple[bool, str]:
    from studies.database.network_files import network_warning
    from studies.database.open_database import connect
    from studies.database.urls import masked, parse_url, sqlite_path

    try:
        url = parse_url(db)
        path = sqlite_path(url)
    except HnetError as error:
        return False, str(error)
    on_network = network_warning(db)
    warning = "" if on_network is None else f"; warning: {on_network}"
    if path is not None and not path.exists():
        writable = path.parent.is_dir() and os.access(path.parent, os.W_OK)
        return writable, f"{path}: does not exist; " + (
            f"the first sweep creates it{warning}" if writable else "cannot be created here"
        )
    try:
        connect(db)
    except HnetError as error:
        return False, str(error)
    return True, f"{masked(url)}{warning}"


def _disk() -> tuple[bool, str]:
    free = shutil.disk_usage(".").free / 2**30
    return free > 1, f"{free:.1f} GiB free here" + ("" if free > 1 else "; a sweep needs about 1 GiB")
