"""Writer of a study database, one transaction per call.

Guarantees, on SQLite and PostgreSQL alike:

- One driver per study holds its lease (`studies.store.leases`).
- A trial row leaves RUNNING once and never changes after that. Only the newest attempt may finish it, so a driver that
  was believed dead cannot overwrite its successor.
- A trial becomes COMPLETE together with all its runs and evaluations, or not at all.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, and_, select, update
from sqlalchemy.exc import IntegrityError

from hnet_core.errors import ConfigInvalid, HnetError
from hnet_core.trial import TrialResult
from studies.database.row_types import StudyRow
from studies.database.schema import COMPLETE, FAILED, PRUNED, RUNNING, SKIPPED, launch, run, study, trial
from studies.database.storable_text import storable
from studies.database.stored_metrics import TrialRange, add_summaries
from studies.errors import TrialNotFound
from studies.store.leases import LeaseLost, Leases
from studies.store.result_rows import check_result, insert_results
from studies.store.suggested_trial import SuggestedTrial

__all__ = ["LeaseLost", "Store", "StudyExists", "TrialFinished", "TrialNotFound"]

MAX_NAME_LENGTH = 200


class StudyExists(ConfigInvalid):
    """A study name that is taken."""


class TrialFinished(HnetError):
    """A write to a trial that is finished, or from an attempt that was superseded."""


class Store(Leases):
    """Writes to the study database `engine` is connected to (from `studies.database.open_database.connect`)."""

    def create_study(self, name: str, spec: Mapping[str, Any], seeds: int) -> int:
        """Add a study and return its id.

        Raises:
            StudyExists: if the name is taken.
            ConfigInvalid: if the name is empty or too long.
        """
        with self._writer.begin() as connection:
            return insert_study(connection, name, spec, seeds)

    def check_is_free(self, name: str) -> None:
        """Refuse a name that `create_study` would refuse.

        Raises:
            StudyExists, ConfigInvalid: as for `create_study`.
        """
        if self.find_study(name) is not None:
            raise _taken(name)
        _check_name(name)

    def find_study(self, name: str) -> StudyRow | None:
        """Return the row of a study, or None."""
        with self._reader.connect() as connection:
            row = connection.execute(select(study).where(study.c.name == name)).mappings().one_or_none()
        return None if row is None else cast(StudyRow, dict(row))

    def update_study(self, study_id: int, *, spec: Mapping[str, Any], seeds: int) -> None:
        """Replace the spec and the wanted seeds of a continued study; the caller has compared the specs."""
        with self._writer.begin() as connection:
            connection.execute(update(study).where(study.c.id == study_id).values(spec=dict(spec), seeds=seeds))

    def record_launch(self, study_id: int, provenance: Mapping[str, Any]) -> int:
        """Add a launch and return its id.

        Args:
            provenance: values of the launch columns, see docs/schema.md; what is left out is NULL, `started_at` is now.

        Raises:
            ValueError: if a key is not a column of launch.
        """
        unknown = set(provenance) - set(launch.c.keys())
        if unknown:
            raise ValueError(f"provenance must have keys of {launch.c.keys()}, got {sorted(unknown)}.")
        row = {"started_at": _now(), **provenance, "study_id": study_id}
        with self._writer.begin() as connection:
            return int(connection.execute(launch.insert().returning(launch.c.id), row).scalar_one())

    def start_trial(
        self,
        study_id: int,
        number: int,
        suggested: SuggestedTrial,
        *,
        launch_id: int,
        attempt: int,
        duplicate_of: int | None = None,
    ) -> None:
        """Add a trial as RUNNING, or begin a further attempt of one that is RUNNING and was lost.

        Args:
            attempt: 1 for a new trial; above the stored one to run it again.
            duplicate_of: trial with the same configuration that this attempt repeats; see `complete_duplicate`.

        Raises:
            TrialFinished: if the trial is finished, or `attempt` is not newer than the stored one.
        """
        row = _trial_row(study_id, number, launch_id, suggested)
        row |= {"state": RUNNING, "attempt": attempt, "duplicate_of": duplicate_of}
        with self._writer.begin() as connection:
            again = update(trial).where(
                _is_trial(study_id, number), trial.c.state == RUNNING, trial.c.attempt < attempt
            )
            if connection.execute(
                again.values(attempt=attempt, launch_id=launch_id, duplicate_of=duplicate_of)
            ).rowcount:
                return
            if _state_of(connection, study_id, number) is not None:
                raise _refusal(connection, study_id, number, attempt)
            connection.execute(trial.insert(), row)

    def retry_trial(self, study_id: int, number: int, attempt: int) -> None:
        """Begin a further attempt of a RUNNING trial whose worker was lost.

        Raises:
            TrialFinished: if the trial is finished, or `attempt` is not newer than the stored one.
        """
        with self._writer.begin() as connection:
            older = and_(_is_trial(study_id, number), trial.c.state == RUNNING, trial.c.attempt < attempt)
            if not connection.execute(update(trial).where(older).values(attempt=attempt)).rowcount:
                raise _refusal(connection, study_id, number, attempt)

    def attempt_of(self, study_id: int, number: int) -> int | None:
        """Return the latest attempt of a trial, None where there is no such trial."""
        with self._reader.connect() as connection:
            return connection.scalar(select(trial.c.attempt).where(_is_trial(study_id, number)))

    def skip_trial(self, study_id: int, number: int, suggested: SuggestedTrial, *, launch_id: int, reason: str) -> None:
        """Add a trial that is never trained, as SKIPPED with the reason.

        Raises:
            TrialFinished: if the number is taken.
        """
        row = _trial_row(study_id, number, launch_id, suggested)
        row |= {"state": SKIPPED, "attempt": 1, "reason": reason, "finished_at": row["created_at"]}
        with self._writer.begin() as connection:
            if _state_of(connection, study_id, number) is not None:
                raise _refusal(connection, study_id, number, 1)
            connection.execute(trial.insert(), row)

    def complete_trial(self, study_id: int, number: int, attempt: int, runs: Sequence[TrialResult]) -> None:
        """Store all runs of a trial and make it COMPLETE, in one transaction.

        Raises:
            TrialFinished: if the trial is finished, or a newer attempt runs.
            TrialNotFound: if there is no such trial.
            TrainingDiverged: if a measured value is NaN or infinite.
            ValueError: if `runs` is empty, repeats a seed, or is not of this trial's configuration.
        """
        if not runs:
            raise ValueError("runs must hold at least one result, got none; a trial without results has failed.")
        if not all(result.is_whole for result in runs):
            raise ValueError("runs must have trained every task, got one that was stopped; prune the trial instead.")
        with self._finishing(study_id, number, attempt, COMPLETE) as connection:
            _insert_runs(connection, study_id, number, attempt, runs)

    def complete_duplicate(self, study_id: int, number: int, attempt: int) -> None:
        """Make a trial COMPLETE that has the runs of the COMPLETE trial it was started as a duplicate of.

        Raises:
            TrialFinished, TrialNotFound: as for `complete_trial`.
            ValueError: if it is no duplicate, or its original is not COMPLETE or a duplicate itself.
        """
        with self._finishing(study_id, number, attempt, COMPLETE) as connection:
            original = connection.scalar(select(trial.c.duplicate_of).where(_is_trial(study_id, number)))
            measured = and_(_is_trial(study_id, original), trial.c.state == COMPLETE, trial.c.duplicate_of.is_(None))
            if original is None or connection.scalar(select(trial.c.number).where(measured)) is None:
                raise ValueError(f"trial {number} must duplicate a COMPLETE trial that was trained, got {original}.")

    def fail_trial(self, study_id: int, number: int, attempt: int, reason: str, traceback: str | None) -> None:
        """Make a trial FAILED, with one line of reason and the full traceback where there is one."""
        with self._finishing(study_id, number, attempt, FAILED, reason=reason, traceback=traceback):
            pass

    def prune_trial(
        self, study_id: int, number: int, attempt: int, reason: str, runs: Sequence[TrialResult] = ()
    ) -> None:
        """Make a trial PRUNED: stopped before its end because others are better; `runs` hold what was measured."""
        with self._finishing(study_id, number, attempt, PRUNED, reason=reason) as connection:
            _insert_runs(connection, study_id, number, attempt, runs)

    def add_runs(self, study_id: int, number: int, runs: Sequence[TrialResult]) -> None:
        """Add results of further seeds to a COMPLETE trial.

        Raises:
            TrialFinished: if the trial is not COMPLETE or a duplicate: seeds belong to its original.
            TrialNotFound: if there is no such trial.
            ValueError: if a seed is there already, or a run is not of this trial's configuration.
        """
        query = select(trial.c.state, trial.c.duplicate_of, trial.c.attempt).where(_is_trial(study_id, number))
        with self._writer.begin() as connection:
            row = connection.execute(query.with_for_update()).one_or_none()
            if row is None:
                raise TrialNotFound(f"there is no trial {number} in this study to add seeds to.")
            if row.state != COMPLETE or row.duplicate_of is not None:
                kind = row.state if row.duplicate_of is None else f"a duplicate of {row.duplicate_of}"
                raise TrialFinished(f"trial {number} must be COMPLETE to take further seeds, got {kind}.")
            _insert_runs(connection, study_id, number, row.attempt, runs)

    @contextmanager
    def _finishing(self, study_id: int, number: int, attempt: int, state: str, **values: Any) -> Iterator[Connection]:
        """Open the transaction in which a RUNNING trial of this attempt becomes `state`."""
        mine = and_(_is_trial(study_id, number), trial.c.state == RUNNING, trial.c.attempt == attempt)
        with self._writer.begin() as connection:
            change = update(trial).where(mine).values(state=state, finished_at=_now(), **values)
            if not connection.execute(change).rowcount:
                raise _refusal(connection, study_id, number, attempt)
            yield connection


def insert_study(
    connection: Connection, name: str, spec: Mapping[str, Any], seeds: int, identity: str | None = None
) -> int:
    """Add a study within a transaction and return its id.

    Raises:
        StudyExists: if the name is taken.
        ConfigInvalid: if the name is empty or too long.
    """
    _check_name(name)
    row = {
        "name": name,
        "uuid": identity or str(uuid.uuid4()),
        "spec": dict(spec),
        "seeds": seeds,
        "created_at": _now(),
        "driver_seconds": 0.0,
        "stop_requested": False,
    }
    try:
        return int(connection.execute(study.insert().returning(study.c.id), row).scalar_one())
    except IntegrityError:
        raise _taken(name) from None


def _check_name(name: str) -> None:
    if not name.strip() or len(storable(name)) > MAX_NAME_LENGTH:
        raise ConfigInvalid(f"a study name must have 1 to {MAX_NAME_LENGTH} characters, got {name[:40]!r}.")


def _taken(name: str) -> StudyExists:
    return StudyExists(f"a study {name!r} exists already; choose another name (--study, for an import --as).")


def _trial_row(study_id: int, number: int, launch_id: int, suggested: SuggestedTrial) -> dict[str, Any]:
    return {
        "study_id": study_id,
        "number": number,
        "launch_id": launch_id,
        **suggested.columns(),
        "created_at": _now(),
    }


def _insert_runs(connection: Connection, study_id: int, number: int, attempt: int, runs: Sequence[TrialResult]) -> None:
    row = connection.execute(select(trial).where(_is_trial(study_id, number))).one()
    there = connection.scalars(select(run.c.seed).where(run.c.study_id == study_id, run.c.number == number))
    seeds = set(there)
    for result in runs:
        check_result(row._asdict(), result)
        if result.seed in seeds:
            raise ValueError(
                f"each seed of trial {number} must be new, got seed {result.seed}, which is there already."
            )
        seeds.add(result.seed)
    insert_results(connection, study_id, number, attempt, runs)
    add_summaries(connection, TrialRange(study_id, number, number))


def _is_trial(study_id: int, number: int | None) -> ColumnElement[bool]:
    return and_(trial.c.study_id == study_id, trial.c.number == number)


def _state_of(connection: Connection, study_id: int, number: int) -> str | None:
    return connection.scalar(select(trial.c.state).where(_is_trial(study_id, number)))


def _refusal(connection: Connection, study_id: int, number: int, attempt: int) -> HnetError:
    """Return the error for a write that found no RUNNING row of its attempt."""
    row = connection.execute(select(trial.c.state, trial.c.attempt).where(_is_trial(study_id, number))).one_or_none()
    if row is None:
        return TrialNotFound(f"there is no trial {number} in this study to write to; start it first.")
    if row.state != RUNNING:
        return TrialFinished(f"trial {number} must be RUNNING to be written, got {row.state}; this result is dropped.")
    return TrialFinished(
        f"trial {number} runs as attempt {row.attempt}, got attempt {attempt}; this result is dropped."
    )


def _now() -> datetime:
    return datetime.now(UTC)
