"""The first schema: study, launch, trial, run, evaluation, task_time."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "study",
        sa.Column("id", sa.Integer(), nullable=False, comment="number of the study in this database"),
        sa.Column("name", sa.String(length=200), nullable=False, comment="name a person uses; unique"),
        sa.Column(
            "uuid",
            sa.String(length=36),
            nullable=False,
            comment="identity that survives a rename or a copy to another database",
        ),
        sa.Column("spec", sa.JSON(), nullable=False, comment="the sweep spec with every default filled in"),
        sa.Column(
            "seeds",
            sa.Integer(),
            nullable=False,
            comment="seeds wanted per configuration; may be raised later, never lowered",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, comment="when the study was created, UTC"),
        sa.Column(
            "driver_seconds",
            sa.Double(),
            nullable=False,
            comment="wall time all drivers of this study have spent, s; what an hours budget counts",
        ),
        sa.Column(
            "lease_owner",
            sa.String(length=64),
            nullable=True,
            comment="token of the one driver that may write trials; NULL: nobody drives",
        ),
        sa.Column("lease_host", sa.String(length=255), nullable=True, comment="machine of that driver"),
        sa.Column("lease_pid", sa.Integer(), nullable=True, comment="process of that driver"),
        sa.Column(
            "lease_until",
            sa.Double(),
            nullable=True,
            comment="when the lease ends unless renewed, seconds since 1970 by the database's clock",
        ),
        sa.Column(
            "stop_requested",
            sa.Boolean(),
            nullable=False,
            comment="somebody asked the driver to stop after the running trials",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study")),
        sa.UniqueConstraint("name", name=op.f("uq_study_name")),
        comment="One hyperparameter sweep.",
    )
    op.create_table(
        "launch",
        sa.Column("id", sa.Integer(), nullable=False, comment="number of the launch in this database"),
        sa.Column("study_id", sa.Integer(), nullable=False, comment="the study that was driven"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="when the driver started, UTC"),
        sa.Column(
            "git_commit",
            sa.String(length=64),
            nullable=True,
            comment="commit the code was run from; NULL outside a git checkout",
        ),
        sa.Column("git_dirty", sa.Boolean(), nullable=True, comment="tracked files differed from that commit"),
        sa.Column("packages", sa.JSON(), nullable=True, comment="version of each package that matters to a result"),
        sa.Column("host", sa.String(length=255), nullable=True, comment="machine of the driver"),
        sa.Column(
            "device",
            sa.String(length=100),
            nullable=True,
            comment="device asked for or found, such as cpu or NVIDIA H100",
        ),
        sa.Column("threads", sa.Integer(), nullable=True, comment="CPU threads of each training process"),
        sa.Column(
            "data_checksum", sa.String(length=64), nullable=True, comment="sha256 of the training data, 16 hex digits"
        ),
        sa.Column("command_line", sa.Text(), nullable=True, comment="command that started the driver"),
        sa.Column("spec_text", sa.Text(), nullable=True, comment="the spec as its author wrote it"),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_launch_study"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_launch")),
        comment="One start of a driver and all that its results depend on; a continued study has several.",
    )
    op.create_table(
        "trial",
        sa.Column("study_id", sa.Integer(), nullable=False, comment="the study it belongs to"),
        sa.Column(
            "number",
            sa.Integer(),
            nullable=False,
            comment="Optuna's trial number; with the study the identity of the trial",
        ),
        sa.Column("launch_id", sa.Integer(), nullable=False, comment="launch that ran the last attempt"),
        sa.Column(
            "state",
            sa.String(length=10),
            nullable=False,
            comment="RUNNING, COMPLETE, PRUNED, SKIPPED or FAILED; a finished row never changes",
        ),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it was skipped, pruned or failed, one line"),
        sa.Column("traceback", sa.Text(), nullable=True, comment="whole traceback of a failure"),
        sa.Column(
            "attempt",
            sa.Integer(),
            nullable=False,
            comment="1 at first, one more each time a lost trial is run again; results of older ones are refused",
        ),
        sa.Column(
            "duplicate_of",
            sa.Integer(),
            nullable=True,
            comment="earlier trial of this study with the same configuration; its runs count here too",
        ),
        sa.Column("config", sa.JSON(), nullable=False, comment="the whole TrialConfig"),
        sa.Column(
            "config_hash",
            sa.String(length=64),
            nullable=False,
            comment="identity of the configuration without seed, device and threads",
        ),
        sa.Column(
            "params",
            sa.JSON(),
            nullable=False,
            comment="the searched values by dotted name, such as method.beta_output",
        ),
        sa.Column(
            "measure",
            sa.String(length=8),
            nullable=False,
            comment="what the evaluations hold: accuracy in [0, 1] or mse",
        ),
        sa.Column(
            "target_weights",
            sa.BigInteger(),
            nullable=False,
            comment="weights of one target network, all heads included",
        ),
        sa.Column(
            "model_weights",
            sa.BigInteger(),
            nullable=False,
            comment="all weights needed to run every task after the last one",
        ),
        sa.Column(
            "hypernet_weights",
            sa.BigInteger(),
            nullable=False,
            comment="weights of the hypernetwork with its embeddings; 0 where there is none",
        ),
        sa.Column(
            "weights_per_task",
            sa.BigInteger(),
            nullable=False,
            comment="weights one further task adds to model_weights",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, comment="when it was first started, UTC"),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True, comment="when it left RUNNING, UTC"),
        sa.CheckConstraint("measure IN ('accuracy', 'mse')", name=op.f("ck_trial_measure")),
        sa.CheckConstraint(
            "state IN ('RUNNING', 'COMPLETE', 'PRUNED', 'SKIPPED', 'FAILED')", name=op.f("ck_trial_state")
        ),
        sa.ForeignKeyConstraint(["launch_id"], ["launch.id"], name=op.f("fk_trial_launch")),
        sa.ForeignKeyConstraint(
            ["study_id", "duplicate_of"], ["trial.study_id", "trial.number"], name=op.f("fk_trial_trial")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_trial_study"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("study_id", "number", name=op.f("pk_trial")),
        comment="One configuration of a study. Its results are in run, one row per seed.",
    )
    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), nullable=False, comment="number of the run in this database"),
        sa.Column("study_id", sa.Integer(), nullable=False, comment="the study of its trial"),
        sa.Column("number", sa.Integer(), nullable=False, comment="its trial"),
        sa.Column("seed", sa.BigInteger(), nullable=False, comment="seed of initial weights, data order and tasks"),
        sa.Column("attempt", sa.Integer(), nullable=False, comment="attempt of the trial that produced it"),
        sa.Column("n_tasks", sa.Integer(), nullable=False, comment="tasks in the stream, T"),
        sa.Column(
            "seconds", sa.Double(), nullable=False, comment="training time over all tasks, evaluation excluded, s"
        ),
        sa.Column(
            "peak_memory_mib",
            sa.Double(),
            nullable=False,
            comment="highest resident memory of the training process, MiB",
        ),
        sa.Column("device", sa.String(length=100), nullable=False, comment="where it ran, such as cpu or NVIDIA H100"),
        sa.Column("threads", sa.Integer(), nullable=False, comment="CPU threads of the training process"),
        sa.Column(
            "data_checksum",
            sa.String(length=64),
            nullable=False,
            comment="sha256 of the data it was trained on, 16 hex digits",
        ),
        sa.ForeignKeyConstraint(
            ["study_id", "number"], ["trial.study_id", "trial.number"], name=op.f("fk_run_trial"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
        sa.UniqueConstraint("study_id", "number", "seed", name=op.f("uq_run_study_id_number_seed")),
        comment="One finished training run: one trial with one seed.",
    )
    op.create_table(
        "evaluation",
        sa.Column("run_id", sa.Integer(), nullable=False, comment="the run that was evaluated"),
        sa.Column(
            "split", sa.String(length=10), nullable=False, comment="test (for reporting) or validation (for selection)"
        ),
        sa.Column(
            "after_task",
            sa.Integer(),
            nullable=False,
            comment="tasks trained so far, 1 to T; 0 is the untrained model (test split only)",
        ),
        sa.Column("on_task", sa.Integer(), nullable=False, comment="task it was evaluated on, 1 to T"),
        sa.Column("value", sa.Double(), nullable=False, comment="the measure of the trial: accuracy in [0, 1] or mse"),
        sa.CheckConstraint("split IN ('test', 'validation')", name=op.f("ck_evaluation_split")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_evaluation_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "split", "after_task", "on_task", name=op.f("pk_evaluation")),
        comment="The matrix of each run in long form. A pair of tasks that was not evaluated has no row.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "task_time",
        sa.Column("run_id", sa.Integer(), nullable=False, comment="the run"),
        sa.Column("task", sa.Integer(), nullable=False, comment="task that was trained, 1 to T"),
        sa.Column(
            "seconds",
            sa.Double(),
            nullable=False,
            comment="training time of this task, evaluation excluded, s; a resumed task counts once",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_task_time_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "task", name=op.f("pk_task_time")),
        comment="How long each task of a run took to train.",
        sqlite_with_rowid=False,
    )
