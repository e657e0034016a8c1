"""The state of a study in a few numbers: is it driven, how far is it, when will it be done, what is best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from reports.data.study_data import outdated_results
from reports.data.study_map import read_some
from reports.formatting import cost_text, mean_text, range_text, significant
from studies.metrics.cost_axes import COMPRESSION
from studies.queries.record import StudyRecord, TrialCounts
from studies.spec.spec import planned_trials
from studies.store.leases import LEASE_SECONDS, is_dead
from sweeps.server.service import Service

RATE_TRIALS = 20


@dataclass(frozen=True)
class Best:
    """The best trial and the front of a study, as text.

    Attributes:
        ratio: its compression ratio; `cost` is that of the axis, after the word for it.
        n_configurations: those the front is one of.
    """

    number: int
    final: str
    range: str
    n: int
    ratio: str
    cost: tuple[str, str]
    metric: str
    front_size: int
    n_configurations: int


@dataclass(frozen=True)
class Overview:
    """A study in a few numbers.

    Attributes:
        state: running, stopping, stale, finished, idle or imported.
        since: when the driver of a stale study was seen last.
        done: trials of the budget that have ended; `planned` is None where only time limits it.
        eta: when the budget will be used up at the present rate; None where that is not known.
        outdated: what an earlier version computed in a wrong way, in sentences.
    """

    record: StudyRecord
    counts: TrialCounts
    state: str
    since: datetime | None
    done: int
    planned: int | None
    per_minute: float | None
    eta: timedelta | None
    best: Best | None
    outdated: tuple[str, ...]

    @property
    def driver(self) -> str:
        """The process that drives the study."""
        lease = self.record.driver
        return "" if lease is None else f"process {lease['pid']} on {lease['host']}"

    @property
    def share(self) -> float | None:
        """Part of the budget that is used up, in [0, 1]."""
        return None if not self.planned else min(1.0, self.done / self.planned)

    @property
    def eta_text(self) -> str:
        if self.eta is None:
            return ""
        minutes = round(self.eta.total_seconds() / 60)
        if minutes < 2:
            return f"{self.eta.total_seconds():.0f} s"
        return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def overview(service: Service, name: str) -> Overview:
    """Collect the state of a study; raises StudyNotFound."""
    return service.keep("overview", name, lambda: _read(service, name))


def _read(service: Service, name: str) -> Overview:
    studies = service.studies
    record, counts = studies.study(name), studies.trial_counts(name)
    own = counts.own
    planned = None if record.is_imported else planned_trials(record.spec)
    done = own["COMPLETE"] + own["PRUNED"] + own["FAILED"]
    state, since = _state(record, counts.states["RUNNING"], done, planned)
    rate = _per_minute(service, name) if state in ("running", "stopping") else None
    left = None if planned is None or not rate else max(0, planned - done)
    eta = None if left is None or not rate else timedelta(minutes=left / rate)
    outdated = outdated_results(studies, name)
    return Overview(record, counts, state, since, done, planned, rate, eta, best_of(service, name), outdated)


def best_of(service: Service, name: str, x: str | None = None) -> Best | None:
    """Return the best trial of a study and the size of its front, see `read_map`; None where nothing has finished."""
    map = service.map(name, x)
    if map.best is None or map.best not in map.numbers:
        return None
    (trial,) = read_some(service.studies, map, map.numbers == map.best).trials
    final = trial[map.quality.final]
    return Best(
        map.best, mean_text(final), range_text(final), final.n, significant(trial.mean(COMPRESSION.metric)),
        (map.x.word, cost_text(map.x, trial.mean(map.x.metric))), map.quality.final,
        int(np.sum(map.on_front)), len(map),
    )  # fmt: skip


def running_rows(service: Service, name: str, limit: int = 50) -> list[Mapping[str, Any]]:
    """List the running trials: number, attempt, since when, searched values."""
    found = service.studies.trial_rows(
        name, where="state == 'RUNNING'", limit=limit, columns=["number", "attempt", "created_at", "params"]
    )
    return [dict(zip(found.columns, row, strict=True)) for row in found.values]


def _state(record: StudyRecord, running: int, done: int, planned: int | None) -> tuple[str, datetime | None]:
    if record.driver is not None and not is_dead(record.driver):
        return ("stopping" if record.stop_requested else "running"), None
    if record.is_imported:
        return "imported", None
    if record.last_lease is not None:
        return "stale", record.last_lease["until"] - timedelta(seconds=LEASE_SECONDS)
    if running:
        return "stale", None
    return ("finished" if planned is not None and done >= planned else "idle"), None


def _per_minute(service: Service, name: str) -> float | None:
    """Return the rate over the last trials that ended; None until three have."""
    rows = service.studies.trial_rows(
        name, where="state in ['COMPLETE', 'PRUNED', 'FAILED']", sort="-finished_at", limit=RATE_TRIALS + 1,
        columns=["finished_at"],
    )  # fmt: skip
    ends: Sequence[datetime] = [end for (end,) in rows.values if end is not None]
    if len(ends) < 4:
        return None
    minutes = (ends[0] - ends[-1]).total_seconds() / 60
    return (len(ends) - 1) / minutes if minutes > 0 else None
