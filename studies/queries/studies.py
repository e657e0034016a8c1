"""The only reader of a study database: SQL in, DataFrames out, metrics derived on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Engine, Select, and_, func, select, true

from hnet_core.registry import did_you_mean
from studies.database.database_clock import epoch_now
from studies.database.schema import (
    COMPLETE,
    PRUNED,
    STATES,
    evaluation,
    launch,
    run,
    run_summary,
    study,
    study_tag,
    task_time,
    trial,
)
from studies.database.urls import masked
from studies.errors import StudyNotFound, TrialNotFound
from studies.metrics.definitions import SELECTED_BY
from studies.queries.configurations import configurations
from studies.queries.matrices import read_matrices
from studies.queries.queryable_columns import Field, in_json, known, one_of, plain_fields
from studies.queries.record import StudyRecord, TrialCounts
from studies.queries.row_selection import Choice, Rows, to_frame
from studies.queries.study_columns import study_columns
from studies.queries.trial_columns import run_columns, setting_column, trial_columns, with_summary
from studies.spec.constraints import within
from studies.statistics.pareto import front_mask

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


class Studies:
    """All studies of one database, for reading."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def studies(
        self,
        where: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
        *,
        tag: str | None = None,
        archived: bool = False,
    ) -> pd.DataFrame:
        """One row per study, oldest first.

        Columns: name, created_at, trials, then the number of trials in each state by its name in lower case, seeds,
        objectives (dict), driver_seconds, tags, archived_at.

        Args:
            where, sort, limit: as for `trials`.
            tag: only studies with this tag.
            archived: those that were put away too.
        """
        return to_frame(self.study_rows(where, sort, limit, tag=tag, archived=archived))

    def study_rows(
        self,
        where: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
        *,
        tag: str | None = None,
        archived: bool = False,
    ) -> Rows:
        """The same as `studies` without pandas."""
        columns, joined = study_columns()
        query = select(*columns.values()).select_from(joined)
        if not archived:
            query = query.where(study.c.archived_at.is_(None))
        if tag is not None:
            query = query.where(study.c.id.in_(select(study_tag.c.study_id).where(study_tag.c.tag == tag)))
        choice = Choice(where, sort, limit)
        return self._ask(choice.of(query, plain_fields(columns), self._dialect, (study.c.id,)), columns)

    def study(self, name: str) -> StudyRecord:
        """The study of that name.

        Raises:
            StudyNotFound: if there is none; the message names the nearest one.
        """
        with self._engine.connect() as connection:
            live = (study.c.lease_until > epoch_now()).label("live")
            row = connection.execute(select(study, live).where(study.c.name == name)).mappings().one_or_none()
            if row is None:
                raise self._no_study(name)
            launches = connection.execute(_of_study(launch, row["id"]).order_by(launch.c.id)).mappings().all()
        plain = ("id", "name", "uuid", "spec", "seeds", "created_at", "stop_requested", "driver_seconds")
        return StudyRecord(
            **{key: row[key] for key in plain},
            launches=[dict(one) for one in launches],
            driver=_driver(row) if row["live"] else None,
        )

    def trial_counts(self, name: str) -> TrialCounts:
        """The number of trials of a study by state; it visits every row, which `study` does not."""
        counts = select(trial.c.state, func.count(), func.count(trial.c.duplicate_of)).group_by(trial.c.state)
        of_study = counts.where(trial.c.study_id == self._id(name))
        with self._engine.connect() as connection:
            counted = connection.execute(of_study).all()
        states = dict.fromkeys(STATES, 0) | {state: n for state, n, _ in counted}
        return TrialCounts(states, sum(duplicates for _, _, duplicates in counted))

    def runs(
        self, name: str, where: str | None = None, sort: str | None = None, limit: int | None = None
    ) -> pd.DataFrame:
        """One row per finished run, by number and seed.

        Columns: number, seed, config_hash, measure, n_tasks, each searched parameter, each metric of METRICS, then
        device, threads, data_checksum. Runs of duplicates are listed once, under the trial that was trained.

        Args:
            where, sort, limit: as for `trials`.
        """
        return to_frame(self._runs(self.study(name), Choice(where, sort, limit)), after="n_tasks").drop(
            columns="params"
        )

    def runs_after(self, name: str, n_tasks: int) -> pd.DataFrame:
        """`runs` as if the stream had ended after its first tasks: what early stopping compares.

        It has the runs of trials that were stopped early too, and not those of streams with no more tasks than that.
        Columns: number, seed, each metric of METRICS.
        """
        from studies.queries.rung_metrics import runs_after

        return runs_after(self._engine, self._id(name), n_tasks)

    def trials(
        self,
        name: str,
        where: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """One row per trial in any state, by number unless `sort` says otherwise.

        Columns: number, state, reason, duplicate_of, attempt, n (finished seeds); the names method, stream, target,
        hypernet; each searched parameter under its dotted name; each metric M of METRICS with M.low and M.high (mean
        and 95 % t interval over seeds; a metric of kind "count" has no bounds); params (dict), config_hash, measure,
        launch_id, created_at, finished_at. A duplicate shows the numbers of its original.

        Args:
            where: condition, such as `"compression_ratio < 0.2 and n == 3"`; see `studies.queries.where_language`.
            sort: such as `"-final_accuracy,compression_ratio"`; missing values come last.
            limit: at most so many rows.
            columns: only these, in this order, which is several times faster where a study is large.

        Raises:
            StudyNotFound: if there is no such study.
            ConfigInvalid: if a column is unknown, or `where` is no condition.
        """
        return to_frame(self.trial_rows(name, where, sort, limit, columns), after="hypernet", only=columns)

    def trial_rows(
        self,
        name: str,
        where: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
        columns: Sequence[str] | None = None,
    ) -> Rows:
        """The same as `trials` without pandas, which takes longer to import than a query takes."""
        return self._trials(self.study(name), Choice(where, sort, limit), columns=columns)

    def front(
        self, name: str, where: str | None = None, sort: str | None = None, limit: int | None = None
    ) -> pd.DataFrame:
        """The best trade-offs found: rows of `trials` that no other one dominates under the study's objectives.

        Candidates are COMPLETE, meet the constraints and are no duplicates. Means over seeds are compared, so that no
        lucky seed makes the front; where every candidate has a validation split, its values decide instead of those
        of the test split. Sorted by compression_ratio where that is an objective, else by the last objective.

        Args:
            where, sort, limit: choose among the members of the front, as for `trials`.
        """
        return to_frame(self.front_rows(name, where, sort, limit), after="hypernet")

    def front_rows(
        self, name: str, where: str | None = None, sort: str | None = None, limit: int | None = None
    ) -> Rows:
        """The same as `front` without pandas."""
        record = self.study(name)
        objectives = record.objectives
        by = "compression_ratio" if "compression_ratio" in objectives else list(objectives)[-1]
        members = one_of(trial.c.number, self._front_numbers(record))
        return self._trials(record, Choice(where, sort or by, limit), members)

    def configurations(
        self, where: str | None = None, sort: str | None = None, limit: int | None = None
    ) -> pd.DataFrame:
        """One row per configuration ever measured, across all studies, archived ones too; by stream and data set.

        Columns: config_hash, stream, dataset, n_tasks, method, target, hypernet, studies (names), n (different seeds),
        each metric M of METRICS with M.low and M.high, config (dict), measure. The same seed in two studies counts
        once.

        Args:
            where: such as `"stream == 'split' and dataset == 'mnist' and n >= 3"`; compares means.
            sort, limit: as for `trials`.
        """
        return to_frame(self.configuration_rows(where, sort, limit))

    def configuration_rows(self, where: str | None = None, sort: str | None = None, limit: int | None = None) -> Rows:
        """The same as `configurations` without pandas."""
        return configurations(self._engine, Choice(where, sort, limit))

    def trial(self, name: str, number: int) -> dict[str, Any]:
        """Everything about one trial: its row, `launch` (dict), `runs` (list of dicts with seed and `task_seconds`).

        Runs of a duplicate are those of its original.

        Raises:
            StudyNotFound, TrialNotFound: if there is none.
        """
        study_id = self._id(name)
        with self._engine.connect() as connection:
            query = _of_study(trial, study_id).where(trial.c.number == number)
            row = connection.execute(query).mappings().one_or_none()
            if row is None:
                raise _no_trial(name, number)
            started = connection.execute(select(launch).where(launch.c.id == row["launch_id"])).mappings().one()
            source = number if row["duplicate_of"] is None else row["duplicate_of"]
            of_trial = _of_study(run, study_id).where(run.c.number == source).order_by(run.c.seed)
            runs = [dict(one) for one in connection.execute(of_trial).mappings()]
            for one in runs:
                times = select(task_time.c.seconds).where(task_time.c.run_id == one["id"]).order_by(task_time.c.task)
                one["task_seconds"] = list(connection.scalars(times))
        return {**row, "launch": dict(started), "runs": runs}

    def ledger(self, name: str) -> list[dict[str, Any]]:
        """Every trial row as stored, by number, with `seeds` (list of those finished): what a driver reconciles with.

        Cheaper than `trials`: nothing is derived.
        """
        study_id = self._id(name)
        with self._engine.connect() as connection:
            rows = connection.execute(_of_study(trial, study_id).order_by(trial.c.number)).mappings().all()
            done = select(run.c.number, run.c.seed).where(run.c.study_id == study_id).order_by(run.c.seed)
            seeds: dict[int, list[int]] = {}
            for number, seed in connection.execute(done):
                seeds.setdefault(number, []).append(seed)
        return [{**row, "seeds": seeds.get(row["number"], [])} for row in rows]

    def seeds(self, name: str, number: int) -> list[int]:
        """Finished seeds of a trial in ascending order; for a duplicate those of its original."""
        return [one["seed"] for one in self.trial(name, number)["runs"]]

    def names(self) -> list[str]:
        """The names of all studies, archived ones too, in alphabetical order."""
        with self._engine.connect() as connection:
            return list(connection.scalars(select(study.c.name).order_by(study.c.name)))

    def values(self, name: str, number: int, metric: str) -> dict[int, float | None]:
        """One metric of each finished seed of a trial, {seed: value}; for a duplicate those of its original.

        Raises:
            StudyNotFound, TrialNotFound: if there is none.
        """
        runs = self.trial(name, number)["runs"]
        source = runs[0]["number"] if runs else number
        found = self._runs(self.study(name), Choice(where=f"number == {source}"))
        return {row["seed"]: row[metric] for row in found.dicts()}

    def matrices(self, name: str, number: int, split: str = "test") -> NDArray[np.float64]:
        """The measured matrix of each seed of a trial, seeds ascending; for a duplicate those of its original.

        Args:
            split: "test" or "validation".

        Returns:
            (n_seeds, T + 1, T): [s, i, j] is the measure on task j + 1 after i tasks, row 0 the untrained model; NaN
            where not evaluated. (0, 1, 0) where no seed has finished.
        """
        return self.matrices_of(name, [number], split)[number]

    def matrices_of(self, name: str, numbers: Sequence[int], split: str = "test") -> dict[int, NDArray[np.float64]]:
        """`matrices` of several trials by number, in the time that one takes.

        Raises:
            StudyNotFound, TrialNotFound: if there is none.
        """
        if split not in ("test", "validation"):
            raise ValueError(f"split must be test or validation, got {split!r}.")
        found = read_matrices(self._engine, self._id(name), numbers, split)
        for number in numbers:
            if number not in found:
                raise _no_trial(name, number)
        return found

    def evaluations(
        self, name: str, where: str | None = None, sort: str | None = None, limit: int | None = None
    ) -> pd.DataFrame:
        """The raw measurements of a study in long form: number, seed, split, after_task, on_task, value."""
        cells = (run.c.number, run.c.seed, evaluation.c.split, evaluation.c.after_task, evaluation.c.on_task)
        columns = {column.name: column for column in (*cells, evaluation.c.value)}
        joined = evaluation.join(run, run.c.id == evaluation.c.run_id)
        query = select(*columns.values()).select_from(joined).where(run.c.study_id == self._id(name))
        choice = Choice(where, sort, limit)
        return to_frame(self._ask(choice.of(query, plain_fields(columns), self._dialect, cells), columns))

    def results(
        self, name: str, where: str | None = None, sort: str | None = None, limit: int | None = None
    ) -> pd.DataFrame:
        """`evaluations` with all that `hnet study import` needs to make the same study of them elsewhere.

        Further columns: measure, target_weights, model_weights, hypernet_weights, n_tasks, state, seconds,
        peak_memory_mib, and each setting under its dotted name.
        """
        from studies.queries.results import results

        return results(self._engine, self.study(name), Choice(where, sort, limit))

    def sql(self, query: str, limit: int = 1000) -> pd.DataFrame:
        """The rows of one reading SQL statement, at most `limit`; `.attrs["truncated"]` says if there were more.

        Raises:
            ConfigInvalid: if it is not one statement that only reads, or the database refuses it.
            QueryTimeout: if it takes longer than 30 seconds.
        """
        from studies.queries.read_only_sql import read_sql

        return read_sql(self._engine, query, limit)

    def _id(self, name: str) -> int:
        """The key of a study, without counting its trials."""
        with self._engine.connect() as connection:
            found = connection.scalar(select(study.c.id).where(study.c.name == name))
        if found is None:
            raise self._no_study(name)
        return int(found)

    def _runs(self, record: StudyRecord, choice: Choice) -> Rows:
        columns = run_columns()
        joined = (
            run.join(trial, (trial.c.study_id == run.c.study_id) & (trial.c.number == run.c.number))
            .outerjoin(run_summary, run_summary.c.run_id == run.c.id)
        )  # fmt: skip
        query = (
            select(*columns.values()).select_from(joined).where(run.c.study_id == record.id, trial.c.state != PRUNED)
        )
        fields = self._fields(record, columns, choice)
        return self._ask(choice.of(query, fields, self._dialect, (run.c.number, run.c.seed)), columns, record.searched)

    def _trials(
        self,
        record: StudyRecord,
        choice: Choice,
        *conditions: ColumnElement[bool],
        columns: Sequence[str] | None = None,
    ) -> Rows:
        listed = trial_columns()
        fields = self._fields(record, listed, choice, columns or ())
        asked = dict(listed)
        if columns is not None:
            searched = [name for name in columns if name not in listed and known(name, fields, "columns")]
            asked = {name: listed[name] for name in [*columns, *(["params"] if searched else [])] if name in listed}
        query = select(*asked.values()).select_from(with_summary()).where(trial.c.study_id == record.id, *conditions)
        chosen = choice.of(query, fields, self._dialect, (trial.c.number,))
        return self._ask(chosen, asked, record.searched if "params" in asked else None)

    def _front_numbers(self, record: StudyRecord) -> list[int]:
        """The members of the front, as `front` says."""
        import numpy as np

        columns = trial_columns()
        decisive = [SELECTED_BY.get(metric, metric) for metric in record.objectives]
        names = list(dict.fromkeys([*record.objectives, *decisive]))
        candidate = and_(trial.c.study_id == record.id, trial.c.state == COMPLETE, trial.c.duplicate_of.is_(None))
        query = (
            select(trial.c.number, *(columns[name] for name in names))
            .select_from(with_summary())
            .where(candidate, *within(columns, record.constraints))
        )
        with self._engine.connect() as connection:
            rows = [tuple(row) for row in connection.execute(query)]
        found = np.array(rows, dtype=float).reshape(-1, 1 + len(names))
        value = dict(zip(names, found.T[1:], strict=True))
        return [int(number) for number in found[front_mask(value.__getitem__, record.objectives), 0]]

    def _fields(
        self,
        record: StudyRecord,
        columns: Mapping[str, ColumnElement[Any]],
        choice: Choice,
        also: Iterable[str] = (),
    ) -> dict[str, Field]:
        """What a condition or an order may name: the columns, and every searched value; `also` is named besides."""
        fields = plain_fields(columns)
        names = dict.fromkeys(record.searched)
        if not choice.names() | {*also} - {*columns} <= {
            *fields,
            *names,
        }:  # enqueued and imported trials may hold values nobody searched
            names |= dict.fromkeys(self._stored_params(record.id))
        return fields | {setting_column(name): in_json(trial.c.params, name, self._dialect) for name in names}

    def _stored_params(self, study_id: int) -> list[str]:
        each = func.json_each if self._dialect == "sqlite" else func.json_each_text
        keys = each(trial.c.params).table_valued("key")
        query = select(keys.c.key).select_from(trial.join(keys, true())).where(trial.c.study_id == study_id).distinct()
        with self._engine.connect() as connection:
            return sorted(connection.scalars(query))

    def _ask(self, query: Select[Any], columns: Iterable[str], searched: Sequence[str] | None = None) -> Rows:
        with self._engine.connect() as connection:
            found = connection.execute(query).all()
        return Rows(list(columns), found, searched)

    @property
    def _dialect(self) -> str:
        return self._engine.dialect.name

    def _no_study(self, name: str) -> StudyNotFound:
        known = self.names()
        where = f"study {name!r} is not in {masked(self._engine.url)}"
        if not known:
            return StudyNotFound(f"{where}, which holds no studies yet; run a sweep first.")
        return StudyNotFound(f"{where}{did_you_mean(name, known)}. List them: hnet study ls")


def _of_study(table: Any, study_id: int) -> Select[Any]:
    return select(table).where(table.c.study_id == study_id)


def _driver(row: Any) -> dict[str, Any]:
    until = datetime.fromtimestamp(row["lease_until"], UTC)
    return {"owner": row["lease_owner"], "host": row["lease_host"], "pid": row["lease_pid"], "until": until}


def _no_trial(name: str, number: int) -> TrialNotFound:
    return TrialNotFound(f"study {name!r} has no trial {number}; list them: hnet study trials {name}")
