"""Reports over finished studies: one offline HTML page each, with a CSV beside every figure.

Every number is derived from SQL when the report is written, and shown as mean, 95 % interval and number of seeds.

    from reports import REPORTS

    REPORTS["tradeoff"].write(studies.open("hnet.db"), ["digits-tradeoff"], Path("report"))

The other names are what a report of another package is made of; see `reports/registry.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reports.registry import REPORTS, Argument, HtmlReport, Option

if TYPE_CHECKING:
    from reports.pages.output_files import ReportNotWritten, csv_text, json_text, write_report
    from reports.pages.render import render

__all__ = [
    "REPORTS",
    "Argument",
    "HtmlReport",
    "Option",
    "ReportNotWritten",
    "csv_text",
    "json_text",
    "render",
    "write_report",
]

_HOMES = {
    "ReportNotWritten": "reports.pages.output_files",
    "csv_text": "reports.pages.output_files",
    "json_text": "reports.pages.output_files",
    "render": "reports.pages.render",
    "write_report": "reports.pages.output_files",
}


def __getattr__(name: str) -> Any:
    """Import a name of this package when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'reports' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
