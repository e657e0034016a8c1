"""Where the numbers come from: spec, code, packages, machine, data, and how far a run falls short of its paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reports.data.study_data import Evidence
from reports.formatting import parameter
from studies.database.urls import mask_passwords
from studies.metrics.definitions import METRICS
from studies.spec.yaml_subset import write_yaml

ABSENT = object()


@dataclass(frozen=True)
class Provenance:
    """Attributes:
    spec: the resolved spec as YAML.
    launches: one mapping of label to text per start of the driver, oldest first.
    changed: labels that differ between launches.
    packages: name and version, of the last launch.
    formulas: (label, description) of every metric that has a value.
    """

    spec: str
    launches: list[dict[str, str]]
    changed: list[str]
    packages: list[tuple[str, str]]
    formulas: list[tuple[str, str]]
    selection: str


@dataclass(frozen=True)
class PaperCheck:
    """How a study's settings compare with those of the paper its spec cites.

    Attributes:
        cite: the paper; None where the spec cites none.
        reduced: settings below the paper's, in words. Any of them means that this is no reproduction.
        differing: settings that are neither equal nor plainly smaller.
    """

    cite: str | None
    reduced: tuple[str, ...]
    differing: tuple[str, ...]


def provenance(evidence: Evidence) -> Provenance:
    """Everything needed to judge or repeat the study."""
    launches = [_launch(row) for row in evidence.record.launches]
    compared = ("Code", "Host", "Device", "Threads", "Data checksum")
    changed = [label for label in compared if len({launch[label] for launch in launches}) > 1]
    packages = [dict(row.get("packages") or {}) for row in evidence.record.launches]
    if any(versions != packages[-1] for versions in packages):
        changed.append("Packages")
    spec = write_yaml(evidence.record.spec)
    return Provenance(
        spec=mask_passwords(spec),
        launches=launches,
        changed=changed,
        packages=_versions(packages[-1]) if packages else [],
        formulas=[(METRICS[key].label, METRICS[key].description) for key in _used(evidence)],
        selection=_selection(evidence),
    )


def paper_check(spec: Mapping[str, Any]) -> PaperCheck:
    """Compares the settings a spec names as its paper's with its own; a searched one counts at its lowest value."""
    paper = spec.get("paper") or {}
    reduced, differing = [], []
    for name, wanted in (paper.get("settings") or {}).items():
        actual = _setting(spec, name)
        if _is_number(actual) and _is_number(wanted) and actual < wanted:
            reduced.append(f"{name} {parameter(actual)} instead of {parameter(wanted)}")
        elif actual is ABSENT:
            differing.append(f"{name} is not set, the paper has {parameter(wanted)}")
        elif actual != wanted:
            differing.append(f"{name} {parameter(actual)}, the paper has {parameter(wanted)}")
    return PaperCheck(paper.get("cite"), tuple(reduced), tuple(differing))


def _setting(spec: Mapping[str, Any], name: str) -> Any:
    """The value a dotted name has in the search, the trial block or the spec itself."""
    space = (spec.get("search") or {}).get(name)
    if space is not None:
        bounds: list[Any] = next((space[kind] for kind in ("choice", "float", "int") if kind in space), [])
        numbers = [bound for bound in bounds if _is_number(bound)]
        return min(numbers) if numbers else bounds
    for block in (spec.get("trial") or {}, spec):
        value: Any = block
        for part in name.split("."):
            value = value.get(part, ABSENT) if isinstance(value, Mapping) else ABSENT
        if value is not ABSENT:
            return value
    return ABSENT


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _launch(row: Mapping[str, Any]) -> dict[str, str]:
    commit = str(row.get("git_commit") or "no git commit recorded")
    state = {True: ", with uncommitted changes", False: ", clean", None: ""}[row.get("git_dirty")]
    return {
        "Started": _moment(row.get("started_at")),
        "Command": mask_passwords(str(row.get("command_line") or "not recorded")),
        "Code": commit + (state if row.get("git_commit") else ""),
        "Host": str(row.get("host") or "not recorded"),
        "Device": str(row.get("device") or "not recorded"),
        "Threads": str(row.get("threads") or "not recorded"),
        "Data checksum": str(row.get("data_checksum") or "not recorded"),
    }


def _versions(packages: Mapping[str, str | None]) -> list[tuple[str, str]]:
    return sorted((name, version) for name, version in packages.items() if version is not None)


def _moment(value: Any) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if isinstance(value, datetime) else "not recorded"


def _used(evidence: Evidence) -> Sequence[str]:
    return [key for key in METRICS if evidence.columns.is_measured(key)]


def _selection(evidence: Evidence) -> str:
    if not evidence.configurations:
        return "No configuration has finished, so nothing was selected."
    if evidence.quality.has_validation:
        return (
            "Selected on the validation split, reported on the test split: the search, the front and the best "
            f"configuration go by {evidence.quality.selection}; every number shown is {evidence.quality.final}."
        )
    return (
        "There is no validation split: the search and the front went by the same test split that is reported, so the "
        "best values are optimistic."
    )
