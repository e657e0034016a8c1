"""The `hnet sweep run` that a job executes, from the arguments of `hnet sweep submit`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hnet_core.errors import ConfigInvalid
from studies.database.urls import parse_url, sqlite_path


@dataclass(frozen=True)
class SweepCommand:
    """Arguments of `hnet sweep run` on a cluster.

    Attributes:
        spec: a preset, or a path that the cluster's nodes reach.
        study: name of the study: the spec's unless `renamed`.
        database: file or URL.
        database_is_secret: the database comes from the environment, as does one with a password.
    """

    spec: str
    study: str
    database: str
    database_is_secret: bool = False
    renamed: bool = False
    data: str | None = None
    storage: str | None = None
    workers: int | None = None
    assignments: tuple[str, ...] = ()

    def arguments(self) -> list[list[str]]:
        """Return the words of the command, grouped by option; without --address."""
        found = [["hnet", "sweep", "run", self.spec]]
        if self.renamed:
            found.append(["--study", self.study])
        if not self.database_is_secret:
            found.append(["--db", self.database])
        for option, value in (("--data", self.data), ("--storage", self.storage), ("--workers", self.workers)):
            if value is not None:
                found.append([option, str(value)])
        return [*found, *(["--set", assignment] for assignment in self.assignments)]

    @property
    def database_file(self) -> Path | None:
        """The file of a SQLite database, None for PostgreSQL."""
        return sqlite_path(parse_url(self.database))


PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:=,@%+/&|*()\[\]-]*")


def check_plain(option: str, value: str) -> str:
    """Check a value that is written where it cannot be quoted, such as a line of directives.

    Raises:
        ConfigInvalid: it has a blank, a quote, a line break or another character with a meaning in a shell.
    """
    if not PLAIN.fullmatch(value):
        raise ConfigInvalid(
            f"{option} must consist of letters, digits and ._:=,@%+/&|*()[]-, got {value!r}; leave the rest out."
        )
    return value


def check_one_line(option: str, values: Sequence[str]) -> None:
    """Refuse line breaks and other control characters, which a quoted value of a script could hide.

    Raises:
        ConfigInvalid: a value has one.
    """
    for value in values:
        if any(not character.isprintable() for character in value):
            raise ConfigInvalid(
                f"{option} must be one line of printable characters, got {value!r}; leave the rest out."
            )
