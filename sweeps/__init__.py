"""Sweeps: specs, search and workers, and the command line over all packages.

import sweeps

sweeps.run("quickstart", db="hnet.db", assignments=["budget.trials=4"])
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studies import DEFAULT_URL

if TYPE_CHECKING:
    from sweeps.runner import Outcome

__all__ = ["Outcome", "run"]


def run(
    spec: str | Path | Mapping[str, Any],
    *,
    db: str = DEFAULT_URL,
    data: Path | None = None,
    workers: int | None = None,
    address: str | None = None,
    storage: str | None = None,
    assignments: Sequence[str] = (),
) -> Outcome:
    """Run or resume a sweep, as `hnet sweep run` does.

    Args:
        spec: name of a preset, path of a YAML file, or the content of one.
        db: database, created if it does not exist.
        data, workers, address, storage: see sweeps.runner.run_sweep.
        assignments: changed values, such as "training.iterations=200".

    Raises:
        HnetError: see studies.spec.loading.load_spec and sweeps.runner.run_sweep.
    """
    from hnet_core.data import data_root
    from studies.spec.document import Document
    from studies.spec.loading import load_spec
    from studies.spec.yaml_subset import write_yaml
    from sweeps.presets import open_document
    from sweeps.runner import run_sweep

    if isinstance(spec, Mapping):
        text = write_yaml(spec)  # for the provenance of the launch
        document = Document("spec", copy.deepcopy(dict(spec)), text=text)
    else:
        document = open_document(str(spec))
    checked = load_spec(document, data_root(data), assignments, trained_here=address is None)
    return run_sweep(checked, db, data, workers, address, storage, document.text)


def __getattr__(name: str) -> Any:
    """Import the runner only when `Outcome` is used: it loads torch, pandas and SQLAlchemy."""
    if name == "Outcome":
        from sweeps.runner import Outcome

        return Outcome
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
