"""Studies measured by this project, which come with it: raw matrices with provenance, in reports/measured.

Each is a study file as `hnet study export NAME --rows matrices` writes it, and is called measured:NAME.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from hnet_core.errors import NotFound
from hnet_core.registry import did_you_mean
from reports.formatting import plural

PREFIX = "measured:"


def measured_names() -> list[str]:
    """Return the names of the studies, without the prefix, in alphabetical order."""
    found = (file.name for file in (files("reports") / "measured").iterdir())
    return sorted(name.removesuffix(".json") for name in found if name.endswith(".json"))


def measured_text(name: str) -> str:
    """Return the study file of `measured:NAME`.

    Raises:
        NotFound: there is none of that name.
    """
    plain = name.removeprefix(PREFIX)
    if plain not in measured_names():
        guess = did_you_mean(plain, measured_names(), all_in="hnet list measured")
        raise NotFound(f"no measured study {plain!r}{guess}.")
    return (files("reports") / "measured" / f"{plain}.json").read_text(encoding="utf-8")


def measured_summary(name: str) -> str:
    """Describe a measured study in a line: streams, methods, trainings and seeds."""
    trials = json.loads(measured_text(name))["trials"]
    configs = [trial["config"] for trial in trials]
    streams = dict.fromkeys(_stream(config["stream"]) for config in configs)
    methods = dict.fromkeys(" with ".join(_names(config, "method", "task_inference")) for config in configs)
    seeds = sorted({len(trial["runs"]) for trial in trials})
    runs = "-".join(map(str, dict.fromkeys((seeds[0], seeds[-1]))))
    return (
        f"{', '.join(streams)}: {', '.join(methods)}; {plural(len(trials), 'training')} "
        f"of {runs} seed{'' if runs == '1' else 's'}"
    )


def _names(config: Mapping[str, Any], *parts: str) -> list[str]:
    return [config[part]["name"] for part in parts if config.get(part)]


def _stream(block: Mapping[str, Any]) -> str:
    return f"{block['name']} {block.get('dataset', '')}".strip() + f", {block['n_tasks']} tasks"


def import_measured(url: str, name: str, name_here: str | None = None) -> int:
    """Copy `measured:NAME` into the database at `url`, under this name by default; return the number of its trials.

    Raises:
        NotFound: there is none of that name.
        StudyExists: the name is taken here.
    """
    from studies.database.open_database import connect
    from studies.store.study_file import import_study_file, read_study_file

    full = PREFIX + name.removeprefix(PREFIX)
    found = read_study_file(measured_text(full), full)
    return sum(import_study_file(connect(url, create=True), name_here or full, found, full).values())


def import_missing(url: str, names: Sequence[str]) -> list[str]:
    """Copy those of `names` that are measured:NAME, or measured:NAME:NUMBER, and not in the database; return them."""
    wanted = dict.fromkeys(PREFIX + text.split(":")[1] for text in names if text.startswith(PREFIX))
    if not wanted:
        return []
    import studies
    from studies.database.open_database import connect

    connect(url, create=True)
    missing = [name for name in wanted if name not in studies.open(url).names()]
    for name in missing:
        import_measured(url, name)
    return missing
