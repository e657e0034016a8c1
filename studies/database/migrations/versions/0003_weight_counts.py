"""Count what is trained, stored as bits, kept for learning, and computed; leave counts out where nothing was counted.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NEW = {
    "trained_weights": "those of model_weights that training changes in any task",
    "mask_bits": "bits of the masks the model stores, all tasks together",
    "memory_bytes": "bytes kept from task to task only to learn further ones",
    "inference_multiply_adds": "multiply-adds to classify one input with the weights at hand",
    "generation_multiply_adds": "multiply-adds to make the weights of one task ready",
}
NOW_OPTIONAL = {
    "target_weights": "weights of one target network, all heads included",
    "model_weights": "all weights needed to run every task after the last one",
    "hypernet_weights": "weights of the hypernetwork with its embeddings; 0 where there is none",
    "weights_per_task": "weights one further task adds to model_weights",
}


def upgrade() -> None:
    for name, comment in NEW.items():
        op.add_column("trial", sa.Column(name, sa.BigInteger(), nullable=True, comment=comment))
    # True of every method there was; what it takes to compute was not counted then and stays NULL.
    op.execute("UPDATE trial SET trained_weights = model_weights, mask_bits = 0, memory_bytes = 0")
    for name, comment in NOW_OPTIONAL.items():
        if op.get_bind().dialect.name == "sqlite":
            _replace(name, comment)
        else:
            op.alter_column("trial", name, existing_type=sa.BigInteger(), nullable=True)


def _replace(name: str, comment: str) -> None:
    """SQLite cannot drop NOT NULL, and rebuilding the table would take the rows that belong to it along."""
    op.add_column("trial", sa.Column("optional", sa.BigInteger(), nullable=True, comment=comment))
    op.execute(f"UPDATE trial SET optional = {name}")
    op.execute(f"ALTER TABLE trial DROP COLUMN {name}")
    op.execute(f"ALTER TABLE trial RENAME COLUMN optional TO {name}")
