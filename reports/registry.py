"""Registry of reports by name.

A report is one file in `reports/pages` and its template: the file declares `REPORT`, an `HtmlReport` with the name, the
help and the options of its command and the function that writes it. Packages outside this tree add theirs through the
entry point group `hnet.reports`, each entry naming such an object. The help of a command imports its file;
numpy, pandas, SQLAlchemy and Jinja are therefore imported inside functions.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hnet_core.registry import did_you_mean

PACKAGE = "reports.pages"
GROUP = "hnet.reports"


@dataclass(frozen=True)
class Argument:
    """The positional argument of a report's command: its subject, such as a study.

    Attributes:
        type: of the value; `list[str]` takes several.
    """

    name: str
    type: Any
    help: str


@dataclass(frozen=True)
class Option:
    """An option of a report's command.

    Attributes:
        name: the keyword of `write` that receives the value.
        type: of the value; `bool` makes a flag, a list an option that may be repeated.
        default: shown in the help; None: not passed to `write`, whose own default holds.
        flag: the option as typed, where it is not the name.
        minimum: smallest number allowed.
        variable: environment variable that sets it.
    """

    name: str
    type: Any
    help: str
    default: Any = None
    flag: str | None = None
    minimum: int | None = None
    variable: str | None = None


FIGURES = Option(
    "figures",
    bool,
    "also PDF, PNG and SVG at paper widths; needs hnet-sweeps[paper]",
    default=False,
    flag="--figures",
)


@dataclass(frozen=True)
class HtmlReport:
    """A command of `hnet report` and the page it writes.

    Attributes:
        name: of the command.
        help: one line: the question answered and the files written.
        argument: the subject of the report.
        write: called with the studies of the database (unless `reads_database` is False), the argument, the output
            folder, and each option by keyword; returns the path of the page.
        options: besides --output and --db, which every report has.
        output: the default of --output; None: it must be given.
        position: place in `hnet report --help`; equal ones are ordered by name.
    """

    name: str
    help: str
    argument: Argument
    write: Callable[..., Path]
    options: tuple[Option, ...] = ()
    reads_database: bool = True
    output: Path | None = None
    position: int = 100


class ReportRegistry(Mapping[str, HtmlReport]):
    """Read-only mapping from name to report, filled on first use so that importing it costs nothing."""

    def __init__(self) -> None:
        self._found: dict[str, HtmlReport] | None = None

    def __getitem__(self, name: str) -> HtmlReport:
        reports = self._reports()
        if name not in reports:
            raise ValueError(f"unknown report {name!r}{did_you_mean(name, reports)}.")
        return reports[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._reports())

    def __len__(self) -> int:
        return len(self._reports())

    def _reports(self) -> dict[str, HtmlReport]:
        if self._found is None:
            found = sorted([*_inside(), *_outside()], key=lambda report: (report.position, report.name))
            self._found = {report.name: report for report in found}
        return self._found


def _inside() -> Iterator[HtmlReport]:
    for info in pkgutil.iter_modules(importlib.import_module(PACKAGE).__path__):
        report = getattr(importlib.import_module(f"{PACKAGE}.{info.name}"), "REPORT", None)
        if report is not None:
            yield report


def _outside() -> Iterator[HtmlReport]:
    from importlib.metadata import entry_points  # takes a tenth of the time of hnet --help

    for entry in entry_points(group=GROUP):
        yield entry.load()


REPORTS = ReportRegistry()
