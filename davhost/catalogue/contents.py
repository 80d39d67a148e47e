"""Rows of blobs, versions and dead properties: what a resource holds."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import (
    BigInteger,
    Text,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    text,
    update,
)

from ..model import Kind, PropertyUpdate, Resource, Stored
from .prepared import Prepared
from .reading import SUBTREE, Reading
from .rows import batches
from .schema import blob, dead_property, resource, version


class ContentWriting(Reading):
    """Keeps and forgets contents, inside a transaction that holds the space's mutex."""

    now_us: int
    #: Keys of blobs that nothing names any more once this is committed.
    dead_keys: list[str]

    def keep_blob(self, stored: Stored | None) -> str | None:
        """Make the row of durable bytes; empty content has none."""
        if stored is None or stored.key is None:
            return None
        self.connection.run(
            _KEEP_BLOB,
            key=stored.key,
            space_id=self.space_id,
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
        )
        return stored.key

    def keep_version(self, target: Resource, new_key: str | None) -> bool:
        """Keep the content that a write is about to replace, unless nothing is replaced.

        Saving programs write the same bytes several times; that is one version.

        Returns:
            Whether the old content still has a name after the write.
        """
        if target.blob_key in (None, new_key):
            return True
        if target.kind is not Kind.FILE:
            return False
        values = {"id": target.id, "new_key": new_key, "replaced_us": self.now_us}
        return self.connection.run(_KEEP_VERSION, **values) > 0

    def erase(self, resource_id: int) -> None:
        """Remove a resource and all below it for good, with versions and properties."""
        keys = self.connection.rows(_BLOBS_BELOW, top=resource_id)
        self.connection.run(_ERASE, top=resource_id)
        self.forget_blobs(key for (key,) in keys)

    def erase_version(self, version_id: int) -> None:
        """Remove one version for good."""
        statement = delete(version).where(version.c.id == version_id).returning(version.c.blob_key)
        self.forget_blobs(self.connection.execute(statement).scalars().all())

    def forget_blobs(self, keys: Iterable[str | None]) -> None:
        """Mark those of *keys* dead that no resource and no version names."""
        for key in sorted({key for key in keys if key is not None}):
            rows = self.connection.rows(_FORGET_BLOB, key=key)
            self.dead_keys.extend(dead for (dead,) in rows)

    def update_properties(self, target: Resource, updates: Iterable[PropertyUpdate]) -> None:
        """Set and remove dead properties in the order of *updates*."""
        for instruction in updates:
            self.connection.run(_DROP_PROPERTY, id=target.id, property_name=instruction.name)
            if instruction.xml is not None:
                values = {"name": instruction.name, "xml": instruction.xml}
                self.connection.run(_ADD_PROPERTY, resource_id=target.id, **values)

    def copy_properties(self, copies: dict[int, int]) -> None:
        """Copy dead properties, by the id of each resource's copy."""
        for ids in batches(list(copies)):
            rows = self.connection.execute(
                select(dead_property).where(dead_property.c.resource_id.in_(ids))
            ).all()
            if rows:
                self.connection.execute(
                    insert(dead_property),
                    [
                        {"resource_id": copies[id_], "name": name, "xml": xml}
                        for id_, name, xml in rows
                    ],
                )


_KEEP_BLOB = Prepared(insert(blob), ["key", "space_id", "size_bytes", "sha256"])

_FORGET_BLOB = Prepared(
    update(blob)
    .where(
        blob.c.key == bindparam("key"),
        ~exists().where(resource.c.blob_key == blob.c.key),
        ~exists().where(version.c.blob_key == blob.c.key),
    )
    .values(dead=True)
    .returning(blob.c.key)
)

_OLD, _NEW, _LAST = (blob.alias(name) for name in ("old", "new", "last"))

_LAST_SHA256 = (
    select(_LAST.c.sha256)
    .join(version, version.c.blob_key == _LAST.c.key)
    .where(version.c.resource_id == resource.c.id)
    .order_by(version.c.id.desc())
    .limit(1)
    .scalar_subquery()
)

_KEEP_VERSION = Prepared(
    insert(version).from_select(
        [
            "resource_id",
            "blob_key",
            "size_bytes",
            "etag",
            "content_type",
            "modified_us",
            "replaced_us",
        ],
        select(
            resource.c.id,
            resource.c.blob_key,
            resource.c.size_bytes,
            resource.c.etag,
            resource.c.content_type,
            resource.c.modified_us,
            bindparam("replaced_us", type_=BigInteger),
        )
        .join(_OLD, _OLD.c.key == resource.c.blob_key)
        .where(
            resource.c.id == bindparam("id"),
            ~exists().where(
                _NEW.c.key == bindparam("new_key", type_=Text), _NEW.c.sha256 == _OLD.c.sha256
            ),
            func.coalesce(_LAST_SHA256, "") != _OLD.c.sha256,
        ),
    )
)

_DROP_PROPERTY = Prepared(
    delete(dead_property).where(
        dead_property.c.resource_id == bindparam("id"),
        dead_property.c.name == bindparam("property_name"),
    )
)

_ADD_PROPERTY = Prepared(insert(dead_property), ["resource_id", "name", "xml"])

_BLOBS_BELOW = Prepared(
    text(
        SUBTREE
        + """
SELECT r.blob_key FROM resource r JOIN tree ON tree.id = r.id WHERE r.blob_key IS NOT NULL
UNION
SELECT v.blob_key FROM version v JOIN tree ON tree.id = v.resource_id
"""
    )
)

_ERASE = Prepared(text(SUBTREE + "DELETE FROM resource WHERE id IN (SELECT id FROM tree)"))
