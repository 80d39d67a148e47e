"""Since when a lock is held, and what its holder came through."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of the locks that are held now nothing more is known."""
    op.add_column("lock", sa.Column("made_us", sa.BigInteger(), nullable=True))
    op.add_column("lock", sa.Column("via", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop the columns; the locks stay."""
    op.drop_column("lock", "via")
    op.drop_column("lock", "made_us")
