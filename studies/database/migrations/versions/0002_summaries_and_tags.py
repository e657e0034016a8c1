"""Tags and an archive for studies; metrics kept beside the runs they are derived from."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column(
        "study",
        sa.Column(
            "archived_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when it was put away, UTC; hnet study ls leaves it out; NULL: it was not",
        ),
    )
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps no comments
        known = "0: not known (imported)"
        op.alter_column("run", "seconds", comment=f"training time over all tasks, evaluation excluded, s; {known}")
        op.alter_column(
            "run", "peak_memory_mib", comment=f"highest resident memory of the training process, MiB; {known}"
        )
    op.create_table(
        "study_tag",
        sa.Column("study_id", sa.Integer(), nullable=False, comment="the study"),
        sa.Column("tag", sa.String(length=50), nullable=False, comment="a word somebody gave the study to find it by"),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_study_tag_study"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("study_id", "tag", name=op.f("pk_study_tag")),
        comment="What people call a study besides its name.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_summary",
        sa.Column("run_id", sa.Integer(), nullable=False, comment="the run"),
        sa.Column("final_accuracy", sa.Double(), nullable=True, comment="final_accuracy of this run"),
        sa.Column("during_accuracy", sa.Double(), nullable=True, comment="during_accuracy of this run"),
        sa.Column(
            "average_incremental_accuracy",
            sa.Double(),
            nullable=True,
            comment="average_incremental_accuracy of this run",
        ),
        sa.Column(
            "validation_final_accuracy", sa.Double(), nullable=True, comment="validation_final_accuracy of this run"
        ),
        sa.Column("forgetting", sa.Double(), nullable=True, comment="forgetting of this run"),
        sa.Column("forgetting_first", sa.Double(), nullable=True, comment="forgetting_first of this run"),
        sa.Column("forgetting_mammoth", sa.Double(), nullable=True, comment="forgetting_mammoth of this run"),
        sa.Column("backward_transfer", sa.Double(), nullable=True, comment="backward_transfer of this run"),
        sa.Column("forward_transfer", sa.Double(), nullable=True, comment="forward_transfer of this run"),
        sa.Column("final_mse", sa.Double(), nullable=True, comment="final_mse of this run"),
        sa.Column("during_mse", sa.Double(), nullable=True, comment="during_mse of this run"),
        sa.Column("validation_final_mse", sa.Double(), nullable=True, comment="validation_final_mse of this run"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_summary_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run_summary")),
        comment="The metrics of each run as derived from its evaluations; what each one is: see the view run_metrics.",
    )
    op.create_table(
        "trial_summary",
        sa.Column("study_id", sa.Integer(), nullable=False, comment="the study"),
        sa.Column(
            "number",
            sa.Integer(),
            nullable=False,
            comment="the trial that was trained; a duplicate of it has no row of its own",
        ),
        sa.Column("n", sa.Integer(), nullable=False, comment="finished seeds"),
        sa.Column("final_accuracy", sa.Double(), nullable=True, comment="mean over seeds of final_accuracy"),
        sa.Column(
            "final_accuracy_low",
            sa.Double(),
            nullable=True,
            comment="lower end of the 95 % t interval of final_accuracy",
        ),
        sa.Column(
            "final_accuracy_high",
            sa.Double(),
            nullable=True,
            comment="upper end of the 95 % t interval of final_accuracy",
        ),
        sa.Column("during_accuracy", sa.Double(), nullable=True, comment="mean over seeds of during_accuracy"),
        sa.Column(
            "during_accuracy_low",
            sa.Double(),
            nullable=True,
            comment="lower end of the 95 % t interval of during_accuracy",
        ),
        sa.Column(
            "during_accuracy_high",
            sa.Double(),
            nullable=True,
            comment="upper end of the 95 % t interval of during_accuracy",
        ),
        sa.Column(
            "average_incremental_accuracy",
            sa.Double(),
            nullable=True,
            comment="mean over seeds of average_incremental_accuracy",
        ),
        sa.Column(
            "average_incremental_accuracy_low",
            sa.Double(),
            nullable=True,
            comment="lower end of the 95 % t interval of average_incremental_accuracy",
        ),
        sa.Column(
            "average_incremental_accuracy_high",
            sa.Double(),
            nullable=True,
            comment="upper end of the 95 % t interval of average_incremental_accuracy",
        ),
        sa.Column(
            "validation_final_accuracy",
            sa.Double(),
            nullable=True,
            comment="mean over seeds of validation_final_accuracy",
        ),
        sa.Column(
            "validation_final_accuracy_low",
            sa.Double(),
            nullable=True,
            comment="lower end of the 95 % t interval of validation_final_accuracy",
        ),
        sa.Column(
            "validation_final_accuracy_high",
            sa.Double(),
            nullable=True,
            comment="upper end of the 95 % t interval of validation_final_accuracy",
        ),
        sa.Column("forgetting", sa.Double(), nullable=True, comment="mean over seeds of forgetting"),
        sa.Column(
            "forgetting_low", sa.Double(), nullable=True, comment="lower end of the 95 % t interval of forgetting"
        ),
        sa.Column(
            "forgetting_high", sa.Double(), nullable=True, comment="upper end of the 95 % t interval of forgetting"
        ),
        sa.Column("forgetting_first", sa.Double(), nullable=True, comment="mean over seeds of forgetting_first"),
        sa.Column(
            "forgetting_first_low",
            sa.Double(),
            nullable=True,
            comment="lower end of the 95 % t interval of forgetting_first",
        ),
        sa.Column(
            "forgetting_first_high",
            sa.Double(),
            nullable=True,
            comment="upper end of the 95 % t interval of forgetting_first",
        ),
        sa.Column("forgetting_mammoth", sa.Double(), nullable=True, comment="mean over seeds of forgetting_mammoth"),
        sa.Column(
            "forgetting_mammoth_low",
            sa.Double(),
            nullable=True,
            comment="lower end of the 95 % t interval of forgetting_mammoth",
        ),
        sa.Column(
            "forgetting_mammoth_high",
            sa.Double(),
            nullable=True,
            comment="upper end of the 95 % t interval of forgetting_mammoth",
        ),
        sa.Column("backward_transfer", sa.Double(), nullable=True, comment="mean over seeds of backward_transfer"),
        sa.Column(
            "backward_transfer_low",
            sa.Double(),
            nullable=True,
            comment="lower end of the 95 % t interval of backward_transfer",
        ),
        sa.Column(
            "backward_transfer_high",
            sa.Double(),
            nullable=True,
            comment="upper end of the 95 % t interval of backward_transfer",
        ),
        sa.Column("forward_transfer", sa.Double(), nullable=True, comment="mean over seeds of forward_transfer"),
        sa.Column(
            "forward_transfer_low",
            sa.Double(),
            nullable=True,
            comment="lower end of the 95 % t interval of forward_transfer",
        ),
        sa.Column(
            "forward_transfer_high",
            sa.Double(),
            nullable=True,
            comment="upper end of the 95 % t interval of forward_transfer",
        ),
        sa.Column("final_mse", sa.Double(), nullable=True, comment="mean over seeds of final_mse"),
        sa.Column("final_mse_low", sa.Double(), nullable=True, comment="lower end of the 95 % t interval of final_mse"),
        sa.Column(
            "final_mse_high", sa.Double(), nullable=True, comment="upper end of the 95 % t interval of final_mse"
        ),
        sa.Column("during_mse", sa.Double(), nullable=True, comment="mean over seeds of during_mse"),
        sa.Column(
            "during_mse_low", sa.Double(), nullable=True, comment="lower end of the 95 % t interval of during_mse"
        ),
        sa.Column(
            "during_mse_high", sa.Double(), nullable=True, comment="upper end of the 95 % t interval of during_mse"
        ),
        sa.Column(
            "validation_final_mse", sa.Double(), nullable=True, comment="mean over seeds of validation_final_mse"
        ),
        sa.Column(
            "validation_final_mse_low",
            sa.Double(),
            nullable=True,
            comment="lower end of the 95 % t interval of validation_final_mse",
        ),
        sa.Column(
            "validation_final_mse_high",
            sa.Double(),
            nullable=True,
            comment="upper end of the 95 % t interval of validation_final_mse",
        ),
        sa.Column("seconds", sa.Double(), nullable=True, comment="mean over seeds of seconds"),
        sa.Column("seconds_low", sa.Double(), nullable=True, comment="lower end of the 95 % t interval of seconds"),
        sa.Column("seconds_high", sa.Double(), nullable=True, comment="upper end of the 95 % t interval of seconds"),
        sa.Column("peak_memory_mib", sa.Double(), nullable=True, comment="mean over seeds of peak_memory_mib"),
        sa.Column(
            "peak_memory_mib_low",
            sa.Double(),
            nullable=True,
            comment="lower end of the 95 % t interval of peak_memory_mib",
        ),
        sa.Column(
            "peak_memory_mib_high",
            sa.Double(),
            nullable=True,
            comment="upper end of the 95 % t interval of peak_memory_mib",
        ),
        sa.ForeignKeyConstraint(
            ["study_id", "number"],
            ["trial.study_id", "trial.number"],
            name=op.f("fk_trial_summary_trial"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("study_id", "number", name=op.f("pk_trial_summary")),
        comment="The metrics of each trial over its seeds; NULL where one is not defined, no bounds from one seed.",
        sqlite_with_rowid=False,
    )
