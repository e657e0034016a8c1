"""Keep the cosines of the gradients of loss and regulariser, beside the matrices of a run.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SPLITS = "split IN ('test', 'validation', 'known_task', 'inferred_task', 'task_inference', 'gradient_cosine')"
SPLIT = (
    "test (for reporting) or validation (for selection), both by the rule of the scenario; on the test split also "
    "known_task and inferred_task, the measure with the task known and inferred, and task_inference, the share of "
    "inputs whose task was inferred right; gradient_cosine, the cosine of the gradients of loss and regulariser in "
    "the training of a task"
)
VALUE = "the measure of the trial: accuracy in [0, 1] or mse; a share for task_inference, a cosine for gradient_cosine"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _rebuild()
        return
    op.drop_constraint(op.f("ck_evaluation_split"), "evaluation")
    op.alter_column("evaluation", "split", comment=SPLIT)
    op.alter_column("evaluation", "value", comment=VALUE)
    op.create_check_constraint(op.f("ck_evaluation_split"), "evaluation", SPLITS)


def _rebuild() -> None:
    """SQLite cannot change a constraint: the rows move to a new table; no other table refers to them."""
    op.rename_table("evaluation", "earlier_evaluation")
    op.create_table(
        "evaluation",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("split", sa.String(20), nullable=False),
        sa.Column("after_task", sa.Integer(), nullable=False),
        sa.Column("on_task", sa.Integer(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "split", "after_task", "on_task", name=op.f("pk_evaluation")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_evaluation_run_id_run"), ondelete="CASCADE"),
        sa.CheckConstraint(SPLITS, name=op.f("ck_evaluation_split")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO evaluation (run_id, split, after_task, on_task, value) "
        "SELECT run_id, split, after_task, on_task, value FROM earlier_evaluation"
    )
    op.drop_table("earlier_evaluation")
