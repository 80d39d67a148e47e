"""What a space was, as read-only collections in the space itself.

``/.davhost/versions`` mirrors the tree: where it has a file, there is a
collection of the contents that the file had before. ``/.davhost/trash`` holds
what was deleted, with all its members. Each is named for the time when it was
written or deleted, in UTC: ``plan 2026-11-22 14.30.05.docx``. Whatever can read
a drive can copy out of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from ..catalogue import Reading
from ..catalogue.departed import departed_tops, version_contents, with_versions
from ..errors import NotFound
from ..model import Kind, Property, Resource
from ..names import HISTORY
from ..paths import DavPath, Name
from .listings import Entry

VERSIONS = Name("versions")
TRASH = Name("trash")

#: For Windows, where a dot does not hide a name: a hidden folder ([MS-WDVME] 2.2.1).
_HIDDEN = Property(
    "{urn:schemas-microsoft-com:}Win32FileAttributes",
    '<Win32FileAttributes xmlns="urn:schemas-microsoft-com:">00000012</Win32FileAttributes>',
)


def is_past(path: DavPath) -> bool:
    """Whether *path* is in the collection that shows the past."""
    return path.names[:1] == (HISTORY,)


@dataclass(frozen=True, slots=True)
class Past:
    """The past of a space, as one transaction sees it."""

    reading: Reading

    def find(self, path: DavPath) -> Resource | None:
        """Find what is at *path*, which is `is_past`; None if there is nothing."""
        match path.names:
            case (_,):
                return self._top(HISTORY)
            case (_, Name() as top) if top in (VERSIONS, TRASH):
                return self._top(top)
            case (_, Name() as top, *below) if top == VERSIONS:
                return self._find_version(DavPath(tuple(below)))
            case (_, Name() as top, *below) if top == TRASH:
                return self._find_trash(below)
        return None

    def get(self, path: DavPath) -> Resource:
        """Find what is at *path*.

        Raises:
            NotFound: there is nothing.
        """
        found = self.find(path)
        if found is None:
            raise NotFound("There is nothing here.")
        return found

    def entries(self, path: DavPath, *, depth: int | None) -> list[Entry]:
        """List what a PROPFIND of *path* asks for, itself first.

        Raises:
            NotFound: there is nothing at *path*.
        """
        hidden = [_HIDDEN] if len(path.names) == 1 else ()
        found = [Entry.at(path, self.get(path), hidden)]
        for entry in found:  # it grows meanwhile, with Depth infinity
            if entry.resource.is_collection and (depth is None or (depth and entry is found[0])):
                parent = entry.path
                found += (Entry(parent, member.name, member) for member in self._members(entry))
        return found

    def _members(self, collection: Entry) -> Iterable[Resource]:
        match collection.path.names:
            case (_,):
                return [self._top(VERSIONS), self._top(TRASH)]
            case (_, top) if top == TRASH:
                return self._trash()
            case (_, top, *below) if top == VERSIONS:
                return self._members_with_versions(DavPath(tuple(below)))
        return self.reading.members(collection.resource)

    def _top(self, name: Name) -> Resource:
        root = self.reading.get(DavPath())
        return root._replace(name=name, modified_us=root.created_us)

    def _members_with_versions(self, below: DavPath) -> Iterator[Resource]:
        target = self.reading.get(below)
        if not target.is_collection:
            yield from self._versions(target)
            return
        having = with_versions(self.reading, target)
        for member in self.reading.members(target):
            if member.is_collection:
                yield member
            elif member.id in having:
                yield _as_collection(member)

    def _find_version(self, below: DavPath) -> Resource | None:
        target = self.reading.find(below)
        if target is not None:
            if target.is_collection:
                return target
            return _as_collection(target) if self.reading.versions(target) else None
        file = self.reading.find(below.parent)
        if file is None or file.is_collection:
            return None
        return _named(self._versions(file), below.name)

    def _versions(self, file: Resource) -> Iterator[Resource]:
        contents = version_contents(self.reading, file)
        name = Name.known(file.name)
        return _dated((content, name, content.modified_us) for content in contents)

    def _trash(self) -> Iterator[Resource]:
        return _dated(departed_tops(self.reading))

    def _find_trash(self, below: list[Name]) -> Resource | None:
        found = _named(self._trash(), below[0])
        for name in below[1:]:
            if found is None or not found.is_collection:
                return None
            found = _named(self.reading.members(found), name)
        return found


def _as_collection(file: Resource) -> Resource:
    """Show a file as the collection of its versions."""
    return file._replace(
        kind=Kind.COLLECTION, blob_key=None, size_bytes=0, etag="", content_type=None
    )


def _named(members: Iterable[Resource], name: Name) -> Resource | None:
    return next((member for member in members if member.name == name), None)


def _dated(members: Iterable[tuple[Resource, Name, int]]) -> Iterator[Resource]:
    """Name each for its moment, and tell those apart that share it."""
    taken: set[Name] = set()
    for member, name, at_us in members:
        at = datetime.fromtimestamp(at_us // 1_000_000, UTC)
        mark = f" {at:%Y-%m-%d %H.%M.%S}"
        dated, number = name.marked(mark), 1
        while dated in taken:
            number += 1
            dated = name.marked(f"{mark} ({number})")
        taken.add(dated)
        yield member._replace(name=dated)
