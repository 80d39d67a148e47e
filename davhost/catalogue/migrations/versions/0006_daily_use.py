"""How much spaces held day by day, and when the server's own work was done last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "daily_use",
        sa.Column("space_id", ID, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("used_bytes", sa.BigInteger(), nullable=False),
        sa.Column("kept_bytes", sa.BigInteger(), nullable=False),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["space_id"], ["space.id"], name=op.f("fk_daily_use_space_id_space")
        ),
        sa.PrimaryKeyConstraint("space_id", "day", name=op.f("pk_daily_use")),
    )
    op.create_table(
        "done",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_done")),
    )


def downgrade() -> None:
    """Drop the tables; the growth of the past is forgotten."""
    op.drop_table("done")
    op.drop_table("daily_use")
