"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "boot",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("offset_seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_boot")),
    )
    op.create_table(
        "duty",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_duty")),
    )
    op.create_table(
        "space",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("root_id", ID, nullable=True),
        sa.Column("quota_bytes", sa.BigInteger(), nullable=True),
        sa.Column("used_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("scratch_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rules", sa.Text(), nullable=True),
        sa.Column("admitted", sa.Text(), nullable=False),
        sa.Column("journal_seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("burst_us", sa.BigInteger(), nullable=True),
        sa.Column("burst_changes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("braked_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_space")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "throttle",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("wrong", sa.Float(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttle")),
    )
    op.create_table(
        "blob",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("space_id", ID, nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("dead", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["space_id"], ["space.id"], name=op.f("fk_blob_space_id_space")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_blob")),
    )
    op.create_index(
        "ix_blob_dead",
        "blob",
        ["key"],
        unique=False,
        sqlite_where=sa.text("dead"),
        postgresql_where=sa.text("dead"),
    )
    op.create_index(op.f("ix_blob_space_id"), "blob", ["space_id"], unique=False)
    op.create_table(
        "journal",
        sa.Column("space_id", ID, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("verb", sa.String(length=16), nullable=False),
        sa.Column("resource_id", ID, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["space_id"], ["space.id"], name=op.f("fk_journal_space_id_space")),
        sa.PrimaryKeyConstraint("space_id", "seq", name=op.f("pk_journal")),
    )
    op.create_table(
        "refusal",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("space_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("verb", sa.String(length=16), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["space_id"], ["space.id"], name=op.f("fk_refusal_space_id_space")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusal")),
    )
    op.create_index(op.f("ix_refusal_space_id"), "refusal", ["space_id"], unique=False)
    op.create_table(
        "user",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("admin", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("disabled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("space_id", ID, nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["space_id"], ["space.id"], name=op.f("fk_user_space_id_space")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("email_key", name=op.f("uq_user_email_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "known_address",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_known_address_user_id_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "address", name=op.f("pk_known_address")),
    )
    op.create_table(
        "lock",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("space_id", ID, nullable=False),
        sa.Column("path", BYTEWISE, nullable=False),
        sa.Column("exclusive", sa.Boolean(), nullable=False),
        sa.Column("infinite", sa.Boolean(), nullable=False),
        sa.Column("owner_xml", sa.Text(), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("timeout_seconds", sa.Integer(), nullable=False),
        sa.Column("expires", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["space_id"], ["space.id"], name=op.f("fk_lock_space_id_space")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_lock_user_id_user")),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_lock")),
    )
    op.create_index(op.f("ix_lock_expires"), "lock", ["expires"], unique=False)
    op.create_index(op.f("ix_lock_space_id"), "lock", ["space_id"], unique=False)
    op.create_index(op.f("ix_lock_user_id"), "lock", ["user_id"], unique=False)
    op.create_table(
        "resource",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("space_id", ID, nullable=False),
        sa.Column("parent_id", ID, nullable=True),
        sa.Column("name", BYTEWISE, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("blob_key", sa.Text(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("modified_us", sa.BigInteger(), nullable=False),
        sa.Column("touched_us", sa.BigInteger(), nullable=False),
        sa.Column("home_parent_id", ID, nullable=True),
        sa.Column("home_name", BYTEWISE, nullable=True),
        sa.Column("departed_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["blob_key"], ["blob.key"], name=op.f("fk_resource_blob_key_blob")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["resource.id"], name=op.f("fk_resource_parent_id_resource")
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["space.id"], name=op.f("fk_resource_space_id_space")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resource")),
        sa.UniqueConstraint("parent_id", "name", name=op.f("uq_resource_parent_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_resource_blob_key"), "resource", ["blob_key"], unique=False)
    op.create_index(
        "ix_resource_departed",
        "resource",
        ["departed_us"],
        unique=False,
        sqlite_where=sa.text("departed_us IS NOT NULL"),
        postgresql_where=sa.text("departed_us IS NOT NULL"),
    )
    op.create_index(
        "ix_resource_home",
        "resource",
        ["home_parent_id", "home_name"],
        unique=False,
        sqlite_where=sa.text("home_parent_id IS NOT NULL"),
        postgresql_where=sa.text("home_parent_id IS NOT NULL"),
    )
    op.create_index(
        "ix_resource_scratch",
        "resource",
        ["touched_us"],
        unique=False,
        sqlite_where=sa.text("kind = 'scratch'"),
        postgresql_where=sa.text("kind = 'scratch'"),
    )
    op.create_index(op.f("ix_resource_space_id"), "resource", ["space_id"], unique=False)
    op.create_table(
        "property",
        sa.Column("resource_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("xml", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_id"],
            ["resource.id"],
            name=op.f("fk_property_resource_id_resource"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("resource_id", "name", name=op.f("pk_property")),
    )
    op.create_table(
        "version",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("resource_id", ID, nullable=False),
        sa.Column("blob_key", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=True),
        sa.Column("modified_us", sa.BigInteger(), nullable=False),
        sa.Column("replaced_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["blob_key"], ["blob.key"], name=op.f("fk_version_blob_key_blob")),
        sa.ForeignKeyConstraint(
            ["resource_id"],
            ["resource.id"],
            name=op.f("fk_version_resource_id_resource"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_version")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_version_blob_key"), "version", ["blob_key"], unique=False)
    op.create_index(op.f("ix_version_replaced_us"), "version", ["replaced_us"], unique=False)
    op.create_index("ix_version_resource_id", "version", ["resource_id", "id"], unique=False)


def downgrade() -> None:
    """Drop all tables, with everything in them."""
    op.drop_table("version")
    op.drop_table("property")
    op.drop_table("resource")
    op.drop_table("lock")
    op.drop_table("known_address")
    op.drop_table("user")
    op.drop_table("refusal")
    op.drop_table("journal")
    op.drop_table("blob")
    op.drop_table("throttle")
    op.drop_table("space")
    op.drop_table("duty")
    op.drop_table("boot")
