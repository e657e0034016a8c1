"""The reader of a study database: DataFrames and arrays, metrics included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

from hnet_core.trial import MATRICES
from studies.database.integer_sets import one_of
from studies.database.row_types import BenchmarkRow, LedgerRow, TrialDetail, TrialState
from studies.database.schema import trial
from studies.queries import lookup, tables
from studies.queries.changes import Changes
from studies.queries.choice import Choice, choose
from studies.queries.configurations import configurations
from studies.queries.matrices import read_matrices
from studies.queries.measured import read_matching, read_measured
from studies.queries.notes import Labels, labels_of, trial_notes_of
from studies.queries.outdated_results import outdated_results
from studies.queries.record import StudyRecord, TrialCounts
from studies.queries.row_selection import Rows, RowSelection, to_frame

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from studies.queries.read_only_sql import SqlRows


class Studies:
    """All studies of one database, for reading.

    A table is a DataFrame; the method of that name with `_rows` gives it as plain rows, without importing pandas.
    `where` is a condition such as `"compression_ratio < 0.2 and n == 3"` (see `studies.queries.where_language`), `sort`
    names columns such as `"-final_accuracy,compression_ratio"` (missing values come last), `limit` is the most rows.

    Raises:
        StudyNotFound, TrialNotFound: every method that names one, if there is none.
        ConfigInvalid: if `where` is no condition, or it, `sort` or `columns` name an unknown column.
    """

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
        """Return one row per study, oldest first.

        Columns: name, created_at, trials, then the number of trials in each state by its name in lower case, seeds,
        objectives (dict), driver_seconds, tags, archived_at.

        Args:
            tag: only studies with this tag.
            archived: list archived studies too.
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
        return tables.study_rows(self._engine, RowSelection(where, sort, limit), tag, archived)

    def trials(
        self,
        name: str,
        where: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Return one row per trial in any state, by number.

        Columns: number, state, reason, duplicate_of, attempt, n (finished seeds); the names method, stream, target,
        hypernet; each searched parameter under its dotted name; each metric M of METRICS with M.low and M.high (mean
        and 95 % t interval over seeds; a metric of kind "count" has no bounds); params (dict), config_hash, measure,
        launch_id, created_at, finished_at. A duplicate shows the numbers of its original.

        Args:
            columns: only these, in this order, which is several times faster where a study is large.
        """
        return to_frame(self.trial_rows(name, where, sort, limit, columns))

    def trial_rows(
        self,
        name: str,
        where: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
        columns: Sequence[str] | None = None,
        *,
        after: int | None = None,
    ) -> Rows:
        """Return `trials` as plain rows; `after` gives the page that follows a trial in the order of `sort`."""
        selection = RowSelection(where, sort, limit, after)
        return tables.trial_rows(self._engine, self.study(name), selection, columns=columns)

    def rows_of(self, name: str, numbers: Sequence[int], columns: Sequence[str] | None = None) -> Rows:
        """Return some trials as `trial_rows` does, by number."""
        chosen = one_of(trial.c.number, numbers)
        return tables.trial_rows(self._engine, self.study(name), RowSelection(), chosen, columns=columns)

    def measured(self, name: str, columns: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """Return columns of the COMPLETE trials that are no duplicates, by number; see `studies.queries.measured`."""
        return read_measured(self._engine, self.study(name), columns)

    def matching(self, name: str, where: str) -> NDArray[np.int_]:
        """Return the numbers of the trials that meet a condition, ascending, (n_trials,)."""
        return read_matching(self._engine, self.study(name), where)

    def changes(self) -> Changes:
        """Return the versions of all studies, to find out cheaply which have changed."""
        return Changes(self._engine)

    def labels(self, name: str) -> Labels:
        """Return tags, note and archive of a study."""
        return labels_of(self._engine, name)

    def trial_notes(self, name: str) -> dict[int, str]:
        """Return the notes on trials of a study by number."""
        return trial_notes_of(self._engine, name)

    def front(
        self,
        name: str,
        where: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
        *,
        x: str | None = None,
    ) -> pd.DataFrame:
        """Return the best trade-offs found: rows of `trials` that no other one dominates under the study's objectives.

        Candidates are COMPLETE, meet the constraints, have a value of every objective and are no duplicates. Means over
        seeds are compared, so that no lucky seed makes the front; where every candidate has a validation split, its
        values decide instead of those of the test split. Sorted by compression_ratio where that is an objective, else
        by the last objective. `where` and `limit` choose among the members of the front.

        Args:
            x: a cost, such as seconds: the front of the study's quality and this cost, whatever its objectives are.

        Raises:
            ConfigInvalid: if `x` is no cost.
        """
        return to_frame(self.front_rows(name, where, sort, limit, x=x))

    def front_rows(
        self,
        name: str,
        where: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
        *,
        x: str | None = None,
    ) -> Rows:
        return tables.front_rows(self._engine, self.study(name), RowSelection(where, sort, limit), x)

    def choice(self, name: str, x: str | None = None) -> Choice:
        """Return the numbers on the front of a study and of its best trials, with the reason where there are none.

        Args:
            x: a cost that decides the front, as in `front`.
        """
        return choose(self._engine, self.study(name), x)

    def machines(self, name: str) -> frozenset[str | None]:
        """Return host, device and threads of the runs of the finished trials; None among them: a host is not known."""
        return lookup.find_machines(self._engine, name)

    def configurations(
        self, where: str | None = None, sort: str | None = None, limit: int | None = None
    ) -> pd.DataFrame:
        """Return one row per measured configuration of all studies, archived ones too; by stream and data set.

        Columns: config_hash, stream, dataset, n_tasks, method, target, hypernet, studies (names), n (different seeds),
        each metric M of METRICS with M.low and M.high, config (dict), measure. The same seed in two studies counts
        once. `where` compares means.
        """
        return to_frame(self.configuration_rows(where, sort, limit))

    def configuration_rows(self, where: str | None = None, sort: str | None = None, limit: int | None = None) -> Rows:
        return configurations(self._engine, RowSelection(where, sort, limit))

    def runs(
        self, name: str, where: str | None = None, sort: str | None = None, limit: int | None = None
    ) -> pd.DataFrame:
        """Return one row per finished run, by number and seed.

        Columns: number, seed, config_hash, measure, n_tasks, each searched parameter, each metric of METRICS, then
        device, threads, data_checksum. Runs of duplicates are listed once, under the trial that was trained.
        """
        return to_frame(self.run_rows(name, where, sort, limit)).drop(columns="params")

    def run_rows(self, name: str, where: str | None = None, sort: str | None = None, limit: int | None = None) -> Rows:
        return tables.run_rows(self._engine, self.study(name), RowSelection(where, sort, limit))

    def run_values(self, name: str, metrics: Sequence[str]) -> Sequence[tuple[Any, ...]]:
        """Return (number, value of each metric) of every finished run, by number and seed; cheaper than `runs`."""
        return tables.run_values(self._engine, lookup.find_study_id(self._engine, name), metrics)

    def runs_after(self, name: str, n_tasks: int) -> pd.DataFrame:
        """Return `runs` as if the stream had ended after its first tasks, for early stopping.

        It has the runs of trials that were stopped early too, and not those of streams with no more tasks than that.
        Columns: number, seed, each metric of METRICS.
        """
        from studies.queries.rung_metrics import runs_after

        return runs_after(self._engine, lookup.find_study_id(self._engine, name), n_tasks)

    def evaluations(
        self, name: str, where: str | None = None, sort: str | None = None, limit: int | None = None
    ) -> pd.DataFrame:
        """Return the raw measurements of a study in long form: number, seed, split, after_task, on_task, value."""
        return to_frame(self.evaluation_rows(name, where, sort, limit))

    def evaluation_rows(
        self, name: str, where: str | None = None, sort: str | None = None, limit: int | None = None
    ) -> Rows:
        study_id = lookup.find_study_id(self._engine, name)
        return tables.evaluation_rows(self._engine, study_id, RowSelection(where, sort, limit))

    def study(self, name: str) -> StudyRecord:
        """Return the study of that name; if there is none, the error names the nearest one."""
        return lookup.find_study(self._engine, name)

    def names(self) -> list[str]:
        """Return the names of all studies, archived ones too, in alphabetical order."""
        return lookup.study_names(self._engine)

    def trial_counts(self, name: str) -> TrialCounts:
        """Return the number of trials of a study by state; it visits every row, which `study` does not."""
        return lookup.count_trials(self._engine, name)

    def outdated_results(self, name: str) -> dict[str, int]:
        """Return what earlier versions computed in a wrong way in a study, with the number of trials each."""
        return outdated_results(self._engine, lookup.find_study_id(self._engine, name))

    def trial(self, name: str, number: int) -> TrialDetail:
        """Return one trial with its launch and runs; runs of a duplicate are those of its original."""
        return lookup.find_trial(self._engine, name, number)

    def finished_configs(self, name: str) -> Iterator[tuple[int, int, dict[str, Any]]]:
        """Yield number, finished seeds and stored configuration of the COMPLETE trials that are no duplicates."""
        return lookup.read_finished_configs(self._engine, name)

    def ledger(self, name: str) -> list[LedgerRow]:
        """Return every trial row as stored, by number, with its finished seeds; cheaper than `trials`."""
        return lookup.read_ledger(self._engine, name)

    def trial_states(self, name: str) -> list[TrialState]:
        """Return the state and the finished seeds of every trial, by number, without its configuration."""
        return lookup.read_trial_states(self._engine, name)

    def configs(self, name: str, numbers: Sequence[int]) -> dict[int, tuple[dict[str, Any], dict[str, Any]]]:
        """Return the stored configuration and the searched values of these trials, by number."""
        return lookup.read_configs(self._engine, name, numbers)

    def numbers_of_tasks(self, name: str) -> dict[int, frozenset[int]]:
        """Return the different numbers of tasks of the runs of each trial by its number; duplicates have no runs."""
        return lookup.read_numbers_of_tasks(self._engine, name)

    def seeds(self, name: str, number: int) -> list[int]:
        """Return the finished seeds of a trial in ascending order; for a duplicate those of its original."""
        return [one["seed"] for one in self.trial(name, number)["runs"]]

    def values(self, name: str, number: int, metric: str) -> dict[int, float | None]:
        """Return one metric of each finished seed of a trial, {seed: value}; for a duplicate those of its original."""
        runs = self.trial(name, number)["runs"]
        source = runs[0]["number"] if runs else number
        found = tables.run_rows(self._engine, self.study(name), RowSelection(where=f"number == {source}"))
        return {row["seed"]: row[metric] for row in found.dicts()}

    def matrices(self, name: str, number: int, split: str = "test") -> NDArray[np.float64]:
        """Return the measured matrix of each seed of a trial, seeds ascending; for a duplicate those of its original.

        Args:
            split: "test", "validation", "known_task", "inferred_task" or "task_inference".

        Returns:
            (n_seeds, T + 1, T): [s, i, j] is the measure on task j + 1 after i tasks, row 0 the untrained model; NaN
            where not evaluated. (0, 1, 0) where no seed has finished.
        """
        return self.matrices_of(name, [number], split)[number]

    def matrices_of(self, name: str, numbers: Sequence[int], split: str = "test") -> dict[int, NDArray[np.float64]]:
        """Return `matrices` of several trials by number, in the time that one takes."""
        if split not in MATRICES:
            raise ValueError(f"split must be one of {', '.join(MATRICES)}, got {split!r}.")
        found = read_matrices(self._engine, lookup.find_study_id(self._engine, name), numbers, split)
        for number in numbers:
            if number not in found:
                raise lookup.no_trial(name, number)
        return found

    def study_file(self, name: str) -> str:
        """Return a study as the text of one JSON file, which `hnet study import` reads back with its configurations."""
        from studies.queries.study_file import study_file

        return study_file(self._engine, self.study(name))

    def benchmark_documents(self) -> list[BenchmarkRow]:
        """Return the published tables that were added to this database, by name."""
        return lookup.read_benchmarks(self._engine)

    def results(
        self, name: str, where: str | None = None, sort: str | None = None, limit: int | None = None
    ) -> pd.DataFrame:
        """Return `evaluations` with all that `hnet study import` needs to make the same study from them elsewhere.

        Further columns: measure, target_weights, model_weights, hypernet_weights, n_tasks, state, seconds,
        peak_memory_mib, and each setting under its dotted name.
        """
        return to_frame(self.result_rows(name, where, sort, limit))

    def result_rows(
        self, name: str, where: str | None = None, sort: str | None = None, limit: int | None = None
    ) -> Rows:
        from studies.queries.results import results

        return results(self._engine, self.study(name), RowSelection(where, sort, limit))

    def sql(self, query: str, limit: int = 1000) -> pd.DataFrame:
        """Return at most `limit` rows of one reading SQL statement; `.attrs["truncated"]` is true if there were more.

        Raises:
            ConfigInvalid: if it is not one statement that only reads, or the database refuses it.
            QueryTimeout: if it takes longer than 30 seconds.
        """
        return self.sql_rows(query, limit).frame()

    def sql_rows(self, query: str, limit: int = 1000) -> SqlRows:
        from studies.queries.read_only_sql import read_sql

        return read_sql(self._engine, query, limit)
