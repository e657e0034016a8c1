"""Notes on studies and trials; an index by which the trials of a study are counted without reading them.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "study_note",
        sa.Column("study_id", sa.Integer(), nullable=False, comment="the study"),
        sa.Column("text", sa.Text(), nullable=False, comment="the note as typed; shown as plain text"),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False, comment="when it was last changed, UTC"),
        sa.ForeignKeyConstraint(["study_id"], ["study.id"], name=op.f("fk_study_note_study"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("study_id", name=op.f("pk_study_note")),
        comment="A note that somebody wrote on a study.",
    )
    op.create_table(
        "trial_note",
        sa.Column("study_id", sa.Integer(), nullable=False, comment="the study"),
        sa.Column("number", sa.Integer(), nullable=False, comment="the trial"),
        sa.Column("text", sa.Text(), nullable=False, comment="the note as typed; shown as plain text"),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False, comment="when it was last changed, UTC"),
        sa.ForeignKeyConstraint(
            ["study_id", "number"],
            ["trial.study_id", "trial.number"],
            name=op.f("fk_trial_note_trial"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("study_id", "number", name=op.f("pk_trial_note")),
        comment="A note that somebody wrote on a trial.",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_trial_state", "trial", ["study_id", "state", "finished_at", "attempt", "duplicate_of"])
