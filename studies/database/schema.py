"""Tables of a study database, the same on SQLite and PostgreSQL; docs/schema.md is generated from the comments here.

Raw measurements are stored, and metrics are derived from them by `studies.metrics.definitions`. Derived values are
kept beside them in `run_summary` and `trial_summary`, so that a hundred thousand trials can be searched; `hnet db
check` derives it again and compares. Rows are written by `studies.store.store` only. A change of a table needs a
migration in `studies/database/migrations/versions`, except of the two summaries: an upgrade derives them again where
their columns have changed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect

from hnet_core.trial import MATRICES
from studies.database.storable_text import storable
from studies.metrics.definitions import MATRIX_METRICS, VARYING

RUNNING, COMPLETE, PRUNED, SKIPPED, FAILED = STATES = ("RUNNING", "COMPLETE", "PRUNED", "SKIPPED", "FAILED")

# Optuna keeps its own `alembic_version` in the same database.
VERSION_TABLE = "hnet_version"

# The views of `studies.database.views`, which takes longer to import than a query takes.
VIEW_NAMES = ("run_metrics", "trial_metrics")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """A date and time in UTC; SQLite, which has no time zones, stores it as UTC text."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class FreeText(TypeDecorator[str]):
    """Text from outside, stored by the rule of `storable`."""

    impl: type[String] = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        return storable(value)


class FreeString(FreeText):
    """FreeText of a limited length."""

    impl = String
    cache_ok = True


