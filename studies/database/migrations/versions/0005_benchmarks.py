"""Keep published tables of one's own, for hnet benchmark.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "benchmark",
        sa.Column("name", sa.String(100), nullable=False, comment="of the paper; its tables are NAME:TABLE"),
        sa.Column(
            "content", sa.Text(), nullable=False, comment="the YAML file: tables, configurations, what measures what"
        ),
        sa.Column("cells", sa.Text(), nullable=False, comment="the CSV file: the published numbers"),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False, comment="when it was added or replaced, UTC"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_benchmark")),
        comment="Published tables added with hnet benchmark add, beside those that come with hnet.",
    )
