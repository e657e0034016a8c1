"""A wish to run a sweep: what, over which part of its ranges, how long, with how many seeds and workers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hnet_core.errors import ConfigInvalid
from hnet_core.registry import did_you_mean
from reports.data.cell_names import choose_names
from reports.data.published_cells import SCALES
from studies.spec.spec import SweepSpec
from studies.store.store import MAX_NAME_LENGTH
from sweeps.launch.narrowing import search_assignments
from sweeps.launch.sources import Source

COUNTS = {"trials": 1_000_000, "seeds": 1000, "workers": 1024}  # the most of each
MAX_HOURS = 10_000
OF_SPEC = ("study", "search", "trials", "hours", "seeds", "workers")
CELLS = ("rows", "columns")
OF_TABLE = ("scale", "seeds", "workers", *CELLS)
WHEN_CONTINUED = ("trials", "hours", "seeds", "workers")


@dataclass(frozen=True)
class LaunchRequest:
    """A source and the settings it is given; what is left out is as in the source.

    Attributes:
        values: among study, search, trials, hours, seeds, workers; of a table scale, seeds, workers, and the names of
            rows and columns in its order, where not all are wanted.
        assignments: the `--set` arguments of it.
    """

    source: Source
    values: Mapping[str, Any] = field(default_factory=dict)
    assignments: tuple[str, ...] = ()

    @property
    def study(self) -> str | None:
        """Name of the study where it is not the spec's."""
        found: str | None = self.values.get("study")
        return found

    def words(self, command: str) -> list[str]:
        """Return the words of `hnet sweep run` (or check), or of `hnet benchmark run` for a table; without --db."""
        if self.source.kind == "table":
            given = {**self.values, **{key: ",".join(self.values[key]) for key in CELLS if key in self.values}}
            options = [(f"--{key}", given.get(key)) for key in OF_TABLE]
            return ["benchmark", command, self.source.argument, *_given(options)]
        options = [("--study", self.study), ("--workers", self.values.get("workers"))]
        settings = [word for assignment in self.assignments for word in ("--set", assignment)]
        return ["sweep", command, self.source.argument, *_given(options), *settings]


def make_request(source: Source, values: Mapping[str, Any]) -> LaunchRequest:
    """Check the settings that a person or a program wants for a source.

    Raises:
        ConfigInvalid: one is unknown, or not within what the source has; one line for each.
    """
    allowed = OF_TABLE if source.kind == "table" else OF_SPEC
    check_keys(values, allowed)
    given = {key: value for key, value in values.items() if value not in (None, "", {})}
    problems = [problem for key, value in given.items() if (problem := _problem(key, value))]
    if problems:
        raise ConfigInvalid("\n".join(problems))
    if source.kind == "table":
        return LaunchRequest(source, _with_cells(source, given))
    return LaunchRequest(source, given, tuple(_assignments(source.spec(), given)))


def _with_cells(source: Source, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a table with its rows and columns in their order; without those of which all are chosen.

    Raises:
        ConfigInvalid: a name is none of the table, or names cannot be told apart once they are joined by commas.
    """
    chosen, problems = dict(values), []
    for key, known in (("rows", source.rows), ("columns", source.columns)):
        if key not in values:
            continue
        names = chosen.pop(key)
        problem = _problem_of_names(key, names, known)
        if problem is not None:
            problems.append(problem)
        elif set(names) != set(known):
            chosen[key] = [name for name in known if name in names]
    if problems:
        raise ConfigInvalid("\n".join(problems))
    return chosen


def _problem_of_names(key: str, names: Any, known: Sequence[str]) -> str | None:
    """Return why names of rows or columns cannot be used."""
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        return f"{key} must be a list of one or more {key} of the table, got {str(names)[:40]!r}."
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        return f"{key}: the table has no {unknown[:80]!r}{did_you_mean(unknown[:80], list(known))}."
    ordered = tuple(name for name in known if name in names)
    if choose_names(",".join(ordered), known, key) != ordered:
        return f"{key}: {', '.join(ordered)} would be taken for fewer names, joined by commas; choose others."
    return None


def check_keys(values: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
    """Refuse keys that mean nothing here.

    Raises:
        ConfigInvalid: naming them, and those that are known.
    """
    unknown = [key for key in values if key not in allowed]
    if unknown:
        shown = ", ".join(repr(key[:80]) for key in unknown[:20])
        raise ConfigInvalid(f"unknown: {shown}; known: {', '.join(allowed) or 'nothing'}.")


def _problem(key: str, value: Any) -> str | None:
    """Return why a value cannot be used."""
    if key in COUNTS:
        if type(value) is not int or not 1 <= value <= COUNTS[key]:
            return f"{key} must be a whole number from 1 to {COUNTS[key]}, got {str(value)[:40]!r}."
    elif key == "hours":
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_HOURS:
            return f"hours must be a number above 0, at most {MAX_HOURS}, got {str(value)[:40]!r}."
    elif key == "scale":
        if value not in SCALES:
            return f"scale must be one of {', '.join(SCALES)}, got {str(value)[:40]!r}."
    elif key == "study":
        if not isinstance(value, str) or not value.isprintable() or not 0 < len(value.strip()) <= MAX_NAME_LENGTH:
            return f"study must be a name of 1 to {MAX_NAME_LENGTH} printable characters, got {str(value)[:40]!r}."
        if value.startswith("-"):
            return f"study must not begin with a minus, got {value[:40]!r}."
    elif key == "search" and not isinstance(value, Mapping):
        return "search must be an object with the range of each field that is narrowed."
    return None


def _assignments(spec: SweepSpec, values: Mapping[str, Any]) -> Iterator[str]:
    yield from search_assignments(spec, values.get("search", {}))
    for key, now in (("trials", spec.budget.trials), ("hours", spec.budget.hours)):
        if key in values and values[key] != now:
            yield f"budget.{key}={values[key]}"
    if values.get("seeds", spec.seeds) != spec.seeds:
        yield f"seeds={values['seeds']}"


def _given(options: list[tuple[str, Any]]) -> list[str]:
    return [f"{option}={value}" for option, value in options if value is not None]
