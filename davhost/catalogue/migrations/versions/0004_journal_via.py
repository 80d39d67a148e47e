"""What a change came through: the label of a device, or a browser."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what happened before is of no known device."""
    op.add_column("journal", sa.Column("via", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("journal", "via")
