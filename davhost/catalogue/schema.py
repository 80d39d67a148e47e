"""The tables. Migrations make them; this is what they make.

Wall-clock times are microseconds since 1970 UTC (`_us`). Names and paths are
compared byte by byte on both databases.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: SQLite numbers rows by itself only when the type is exactly INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")

#: Text that both databases order and compare by its bytes.
Bytewise = Text().with_variant(Text(collation="C"), "postgresql")

space = Table(
    "space",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),  # personal
    Column("root_id", Id),  # resource.id; set once the root exists
    Column("quota_bytes", BigInteger),  # NULL: no limit
    Column("used_bytes", BigInteger, nullable=False, server_default=text("0")),
    Column("scratch_bytes", BigInteger, nullable=False, server_default=text("0")),
    Column("rules", Text),  # its own allow-list; NULL: the server's
    Column("admitted", Text, nullable=False),  # what any file in it may end in
    Column("journal_seq", BigInteger, nullable=False, server_default=text("0")),
    # which history the numbers of the journal are of: a restored space has another
    Column("epoch", Text, nullable=False),
    # a burst of changes to files that had been left alone, and when it went too far
    Column("burst_us", BigInteger),
    Column("burst_changes", Integer, nullable=False, server_default=text("0")),
    Column("braked_us", BigInteger),  # not NULL: only for reading
    sqlite_autoincrement=True,
)

user = Table(
    "user",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("email", Text, nullable=False),  # as it was written
    Column("email_key", Text, nullable=False, unique=True),  # NFC and case-folded
    Column("password_hash", Text, nullable=False),
    Column("admin", Boolean, nullable=False, server_default=text("false")),
    Column("disabled", Boolean, nullable=False, server_default=text("false")),
    Column("space_id", Id, ForeignKey("space.id"), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

resource = Table(
    "resource",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("space_id", Id, ForeignKey("space.id"), nullable=False, index=True),
    # NULL: the root of the space, or departed from the tree
    Column("parent_id", Id, ForeignKey("resource.id")),
    Column("name", Bytewise, nullable=False),
    Column("kind", String(16), nullable=False),  # collection, file, scratch
    Column("blob_key", Text, ForeignKey("blob.key"), index=True),  # NULL: no bytes
    Column("size_bytes", BigInteger, nullable=False),
    Column("etag", Text, nullable=False),
    Column("content_type", Text),
    Column("created_us", BigInteger, nullable=False),
    Column("modified_us", BigInteger, nullable=False),
    # the last write, whatever date a client gave the file
    Column("touched_us", BigInteger, nullable=False),
    # where a file belongs that was renamed to a temporary's name or has departed
    Column("home_parent_id", Id),
    Column("home_name", Bytewise),
    Column("departed_us", BigInteger),  # not NULL: out of the tree, restorable
    UniqueConstraint("parent_id", "name"),
    sqlite_autoincrement=True,
)
Index(
    "ix_resource_home",
    resource.c.home_parent_id,
    resource.c.home_name,
    sqlite_where=resource.c.home_parent_id.is_not(None),
    postgresql_where=resource.c.home_parent_id.is_not(None),
)
Index(
    "ix_resource_departed",
    resource.c.departed_us,
    sqlite_where=resource.c.departed_us.is_not(None),
    postgresql_where=resource.c.departed_us.is_not(None),
)
Index(
    "ix_resource_scratch",
    resource.c.touched_us,
    sqlite_where=resource.c.kind == text("'scratch'"),
    postgresql_where=resource.c.kind == text("'scratch'"),
)

blob = Table(
    "blob",
    metadata,
    Column("key", Text, primary_key=True),
    Column("space_id", Id, ForeignKey("space.id"), nullable=False, index=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("dead", Boolean, nullable=False, server_default=text("false")),
)
Index(
    "ix_blob_dead",
    blob.c.key,
    sqlite_where=text("dead"),
    postgresql_where=text("dead"),
)

version = Table(
    "version",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("resource_id", Id, ForeignKey("resource.id", ondelete="CASCADE"), nullable=False),
    Column("blob_key", Text, ForeignKey("blob.key"), nullable=False, index=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("etag", Text, nullable=False),
    Column("content_type", Text),
    Column("modified_us", BigInteger, nullable=False),
    Column("replaced_us", BigInteger, nullable=False, index=True),
    Index("ix_version_resource_id", "resource_id", "id"),
    sqlite_autoincrement=True,
)

dead_property = Table(
    "property",
    metadata,
    Column("resource_id", Id, ForeignKey("resource.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),  # Clark notation
    Column("xml", Text, nullable=False),
)

lock = Table(
    "lock",
    metadata,
    Column("token", Text, primary_key=True),
    # Few in a space, and paths may be longer than an index of PostgreSQL can hold.
    Column("space_id", Id, ForeignKey("space.id"), nullable=False, index=True),
    Column("path", Bytewise, nullable=False),
    Column("exclusive", Boolean, nullable=False),
    Column("infinite", Boolean, nullable=False),
    Column("owner_xml", Text, nullable=False),
    Column("user_id", Id, ForeignKey("user.id"), nullable=False, index=True),
    Column("timeout_seconds", Integer, nullable=False),
    Column("expires", Float, nullable=False, index=True),  # lease clock
    Column("made_us", BigInteger),  # NULL: not known
    Column("via", Text),  # the label of a device, or browser; NULL: not known
)

journal = Table(
    "journal",
    metadata,
    Column("space_id", Id, ForeignKey("space.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at_us", BigInteger, nullable=False),
    Column("user_id", Id, nullable=False),
    Column("verb", String(16), nullable=False),
    Column("resource_id", Id, nullable=False),
    Column("path", Text, nullable=False),
    Column("detail", Text, nullable=False),  # the source path of a rebind
    Column("via", Text),  # the label of a device, or browser; NULL: not known
)

refusal = Table(
    "refusal",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("space_id", Id, ForeignKey("space.id"), nullable=False, index=True),
    Column("user_id", Id, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("verb", String(16), nullable=False),
    Column("path", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

daily_use = Table(
    "daily_use",
    metadata,
    Column("space_id", Id, ForeignKey("space.id"), primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),  # since 1970 UTC
    Column("used_bytes", BigInteger, nullable=False),
    Column("kept_bytes", BigInteger, nullable=False),  # trash and versions
    Column("files", BigInteger, nullable=False),
)

throttle = Table(
    "throttle",
    metadata,
    Column("key", Text, primary_key=True),  # what is counted: address or account
    Column("wrong", Float, nullable=False),  # wrong tries, leaking away with time
    Column("at", Float, nullable=False),  # lease clock
)

known_address = Table(
    "known_address",
    metadata,
    Column("user_id", Id, ForeignKey("user.id", ondelete="CASCADE"), primary_key=True),
    Column("address", Text, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
)

boot = Table(
    "boot",
    metadata,
    Column("id", Text, primary_key=True),  # the kernel's boot id
    Column("offset_seconds", Float, nullable=False),
)

duty = Table(
    "duty",
    metadata,
    Column("name", Text, primary_key=True),  # what one process at a time does
    Column("until", Float, nullable=False),  # lease clock
)

done = Table(
    "done",
    metadata,
    Column("name", Text, primary_key=True),  # what is done again and again
    Column("at_us", BigInteger, nullable=False),  # when it was done last
)

secret = Table(
    "secret",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),  # random; the same for every process
)

web_session = Table(
    "web_session",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("token_hash", String(64), nullable=False, unique=True),  # SHA-256 of the cookie
    Column("user_id", Id, ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_us", BigInteger, nullable=False),
    Column("used_us", BigInteger, nullable=False),  # to within minutes
    Column("used", Float, nullable=False),  # lease clock
    Column("expires", Float, nullable=False, index=True),  # lease clock, used or not
    Column("user_agent", Text, nullable=False),
    Column("address", Text, nullable=False),
    sqlite_autoincrement=True,
)

app_password = Table(
    "app_password",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("user_id", Id, ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("secret_hash", String(64), nullable=False, unique=True),  # SHA-256: it is random
    Column("label", Text, nullable=False),  # the device
    Column("read_only", Boolean, nullable=False),
    # the resource.id of the collection that it is confined to; NULL: the whole home
    Column("root_id", Id),
    Column("created_us", BigInteger, nullable=False),
    Column("used_us", BigInteger),  # to within minutes; NULL: never
    Column("used", Float),  # lease clock
    Column("address", Text),  # of the last use
    sqlite_autoincrement=True,
)

two_step = Table(
    "two_step",
    metadata,
    Column("user_id", Id, ForeignKey("user.id", ondelete="CASCADE"), primary_key=True),
    Column("secret", Text, nullable=False),  # base32, as programs that make codes keep it
    Column("last_step", BigInteger, nullable=False),  # of the last code that was used
)

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("user_id", Id, ForeignKey("user.id", ondelete="CASCADE"), primary_key=True),
    Column("code_hash", String(64), primary_key=True),  # SHA-256: it is random
)

choice = Table(
    "choice",
    metadata,
    # the setting that administrators have chosen another value for: allow
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

type_request = Table(
    "type_request",
    metadata,
    Column("user_id", Id, ForeignKey("user.id", ondelete="CASCADE"), primary_key=True),
    Column("extension", Text, primary_key=True),  # case-folded, without a dot
    Column("asked_us", BigInteger, nullable=False),
    Column("path", Text, nullable=False),  # of a file that was refused
    Column("dismissed", Boolean, nullable=False, server_default=text("false")),
)

ticket = Table(
    "ticket",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("token_hash", String(64), nullable=False, unique=True),  # SHA-256 of the link's token
    Column("kind", String(16), nullable=False),  # invitation, reset
    Column("email", Text),  # an invitation for one address only; NULL: for anyone
    Column("user_id", Id, ForeignKey("user.id", ondelete="CASCADE"), index=True),  # reset: whose
    Column("created_us", BigInteger, nullable=False),
    Column("expires", Float, nullable=False, index=True),  # lease clock
    sqlite_autoincrement=True,
)
