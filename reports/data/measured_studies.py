"""Studies measured by this project, which come with it: raw matrices with provenance, in reports/measured.

Each is a study file as `hnet study export NAME --rows matrices` writes it, and is called measured:NAME.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from hnet_core.errors import NotFound
from hnet_core.registry import did_you_mean

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
        raise NotFound(f"no measured study {plain!r}{did_you_mean(plain, measured_names())}.")
    return (files("reports") / "measured" / f"{plain}.json").read_text(encoding="utf-8")


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
