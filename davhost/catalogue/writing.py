"""How permitted changes are applied: one method for each primitive.

Nothing here decides: `apply` demands a `Permit`, and every statement of one
request runs in the one transaction that holds the mutex of its space.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, bindparam, delete, func, insert, or_, select, update

from ..changes import (
    NO_SIZE,
    BindCollection,
    BindCopy,
    BindFile,
    Change,
    Rebind,
    Restore,
    Resume,
    Size,
    Succeed,
    Unbind,
    WriteContent,
    WriteProperties,
)
from ..errors import NotFound, QuotaExceeded
from ..model import Burst, Kind, Lock, Resource, Rules, Stored
from ..paths import ROOT, DavPath
from ..policy import Permit
from .contents import ContentWriting
from .journals import JournalWriting
from .locks import LockWriting
from .prepared import Prepared, inserting
from .rows import RESOURCE, batches
from .schema import dead_property, resource, space
from .transactions import Transaction


class Writing(ContentWriting, LockWriting, JournalWriting):
    """A write transaction of one space; it holds the space's mutex.

    It sees the space as it was when the transaction began.

    Args:
        now_us: the time that everything in this transaction happened at.
        user_id: who did it, for the journal.
        via: the label of the device that did it, or ``browser``, for the journal.
        new_etag: makes the opaque part of an entity tag that was never used.
    """

    def __init__(
        self,
        connection: Transaction,
        space_id: int,
        *,
        lease: float,
        now_us: int,
        user_id: int,
        new_etag: Callable[[], str],
        top: DavPath = ROOT,
        via: str | None = None,
    ) -> None:
        super().__init__(connection, space_id, lease, top)
        self.now_us = now_us
        self.user_id = user_id
        self.via = via
        self._new_etag = new_etag
        #: How many journal entries this transaction has written.
        self._written = 0
        #: What this transaction has made of resources, by their ids.
        self._changed: dict[int, Resource] = {}
        self.entries = []
        self.dead_keys = []

    _wants_space = True

    def apply(self, permit: Permit, stored: Stored | None = None, **content: Any) -> Resource:
        """Apply all changes of *permit*, in order, and journal them.

        Args:
            stored: durable bytes for the `BindFile` or `WriteContent`; None for
                an empty file.
            content: ``content_type`` and ``modified_us`` for the file written.

        Returns:
            What the last change left at its path; for `Unbind` what it was.

        Raises:
            QuotaExceeded: the space would grow beyond its quota after all.
        """
        last: Resource | None = None
        for change in permit.changes:
            last = self._apply_one(change, stored, content)
        self._settle(permit.grows_by, permit.rules, permit.burst, brakes=permit.brakes)
        assert last is not None  # noqa: S101 - a permit is never empty
        return last

    def _apply_one(
        self, change: Change, stored: Stored | None, content: dict[str, Any]
    ) -> Resource:
        match change:
            case BindFile():
                return self._bind_file(change, stored, content)
            case BindCollection():
                return self._bind_collection(change, content)
            case BindCopy():
                return self._bind_copy(change)
            case Unbind():
                return self._unbind(change)
            case Rebind():
                return self._rebind(change)
            case Resume():
                return self._resume(change)
            case Restore():
                return self._restore(change)
            case Succeed():
                return self._succeed(change)
            case WriteContent():
                return self._write_content(change, stored, content)
            case WriteProperties():
                return self._write_properties(change)

    # -- bind ---------------------------------------------------------------

    def _bind_file(
        self, change: BindFile, stored: Stored | None, content: dict[str, Any]
    ) -> Resource:
        bound = self._insert(
            parent_id=change.parent.id,
            name=change.path.name,
            kind=change.kind,
            blob_key=self.keep_blob(stored),
            size_bytes=stored.size_bytes if stored else 0,
            etag=self._new_etag(),
            content_type=content.get("content_type"),
            created_us=self.now_us,
            modified_us=content.get("modified_us") or self.now_us,
        )
        self.log("bind", bound.id, change.path)
        return bound

    def _bind_collection(self, change: BindCollection, content: dict[str, Any]) -> Resource:
        bound = self._insert(
            parent_id=change.parent.id,
            name=change.path.name,
            kind=Kind.COLLECTION,
            modified_us=content.get("modified_us") or self.now_us,
        )
        self.update_properties(bound, change.updates)
        self.log("bind", bound.id, change.path)
        return bound

    def _bind_copy(self, change: BindCopy) -> Resource:
        source = change.source
        copy = self._insert(
            parent_id=change.parent.id,
            name=change.path.name,
            kind=change.kind,
            blob_key=source.blob_key,
            size_bytes=source.size_bytes,
            etag="" if source.is_collection else self._new_etag(),
            content_type=source.content_type,
            modified_us=source.modified_us,
        )
        self.copy_properties({source.id: copy.id})
        if source.is_collection and change.deep:
            self._copy_members({source.id: copy.id}, change.kinds)
        self.log("bind", copy.id, change.path)
        return copy

    def _copy_members(self, copies: dict[int, int], kinds: Mapping[int, Kind]) -> None:
        """Copy the members of collections, one level of the tree at a time.

        Args:
            copies: the id of each collection's copy by its own id.
            kinds: those that change, by the source's id.
        """
        while copies:
            level: dict[int, int] = {}
            for parent_ids in batches(list(copies)):
                members = self.connection.execute(
                    select(*RESOURCE).where(resource.c.parent_id.in_(parent_ids))
                ).all()
                for batch in batches(members):
                    level |= self._copy_rows(batch, copies, kinds)
            self.copy_properties(level)
            copies = level

    def _copy_rows(
        self, members: Sequence[Any], copies: dict[int, int], kinds: Mapping[int, Kind]
    ) -> dict[int, int]:
        rows = [
            {
                "space_id": self.space_id,
                "parent_id": copies[member.parent_id],
                "name": member.name,
                "kind": kinds.get(member.id, member.kind),
                "blob_key": member.blob_key,
                "size_bytes": member.size_bytes,
                "etag": self._new_etag() if member.etag else "",
                "content_type": member.content_type,
                "created_us": self.now_us,
                "modified_us": member.modified_us,
                "touched_us": self.now_us,
            }
            for member in members
        ]
        statement = insert(resource).returning(resource.c.id, sort_by_parameter_order=True)
        new_ids = self.connection.execute(statement, rows).scalars()
        return {member.id: new_id for member, new_id in zip(members, new_ids, strict=True)}

    # -- unbind and rebind --------------------------------------------------

    def _unbind(self, change: Unbind) -> Resource:
        target = change.resource
        self.drop_locks(change.path)
        if change.keep:
            self._update(
                target,
                parent_id=None,
                departed_us=self.now_us,
                touched_us=self.now_us,
                notes_home=True,
            )
        else:
            self.erase(target.id)
        self.log("unbind", target.id, change.path)
        return target

    def _rebind(self, change: Rebind) -> Resource:
        target = change.resource
        self.drop_locks(change.source_path)
        home: dict[str, Any] = {"home_parent_id": None, "home_name": None}
        moved = self._update(
            target,
            parent_id=change.parent.id,
            name=change.path.name,
            kind=change.kind,
            touched_us=self.now_us,
            **({} if change.away else home),
            notes_home=change.away,
        )
        self.log("rebind", target.id, change.path, change.source_path.text)
        return moved

    def _resume(self, change: Resume) -> Resource:
        target = change.resource
        resumed = self._update(
            target,
            parent_id=change.parent.id,
            name=change.path.name,
            kind=Kind.FILE,
            touched_us=self.now_us,
            home_parent_id=None,
            home_name=None,
            departed_us=None,
        )
        if change.leaves is not None:
            # The program still knows the old content by the other name.
            left = self._insert(
                parent_id=target.parent_id,
                name=target.name,
                kind=change.leaves,
                blob_key=target.blob_key,
                size_bytes=target.size_bytes,
                etag=target.etag,
                content_type=target.content_type,
                created_us=target.created_us,
                modified_us=target.modified_us,
            )
            if change.leaves is Kind.FILE:
                self.copy_properties({target.id: left.id})
            self.log("resume", left.id, change.path, target.name)
        self.log("resume", target.id, change.path)
        return resumed

    def _succeed(self, change: Succeed) -> Resource:
        target, heir = change.resource, change.heir
        self.drop_locks(change.path)
        is_named = self.keep_version(target, heir.blob_key)
        # Not `erase`: the bytes go on.
        self.connection.run(_REMOVE, id=heir.id)
        succeeded = self._update(
            target,
            parent_id=heir.parent_id,
            name=heir.name,
            blob_key=heir.blob_key,
            size_bytes=heir.size_bytes,
            etag=heir.etag,
            content_type=heir.content_type,
            modified_us=heir.modified_us,
            touched_us=self.now_us,
            home_parent_id=None,
            home_name=None,
        )
        if not is_named:
            self.forget_blobs([target.blob_key])
        self.log("unbind", heir.id, change.path)
        self.log("resume", target.id, change.heir_path)
        return succeeded

    def _restore(self, change: Restore) -> Resource:
        target = change.resource
        restored = self._update(
            target,
            parent_id=change.parent.id,
            name=change.path.name,
            touched_us=self.now_us,
            home_parent_id=None,
            home_name=None,
            departed_us=None,
        )
        self.log("bind", target.id, change.path)  # a name appears, with all below it
        return restored

    # -- content and properties ---------------------------------------------

    def _write_content(
        self, change: WriteContent, stored: Stored | None, content: dict[str, Any]
    ) -> Resource:
        target, source = change.resource, change.source
        if source is not None:
            blob_key, content_type = source.blob_key, source.content_type
            modified_us = source.modified_us
        else:
            blob_key, content_type = self.keep_blob(stored), content.get("content_type")
            modified_us = content.get("modified_us") or self.now_us
        is_named = self.keep_version(target, blob_key)
        written = self._update(
            target,
            blob_key=blob_key,
            size_bytes=change.size_bytes,
            etag=self._new_etag(),
            content_type=content_type,
            modified_us=modified_us,
            touched_us=self.now_us,
        )
        if not is_named:
            self.forget_blobs([target.blob_key])
        self.log("write", target.id, change.path)
        return written

    def _write_properties(self, change: WriteProperties) -> Resource:
        target = change.resource
        if change.replaced_by is not None:
            self.connection.execute(
                delete(dead_property).where(dead_property.c.resource_id == target.id)
            )
            self.copy_properties({change.replaced_by.id: target.id})
        self.update_properties(target, change.updates)
        dates = {"modified_us": change.modified_us, "created_us": change.created_us}
        values: dict[str, Any] = {n: value for n, value in dates.items() if value is not None}
        self.log("properties", target.id, change.path)
        return self._update(target, touched_us=self.now_us, **values)

    # -- rows ---------------------------------------------------------------

    def _insert(self, **values: Any) -> Resource:
        values = {
            "space_id": self.space_id,
            "blob_key": None,
            "size_bytes": 0,
            "etag": "",
            "content_type": None,
            "created_us": self.now_us,
            "modified_us": self.now_us,
            "touched_us": self.now_us,
            **values,
        }
        return Resource(id=self.connection.insert(_INSERT, **values), **values)

    def _update(self, target: Resource, *, notes_home: bool = False, **values: Any) -> Resource:
        """Set columns of a resource.

        Args:
            notes_home: also note that it belongs where it is, unless it is away
                from its place already.

        Returns:
            What it is now, as the database would say too: nobody else can write to
            the space meanwhile.

        Raises:
            NotFound: it was removed by an earlier change.
        """
        now = self._changed.get(target.id, target)
        if values.get("parent_id", 0) == now.parent_id:
            # For a column that refers to its own table SQLite writes every index anew.
            del values["parent_id"]
        statement = _update(tuple(values), notes_home=notes_home)
        home = {"from_id": target.parent_id, "from_name": target.name} if notes_home else {}
        if not self.connection.run(statement, resource_id=target.id, **values, **home):
            raise NotFound("It is gone.")
        columns = {name: value for name, value in values.items() if name in _FIELDS}
        self._changed[target.id] = changed = now._replace(**columns)
        return changed

    # -- locks --------------------------------------------------------------

    def add_lock(self, new: Lock) -> None:
        """Put a lock into force."""
        super().add_lock(new)
        self._space = self.space()._replace(has_locks=True)

    def drop_locks(self, path: DavPath) -> None:
        """End locks as `LockWriting` does, if there are any in the space."""
        if self.space().has_locks:
            super().drop_locks(path)

    def break_lock(self, held: Lock) -> None:
        """End a lock and journal it: whoever held it will ask what happened."""
        self.drop_lock(held.token)
        # A lock leaves with its resource: the last one found is the lock root.
        self.log("unlock", self.walk(held.path)[-1].id, held.path)
        self._settle(NO_SIZE, self.space().admitted)

    # -- the brake ----------------------------------------------------------

    def release_brake(self) -> None:
        """Let the space be written to again, and begin to count anew."""
        self.connection.execute(
            update(space)
            .where(space.c.id == self.space_id)
            .values(braked_us=None, burst_us=None, burst_changes=0)
        )

    # -- the end of a change ------------------------------------------------

    def sweep(self, target: Resource, path: DavPath) -> None:
        """Erase scratch that was left behind; no permit is needed to clean up."""
        self.drop_locks(path)
        self.erase(target.id)
        self.log("sweep", target.id, path)
        self._settle(-Size(*self.tree_bytes(target)), self.space().admitted)

    def _settle(
        self, grows: Size, rules: Rules, burst: Burst | None = None, *, brakes: bool = False
    ) -> None:
        """Count bytes, widen what the space has admitted, write the journal."""
        changed: dict[str, Any] = {}
        before = self.space()
        if not before.admitted.includes(rules):
            changed["admitted"] = str(before.admitted.union(rules))
        if burst is not None and burst != before.burst:
            changed |= {"burst_us": burst.began_us, "burst_changes": burst.changes}
            if brakes:
                changed["braked_us"] = burst.began_us
        settled = self.connection.run(
            _settle(tuple(changed), grows=grows.file_bytes > 0),
            space=self.space_id,
            file_bytes=grows.file_bytes,
            more_scratch_bytes=grows.scratch_bytes,
            entries=len(self.entries),
            **changed,
        )
        if not settled:
            raise QuotaExceeded("The space is full.")
        self._written += len(self.entries)
        self.write_journal(before.journal_seq + self._written)


_FIELDS = frozenset(Resource._fields)

_INSERT = Prepared(
    inserting(resource, returning=resource.c.id),
    [column.name for column in RESOURCE if column is not resource.c.id],
)


_REMOVE = Prepared(delete(resource).where(resource.c.id == bindparam("id")))


@lru_cache
def _update(columns: tuple[str, ...], *, notes_home: bool) -> Prepared:
    """Write the UPDATE of some columns of a resource."""
    values: dict[str, Any] = {name: bindparam(name) for name in columns}
    if notes_home:
        home = resource.c.home_parent_id, resource.c.home_name
        values["home_parent_id"] = func.coalesce(home[0], bindparam("from_id"))
        values["home_name"] = func.coalesce(home[1], bindparam("from_name"))
    here = resource.c.id == bindparam("resource_id")
    return Prepared(update(resource).where(here).values(**values))


@lru_cache
def _settle(columns: tuple[str, ...], *, grows: bool) -> Prepared:
    """Write the UPDATE that counts bytes and journal entries, and sets some columns."""
    more = bindparam("file_bytes", type_=BigInteger)
    values: dict[str, Any] = {name: bindparam(name) for name in columns}
    values["used_bytes"] = space.c.used_bytes + more
    values["scratch_bytes"] = space.c.scratch_bytes + bindparam("more_scratch_bytes")
    values["journal_seq"] = space.c.journal_seq + bindparam("entries")
    statement = update(space).where(space.c.id == bindparam("space")).values(**values)
    if grows:
        has_room = space.c.used_bytes + more <= space.c.quota_bytes
        statement = statement.where(or_(space.c.quota_bytes.is_(None), has_room))
    return Prepared(statement)
