"""The only reader of a study database: SQL in, DataFrames out, metrics derived on the way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, Select, case, func, select

from hnet_core.registry import did_you_mean
from studies.clock import epoch_now
from studies.constraints import feasible
from studies.errors import StudyNotFound, TrialNotFound
from studies.frames import PARTS, over_seeds, params_frame, select_rows, static_frame
from studies.front import pareto_mask
from studies.matrix_metrics import Evaluations, matrix_metrics
from studies.metrics import COUNTS, METRICS, SELECTED_BY
from studies.record import StudyRecord
from studies.schema import COMPLETE, STATES, evaluation, launch, run, study, task_time, trial
from studies.urls import masked

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


class Studies:
    """All studies of one database, for reading."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def studies(self) -> pd.DataFrame:
        """One row per study, oldest first.

        Columns: name, created_at, trials, then the number of trials in each state by its name in lower case, seeds,
        objectives (dict), driver_seconds.
        """
        import pandas as pd

        with self._engine.connect() as connection:
            rows = connection.execute(select(study).order_by(study.c.id)).mappings().all()
            query = select(trial.c.study_id, trial.c.state, func.count()).group_by(trial.c.study_id, trial.c.state)
            counts = {(study_id, state): n for study_id, state, n in connection.execute(query)}
        names = ["name", "created_at", "trials", *(s.lower() for s in STATES), "seeds", "objectives", "driver_seconds"]
        table = []
        for row in rows:
            states = {state.lower(): counts.get((row["id"], state), 0) for state in STATES}
            objectives = row["spec"].get("objectives", {})
            table.append({**row, **states, "trials": sum(states.values()), "objectives": objectives})
        return pd.DataFrame(table, columns=names)

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
            counts = select(trial.c.state, func.count(), func.count(trial.c.duplicate_of))
            counted = connection.execute(counts.where(trial.c.study_id == row["id"]).group_by(trial.c.state)).all()
        plain = ("id", "name", "uuid", "spec", "seeds", "created_at", "stop_requested", "driver_seconds")
        return StudyRecord(
            **{key: row[key] for key in plain},
            launches=[dict(one) for one in launches],
            states=dict.fromkeys(STATES, 0) | {state: n for state, n, _ in counted},
            duplicates=sum(duplicates for _, _, duplicates in counted),
            driver=_driver(row) if row["live"] else None,
        )

    def runs(self, name: str) -> pd.DataFrame:
        """One row per finished run, by number and seed.

        Columns: number, seed, config_hash, measure, n_tasks, each searched parameter, each metric of METRICS, then
        device, threads, data_checksum. Runs of duplicates are listed once, under the trial that was trained.
        """
        return self._runs(self.study(name))

    def trials(
        self, name: str, where: str | None = None, sort: str | None = None, limit: int | None = None
    ) -> pd.DataFrame:
        """One row per trial in any state, by number unless `sort` says otherwise.

        Columns: number, state, reason, duplicate_of, attempt, n (finished seeds); the names method, stream, target,
        hypernet; each searched parameter under its dotted name; each metric M of METRICS with M.low and M.high (mean
        and 95 % t interval over seeds; a metric of kind "count" has no bounds); params (dict), config_hash, measure,
        launch_id, created_at, finished_at. A duplicate shows the numbers of its original.

        Args:
            where: condition, such as `"compression_ratio < 0.2 and n == 3"`; see `studies.where`.
            sort: such as `"-final_accuracy,compression_ratio"`.
            limit: at most so many rows.
        """
        return select_rows(self._trials(self.study(name)), where, sort, limit)

    def front(self, name: str) -> pd.DataFrame:
        """The best trade-offs found: rows of `trials` that no other one dominates under the study's objectives.

        Candidates are COMPLETE, meet the constraints and are no duplicates. Means over seeds are compared, so that no
        lucky seed makes the front; where every candidate has a validation split, its values decide instead of those
        of the test split. Sorted by compression_ratio where that is an objective, else by the last objective.
        """
        record = self.study(name)
        trials = self._trials(record)
        candidate = (trials["state"] == COMPLETE) & trials["duplicate_of"].isna()
        rows = trials[candidate.to_numpy(dtype=bool) & feasible(trials, record.constraints)]
        objectives = record.objectives
        values = rows[[_decisive(metric, rows) for metric in objectives]].to_numpy(dtype=float)
        front = rows[pareto_mask(values, list(objectives.values()))]
        by = "compression_ratio" if "compression_ratio" in objectives else list(objectives)[-1]
        return front.sort_values(by, kind="stable").reset_index(drop=True)

    def trial(self, name: str, number: int) -> dict[str, Any]:
        """Everything about one trial: its row, `launch` (dict), `runs` (list of dicts with seed and `task_seconds`).

        Runs of a duplicate are those of its original.

        Raises:
            StudyNotFound, TrialNotFound: if there is none.
        """
        study_id = self.study(name).id
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
        study_id = self.study(name).id
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

    def matrices(self, name: str, number: int, split: str = "test") -> NDArray[np.float64]:
        """The measured matrix of each seed of a trial, seeds ascending; for a duplicate those of its original.

        Args:
            split: "test" or "validation".

        Returns:
            (n_seeds, T + 1, T): [s, i, j] is the measure on task j + 1 after i tasks, row 0 the untrained model; NaN
            where not evaluated. (0, 1, 0) where no seed has finished.
        """
        import numpy as np

        if split not in ("test", "validation"):
            raise ValueError(f"split must be test or validation, got {split!r}.")
        runs = self.trial(name, number)["runs"]
        n_tasks = max((one["n_tasks"] for one in runs), default=0)
        position = {one["id"]: i for i, one in enumerate(runs)}
        matrices = np.full((len(runs), n_tasks + 1, n_tasks), np.nan)
        query = select(evaluation).where(evaluation.c.run_id.in_(position), evaluation.c.split == split)
        with self._engine.connect() as connection:
            for run_id, _, after_task, on_task, value in connection.execute(query):
                matrices[position[run_id], after_task, on_task - 1] = value
        return matrices

    def evaluations(self, name: str) -> pd.DataFrame:
        """The raw measurements of a study in long form: number, seed, split, after_task, on_task, value."""
        import pandas as pd

        cells = (run.c.number, run.c.seed, evaluation.c.split, evaluation.c.after_task, evaluation.c.on_task)
        query = (
            select(*cells, evaluation.c.value)
            .join(run, run.c.id == evaluation.c.run_id)
            .where(run.c.study_id == self.study(name).id)
            .order_by(*cells)
        )
        with self._engine.connect() as connection:
            return pd.DataFrame(
                connection.execute(query).all(), columns=[column.name for column in query.selected_columns]
            )

    def sql(self, query: str, limit: int = 1000) -> pd.DataFrame:
        """The rows of one reading SQL statement, at most `limit`; `.attrs["truncated"]` says if there were more.

        Raises:
            ConfigInvalid: if it is not one statement that only reads, or the database refuses it.
            QueryTimeout: if it takes longer than 30 seconds.
        """
        from studies.reading_sql import read_sql

        return read_sql(self._engine, query, limit)

    def _runs(self, record: StudyRecord) -> pd.DataFrame:
        import pandas as pd

        columns = (trial.c.number, run.c.seed, trial.c.config_hash, trial.c.measure, run.c.n_tasks, trial.c.params)
        weights = [trial.c[column] for column in COUNTS]
        costs = (run.c.seconds, run.c.peak_memory_mib, run.c.device, run.c.threads, run.c.data_checksum)
        query = (
            select(run.c.id, *columns, *weights, *costs)
            .join(trial, (trial.c.study_id == run.c.study_id) & (trial.c.number == run.c.number))
            .where(run.c.study_id == record.id)
            .order_by(run.c.number, run.c.seed)
        )
        with self._engine.connect() as connection:
            found = pd.DataFrame(connection.execute(query).all(), columns=[c.name for c in query.selected_columns])
            cells = _evaluations(connection.execute(_cells(record.id)).all(), found["id"].to_numpy(dtype=int))
        measure, n_tasks = found["measure"].to_numpy(dtype=str), found["n_tasks"].to_numpy(dtype=int)
        metrics = pd.concat(
            [
                pd.DataFrame(matrix_metrics(measure, n_tasks, cells), index=found.index),
                static_frame(found),
                found[["seconds", "peak_memory_mib"]],
            ],
            axis=1,
        )
        head = found[["number", "seed", "config_hash", "measure", "n_tasks"]]
        params = params_frame(found["params"].tolist(), record.searched)
        return pd.concat([head, params, metrics[list(METRICS)], found[["device", "threads", "data_checksum"]]], axis=1)

    def _trials(self, record: StudyRecord) -> pd.DataFrame:
        import pandas as pd

        with self._engine.connect() as connection:
            rows = connection.execute(_of_study(trial, record.id).order_by(trial.c.number)).mappings().all()
        found = pd.DataFrame([dict(row) for row in rows], columns=trial.c.keys())
        source = found["duplicate_of"].fillna(found["number"]).astype(int)
        found["duplicate_of"] = found["duplicate_of"].astype("Int64")
        seeds = over_seeds(self._runs(record)).reindex(source).reset_index(drop=True)
        seeds["n"] = seeds["n"].fillna(0).astype(int)
        parts = pd.DataFrame({part: [(c.get(part) or {}).get("name") for c in found["config"]] for part in PARTS})
        values = pd.concat([static_frame(found), seeds.drop(columns="n")], axis=1)
        metrics = [column for name in METRICS for column in (name, f"{name}.low", f"{name}.high") if column in values]
        head = found[["number", "state", "reason", "duplicate_of", "attempt"]].assign(n=seeds["n"])
        params = params_frame(found["params"].tolist(), record.searched)
        tail = found[["params", "config_hash", "measure", "launch_id", "created_at", "finished_at"]]
        return pd.concat([head, parts, params, values[metrics], tail], axis=1)

    def _no_study(self, name: str) -> StudyNotFound:
        with self._engine.connect() as connection:
            known = list(connection.scalars(select(study.c.name).order_by(study.c.name)))
        where = f"study {name!r} is not in {masked(self._engine.url)}"
        if not known:
            return StudyNotFound(f"{where}, which holds no studies yet; run a sweep first.")
        return StudyNotFound(f"{where}{did_you_mean(name, known)}. List them: hnet study ls")


