"""Types of the rows of a study database, as read from its tables; docs/schema.md describes each column."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple, TypedDict


class StudyRow(TypedDict):
    """A row of the table study."""

    id: int
    name: str
    uuid: str
    spec: dict[str, Any]
    seeds: int
    created_at: datetime
    driver_seconds: float
    lease_owner: str | None
    lease_host: str | None
    lease_pid: int | None
    lease_until: float | None
    progress: dict[str, list[int]] | None
    stop_requested: bool
    archived_at: datetime | None


class LaunchRow(TypedDict):
    """A row of the table launch."""

    id: int
    study_id: int
    started_at: datetime
    git_commit: str | None
    git_dirty: bool | None
    packages: dict[str, str | None] | None
    host: str | None
    device: str | None
    threads: int | None
    data_checksum: str | None
    command_line: str | None
    spec_text: str | None


class TrialRow(TypedDict):
    """A row of the table trial."""

    study_id: int
    number: int
    launch_id: int
    state: str
    reason: str | None
    traceback: str | None
    attempt: int
    duplicate_of: int | None
    config: dict[str, Any]
    config_hash: str
    params: dict[str, Any]
    measure: str
    target_weights: int | None
    model_weights: int | None
    hypernet_weights: int | None
    weights_per_task: int | None
    trained_weights: int | None
    mask_bits: int | None
    memory_bytes: int | None
    inference_multiply_adds: int | None
    generation_multiply_adds: int | None
    created_at: datetime
    finished_at: datetime | None


class RunRow(TypedDict):
    """A row of the table run."""

    id: int
    study_id: int
    number: int
    seed: int
    attempt: int
    n_tasks: int
    seconds: float
    peak_memory_mib: float
    device: str
    threads: int
    data_checksum: str


class LedgerRow(TrialRow):
    """A trial with its finished seeds."""

    seeds: list[int]


class TrialState(NamedTuple):
    """State of a trial and its finished seeds, without its configuration."""

    number: int
    state: str
    attempt: int
    config_hash: str
    duplicate_of: int | None
    reason: str | None
    seeds: tuple[int, ...]


class TimedRun(RunRow):
    """A run with the training time of each task."""

    task_seconds: list[float]


class TrialDetail(TrialRow):
    """A trial with its last launch and its runs."""

    launch: LaunchRow
    runs: list[TimedRun]


class Lease(TypedDict):
    """The driver that may write the trials of a study, and until when."""

    owner: str
    host: str
    pid: int
    until: datetime


class BenchmarkRow(TypedDict):
    """A row of the table benchmark."""

    name: str
    content: str
    cells: str
    added_at: datetime
