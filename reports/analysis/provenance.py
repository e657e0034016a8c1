"""Provenance of the numbers: spec, code, packages, machine, data, and settings below those of the cited paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reports.data.study_data import StudyData
from studies.metrics.definitions import METRICS
from studies.spec.deviations import deviations
from studies.spec.yaml_subset import write_yaml


@dataclass(frozen=True)
class Provenance:
    """Spec, launches, packages and metric definitions of a study, as text.

    Attributes:
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
    """A study's settings against those of the paper its spec cites.

    Attributes:
        cite: the paper; None where the spec cites none.
        reduced: settings below the paper's, in words. Any of them means that this is no reproduction.
        differing: settings that are neither equal nor plainly smaller.
    """

    cite: str | None
    reduced: tuple[str, ...]
    differing: tuple[str, ...]


def provenance(data: StudyData) -> Provenance:
    """Collect the text needed to judge or repeat the study."""
    from studies.database.urls import mask_passwords

    launches = [_launch(row) for row in data.record.launches]
    compared = ("Code", "Host", "Device", "Threads", "Data checksum")
    changed = [label for label in compared if len({launch[label] for launch in launches}) > 1]
    packages = [dict(row.get("packages") or {}) for row in data.record.launches]
    if any(versions != packages[-1] for versions in packages):
        changed.append("Packages")
    spec = write_yaml(data.record.spec)
    return Provenance(
        spec=mask_passwords(spec),
        launches=launches,
        changed=changed,
        packages=_versions(packages[-1]) if packages else [],
        formulas=[(METRICS[key].label, METRICS[key].description) for key in _used(data)],
        selection=_selection(data),
    )


def paper_check(spec: Mapping[str, Any]) -> PaperCheck:
    """Compare the settings a spec names as its paper's with its own; a searched one counts at its lowest value."""
    found = deviations(spec)
    return PaperCheck(
        cite=(spec.get("paper") or {}).get("cite"),
        reduced=tuple(str(one) for one in found if one.is_reduction),
        differing=tuple(str(one) for one in found if not one.is_reduction),
    )


def _launch(row: Mapping[str, Any]) -> dict[str, str]:
    from studies.database.urls import mask_passwords

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


def _used(data: StudyData) -> Sequence[str]:
    return [key for key in METRICS if data.columns.is_measured(key)]


def _selection(data: StudyData) -> str:
    if not data.configurations:
        return "No configuration has finished, so nothing was selected."
    if data.quality.has_validation:
        return (
            "Selected on the validation split, reported on the test split: the search, the front and the best "
            f"configuration go by {data.quality.selection}; every number shown is {data.quality.final}."
        )
    return (
        "There is no validation split: the search and the front went by the same test split that is reported, so the "
        "best values are optimistic."
    )