def _of_study(table: Any, study_id: int) -> Select[Any]:
    return select(table).where(table.c.study_id == study_id)


def _cells(study_id: int) -> Select[Any]:
    """The cells metrics are made from: everything after a task, of the validation split the last row only."""
    after, split = evaluation.c.after_task, evaluation.c.split
    is_validation = case((split == "validation", 1), else_=0)  # as a number, for the array it becomes part of
    return (
        select(evaluation.c.run_id, is_validation, after, evaluation.c.on_task, evaluation.c.value)
        .join(run, run.c.id == evaluation.c.run_id)
        .where(run.c.study_id == study_id, after > 0, (split == "test") | (after == run.c.n_tasks))
    )


def _evaluations(rows: Any, run_ids: NDArray[np.int_]) -> Evaluations:
    import numpy as np

    columns = np.array([tuple(row) for row in rows], dtype=float).reshape(-1, 5).T
    order = np.argsort(run_ids)
    return Evaluations(
        run=order[np.searchsorted(run_ids[order], columns[0].astype(int))],
        is_validation=columns[1].astype(bool),
        after_task=columns[2].astype(int),
        on_task=columns[3].astype(int),
        value=columns[4],
    )


def _decisive(metric: str, candidates: pd.DataFrame) -> str:
    """The column that decides membership of the front: the validation split's where every candidate has it."""
    selected = SELECTED_BY.get(metric)
    return selected if selected is not None and candidates[selected].notna().all() else metric


def _driver(row: Any) -> dict[str, Any]:
    until = datetime.fromtimestamp(row["lease_until"], UTC)
    return {"owner": row["lease_owner"], "host": row["lease_host"], "pid": row["lease_pid"], "until": until}


def _no_trial(name: str, number: int) -> TrialNotFound:
    return TrialNotFound(f"study {name!r} has no trial {number}; list them: hnet study trials {name}")
