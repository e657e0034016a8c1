"""Tasks finished of running trials, written with the lease of their driver.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "study",
        sa.Column(
            "progress",
            sa.JSON(),
            nullable=True,
            comment="tasks finished of each running trial: number -> [finished, in all], over its seeds; "
            "NULL: nothing runs",
        ),
    )
