"""Where a readable tree differs from the catalogue, found without changing either."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum

from ..blobs import BlobMissing
from ..catalogue import Reading
from ..model import JournalEntry, Resource
from ..paths import DavPath
from .batches import named
from .descriptors import find_stat, names_in
from .disk import Disk, Names, NotThere


class Kind(StrEnum):
    """How a path differs."""

    MISSING = "missing"
    """The catalogue has something there, the tree nothing."""
    FOREIGN = "foreign"
    """The tree has something there, the catalogue nothing."""
    OTHER = "other"
    """The tree has another content, or another kind of thing."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One path at which the tree is not what the catalogue says.

    Args:
        path: from the top, ``/`` first; bytes that are not UTF-8 as surrogates.
    """

    path: str
    kind: Kind


def differences(
    disk: Disk, root: Resource, reading: Callable[[], AbstractContextManager[Reading]]
) -> Iterator[tuple[Names, Kind]]:
    """Walk catalogue and disk together; below what differs nothing more is said."""
    waiting: list[tuple[Names, Resource]] = [((), root)]
    while waiting:
        names, collection = waiting.pop()
        with reading() as now:
            members = now.members(collection)
        try:
            yield from _compare(disk, disk.reach(names), names, members, waiting)
        except NotThere:
            yield names, Kind.MISSING


def without_pending(
    found: Iterable[tuple[Names, Kind]], entries: Iterable[JournalEntry]
) -> list[Difference]:
    """Leave out what entries of the journal explain that are not applied yet."""
    pending = {_names(path) for path in named(entries)}
    return [
        Difference("/" + "/".join(os.fsdecode(name) for name in names), kind)
        for names, kind in found
        if not any(names[:length] in pending for length in range(1, len(names) + 1))
    ]


def _compare(
    disk: Disk,
    folder: int,
    names: Names,
    members: Iterable[Resource],
    waiting: list[tuple[Names, Resource]],
) -> Iterator[tuple[Names, Kind]]:
    wanted = {member.name.encode(): member for member in members}
    for name in names_in(folder):
        if name not in wanted:
            yield (*names, name), Kind.FOREIGN
    for name, member in wanted.items():
        path = (*names, name)
        kind = _difference(disk, folder, name, member)
        if kind is not None:
            yield path, kind
        elif member.is_collection:
            waiting.append((path, member))


def _difference(disk: Disk, folder: int, name: bytes, member: Resource) -> Kind | None:
    status = find_stat(name, folder)
    if member.is_collection:
        right = status is not None and stat.S_ISDIR(status.st_mode)
    else:
        try:
            right = disk.is_right(folder, name, member) or disk.is_lost(member)
        except BlobMissing:
            return None  # the blob is what is wrong
    if right:
        return None
    return Kind.MISSING if status is None else Kind.OTHER


def _names(path: DavPath) -> Names:
    return tuple(name.encode() for name in path.names)