class FreeJson(TypeDecorator[Any]):
    """JSON whose texts are stored by the rule of `storable`."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return storable(value)

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        return self.impl_instance.coerce_compared_value(op, value)


def _column(name: str, kind: Any, comment: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, kind, nullable=nullable, comment=comment)


def _optional(name: str, kind: Any, comment: str) -> Column[Any]:
    return _column(name, kind, comment, nullable=True)


def _belongs_to(table: str, columns: dict[str, str]) -> ForeignKeyConstraint:
    """Make a foreign key whose rows are deleted with the row they refer to."""
    return ForeignKeyConstraint(list(columns), [f"{table}.{target}" for target in columns.values()], ondelete="CASCADE")


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})", name=column)


study = Table(
    "study",
    metadata,
    _column("id", Integer, "number of the study in this database"),
    _column("name", FreeString(200), "name a person uses; unique"),
    _column("uuid", String(36), "identity that survives a rename or a copy to another database"),
    _column("spec", FreeJson, "the sweep spec with every default filled in"),
    _column("seeds", Integer, "seeds wanted per configuration; may be raised later, never lowered"),
    _column("created_at", UtcDateTime, "when the study was created, UTC"),
    _column("driver_seconds", Double, "wall time all drivers of this study have spent, s; what an hours budget counts"),
    _optional("lease_owner", String(64), "token of the one driver that may write trials; NULL: nobody drives"),
    _optional("lease_host", FreeString(255), "machine of that driver"),
    _optional("lease_pid", Integer, "process of that driver"),
    _optional("lease_until", Double, "when the lease ends unless renewed, seconds since 1970 by the database's clock"),
    _optional(
        "progress",
        FreeJson,
        "tasks finished of each running trial: number -> [finished, in all], over its seeds; NULL: nothing runs",
    ),
    _column("stop_requested", Boolean, "somebody asked the driver to stop after the running trials"),
    _optional("archived_at", UtcDateTime, "when it was put away, UTC; hnet study ls leaves it out; NULL: it was not"),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("name"),
    comment="One hyperparameter sweep.",
)

study_tag = Table(
    "study_tag",
    metadata,
    _column("study_id", Integer, "the study"),
    _column("tag", FreeString(50), "a word somebody gave the study to find it by"),
    PrimaryKeyConstraint("study_id", "tag"),
    _belongs_to("study", {"study_id": "id"}),
    comment="What people call a study besides its name.",
    sqlite_with_rowid=False,
)

study_note = Table(
    "study_note",
    metadata,
    _column("study_id", Integer, "the study"),
    _column("text", FreeText, "the note as typed; shown as plain text"),
    _column("written_at", UtcDateTime, "when it was last changed, UTC"),
    PrimaryKeyConstraint("study_id"),
    _belongs_to("study", {"study_id": "id"}),
    comment="A note that somebody wrote on a study.",
)

launch = Table(
    "launch",
    metadata,
    _column("id", Integer, "number of the launch in this database"),
    _column("study_id", Integer, "the study that was driven"),
    _column("started_at", UtcDateTime, "when the driver started, UTC"),
    _optional("git_commit", String(64), "commit the code was run from; NULL outside a git checkout"),
    _optional("git_dirty", Boolean, "tracked files differed from that commit"),
    _optional("packages", FreeJson, "version of each package that matters to a result"),
    _optional("host", FreeString(255), "machine of the driver"),
    _optional("device", FreeString(100), "device asked for or found, such as cpu or NVIDIA H100"),
    _optional("threads", Integer, "CPU threads of each training process"),
    _optional("data_checksum", String(64), "sha256 of the training data, 16 hex digits"),
    _optional("command_line", FreeText, "command that started the driver"),
    _optional("spec_text", FreeText, "the spec as its author wrote it"),
    PrimaryKeyConstraint("id"),
    _belongs_to("study", {"study_id": "id"}),
    comment="One start of a driver and all that its results depend on; a continued study has several.",
)

trial = Table(
    "trial",
    metadata,
    _column("study_id", Integer, "the study it belongs to"),
    _column("number", Integer, "Optuna's trial number; with the study the identity of the trial"),
    _column("launch_id", Integer, "launch that ran the last attempt"),
    _column("state", String(10), "RUNNING, COMPLETE, PRUNED, SKIPPED or FAILED; a finished row never changes"),
    _optional("reason", FreeText, "why it was skipped, pruned or failed, one line"),
    _optional("traceback", FreeText, "whole traceback of a failure"),
    _column(
        "attempt",
        Integer,
        "1 at first, one more each time a lost trial is run again; results of older ones are refused",
    ),
    _optional(
        "duplicate_of", Integer, "earlier trial of this study with the same configuration; its runs count here too"
    ),
    _column("config", FreeJson, "the whole TrialConfig"),
    _column("config_hash", String(64), "identity of the configuration without seed, device and threads"),
    _column("params", FreeJson, "the searched values by dotted name, such as method.beta_output"),
    _column("measure", String(8), "what the evaluations hold: accuracy in [0, 1] or mse"),
    # All of these are NULL for an impossible combination (SKIPPED), for which nothing is counted.
    _optional("target_weights", BigInteger, "weights of one target network, all heads included"),
    _optional("model_weights", BigInteger, "all weights needed to run every task after the last one"),
    _optional("hypernet_weights", BigInteger, "weights of the hypernetwork with its embeddings; 0 where there is none"),
    _optional("weights_per_task", BigInteger, "weights one further task adds to model_weights"),
    _optional("trained_weights", BigInteger, "those of model_weights that training changes in any task"),
    _optional("mask_bits", BigInteger, "bits of the masks the model stores, all tasks together"),
    _optional("memory_bytes", BigInteger, "bytes kept from task to task only to learn further ones"),
    _optional("inference_multiply_adds", BigInteger, "multiply-adds to classify one input with the weights at hand"),
    _optional("generation_multiply_adds", BigInteger, "multiply-adds to make the weights of one task ready"),
    _column("created_at", UtcDateTime, "when it was first started, UTC"),
    _optional("finished_at", UtcDateTime, "when it left RUNNING, UTC"),
    PrimaryKeyConstraint("study_id", "number"),
    _belongs_to("study", {"study_id": "id"}),
    ForeignKeyConstraint(["launch_id"], ["launch.id"]),
    ForeignKeyConstraint(["study_id", "duplicate_of"], ["trial.study_id", "trial.number"]),
    _one_of("state", STATES),
    _one_of("measure", ("accuracy", "mse")),
    # Counting by state and finding what changed read this instead of the rows, which hold whole configurations.
    Index("ix_trial_state", "study_id", "state", "finished_at", "attempt", "duplicate_of"),
    comment="One configuration of a study. Its results are in run, one row per seed.",
)

trial_note = Table(
    "trial_note",
    metadata,
    _column("study_id", Integer, "the study"),
    _column("number", Integer, "the trial"),
    _column("text", FreeText, "the note as typed; shown as plain text"),
    _column("written_at", UtcDateTime, "when it was last changed, UTC"),
    PrimaryKeyConstraint("study_id", "number"),
    _belongs_to("trial", {"study_id": "study_id", "number": "number"}),
    comment="A note that somebody wrote on a trial.",
    sqlite_with_rowid=False,
)

run = Table(
    "run",
    metadata,
    _column("id", Integer, "number of the run in this database"),
    _column("study_id", Integer, "the study of its trial"),
    _column("number", Integer, "its trial"),
    _column("seed", BigInteger, "seed of initial weights, data order and tasks"),
    _column("attempt", Integer, "attempt of the trial that produced it"),
    _column("n_tasks", Integer, "tasks in the stream, T"),
    _column("seconds", Double, "training time over all tasks, evaluation excluded, s; 0: not known (imported)"),
    _column("peak_memory_mib", Double, "highest resident memory of the training process, MiB; 0: not known (imported)"),
    _column("device", FreeString(100), "where it ran, such as cpu or NVIDIA H100"),
    _column("threads", Integer, "CPU threads of the training process"),
    _column("data_checksum", String(64), "sha256 of the data it was trained on, 16 hex digits"),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("study_id", "number", "seed"),
    _belongs_to("trial", {"study_id": "study_id", "number": "number"}),
    comment="One finished training run: one trial with one seed.",
)

evaluation = Table(
    "evaluation",
    metadata,
    _column("run_id", Integer, "the run that was evaluated"),
    _column(
        "split",
        String(20),
        "test (for reporting) or validation (for selection), both by the rule of the scenario; on the test split also "
        "known_task and inferred_task, the measure with the task known and inferred, and task_inference, the share of "
        "inputs whose task was inferred right; gradient_cosine, the cosine of the gradients of loss and regulariser in "
        "the training of a task",
    ),
    _column("after_task", Integer, "tasks trained so far, 1 to T; 0 is the untrained model (test split only)"),
    _column("on_task", Integer, "task it was evaluated on, 1 to T"),
    _column(
        "value",
        Double,
        "the measure of the trial: accuracy in [0, 1] or mse; a share for task_inference, a cosine for gradient_cosine",
    ),
    PrimaryKeyConstraint("run_id", "split", "after_task", "on_task"),
    _belongs_to("run", {"run_id": "id"}),
    _one_of("split", MATRICES),
    comment="The matrices of each run in long form. A pair of tasks that was not evaluated has no row.",
    # A row is its key and one value: without a rowid the key is the table, which halves the file.
    sqlite_with_rowid=False,
)

task_time = Table(
    "task_time",
    metadata,
    _column("run_id", Integer, "the run"),
    _column("task", Integer, "task that was trained, 1 to T"),
    _column("seconds", Double, "training time of this task, evaluation excluded, s; a resumed task counts once"),
    PrimaryKeyConstraint("run_id", "task"),
    _belongs_to("run", {"run_id": "id"}),
    comment="How long each task of a run took to train.",
    sqlite_with_rowid=False,
)

run_summary = Table(
    "run_summary",
    metadata,
    _column("run_id", Integer, "the run"),
    *(_optional(name, Double, f"{name} of this run") for name in MATRIX_METRICS),
    PrimaryKeyConstraint("run_id"),
    _belongs_to("run", {"run_id": "id"}),
    comment="The metrics of each run as derived from its evaluations; what each one is: see the view run_metrics.",
)

trial_summary = Table(
    "trial_summary",
    metadata,
    _column("study_id", Integer, "the study"),
    _column("number", Integer, "the trial that was trained; a duplicate of it has no row of its own"),
    _column("n", Integer, "finished seeds"),
    *(
        _optional(f"{name}{bound}", Double, f"{comment} {name}")
        for name in VARYING
        for bound, comment in (
            ("", "mean over seeds of"),
            ("_low", "lower end of the 95 % t interval of"),
            ("_high", "upper end of the 95 % t interval of"),
        )
    ),
    PrimaryKeyConstraint("study_id", "number"),
    _belongs_to("trial", {"study_id": "study_id", "number": "number"}),
    comment="The metrics of each trial over its seeds; NULL where one is not defined, no bounds from one seed.",
    sqlite_with_rowid=False,
)

benchmark = Table(
    "benchmark",
    metadata,
    _column("name", String(100), "of the paper; its tables are NAME:TABLE"),
    _column("content", Text, "the YAML file: tables, configurations, what measures what"),
    _column("cells", Text, "the CSV file: the published numbers"),
    _column("added_at", UtcDateTime, "when it was added or replaced, UTC"),
    PrimaryKeyConstraint("name"),
    comment="Published tables added with hnet benchmark add, beside those that come with hnet.",
)
