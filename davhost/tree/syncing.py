"""What has changed since: the journal of a space as RFC 6578 asks for it."""

from __future__ import annotations

from collections.abc import Iterable

from ..catalogue import Reading
from ..conditions import sync_token
from ..errors import InvalidSyncToken, MethodNotAllowed
from ..model import JournalEntry
from ..paths import DavPath
from .base import Base
from .listings import Entry
from .reading import list_members, list_tree
from .results import Changed

#: After these, the members of a collection are under URLs that are new to a client.
_BRINGS_MEMBERS = frozenset({"bind", "rebind", "resume"})


class SyncingTree(Base):
    """The part of `Tree` that follows the journal."""

    def sync_seq(self) -> int:
        """The point of the journal that the space has come to."""
        with self._reading() as reading:
            return reading.journal_seq()

    def sync_token(self) -> str:
        """The same as the URI that DAV:sync-token is."""
        with self._reading() as reading:
            return sync_token(reading.space(), reading.journal_seq())

    def changed_since(self, path: DavPath, seq: int | None, *, deep: bool, dead: bool) -> Changed:
        """List what is different below a collection since *seq*.

        Args:
            seq: a point of the journal; None lists everything.
            deep: all members rather than the direct ones (``sync-level``).
            dead: fetch dead properties.

        Raises:
            NotFound: the URL is not mapped.
            MethodNotAllowed: it is no collection.
            InvalidSyncToken: the journal has no such point.
        """
        with self._reading() as reading:
            top = reading.get(path)
            if not top.is_collection:
                raise MethodNotAllowed("Only a folder can be synchronised.")
            now, space = reading.journal_seq(), reading.space()
            if seq is None:
                list_ = list_tree if deep else list_members
                entries = list_(reading, Entry.at(path, top), dead=dead)
                return Changed(now, space, entries[1:], ())
            if not 0 <= seq <= now:
                raise InvalidSyncToken("The server does not know this sync-token.")
            changed = _gather(reading, path, reading.journal_since(seq), deep=deep, dead=dead)
            removed = sorted(
                (p for p, entry in changed.items() if entry is None), key=lambda p: p.text
            )
            mapped = [entry for entry in changed.values() if entry is not None]
            return Changed(now, space, mapped, removed)


def _gather(
    reading: Reading,
    top: DavPath,
    journal: Iterable[JournalEntry],
    *,
    deep: bool,
    dead: bool,
) -> dict[DavPath, Entry | None]:
    """Find what every path that the journal names is now; None for nothing."""
    found: dict[DavPath, Entry | None] = {}
    for path, brings_members in _named(journal, top, deep=deep).items():
        resource = reading.find(path)
        if resource is None:
            found[path] = None
            continue
        own = reading.properties(resource) if dead else ()
        entry = Entry.at(path, resource, own)
        below = list_tree(reading, entry, dead=dead) if deep and brings_members else [entry]
        found.update((entry.path, entry) for entry in below)
    return found


def _named(journal: Iterable[JournalEntry], top: DavPath, *, deep: bool) -> dict[DavPath, bool]:
    """Collect the members of *top* that the journal names.

    Returns:
        Whether a collection there may have brought members with it, by path.
    """
    named: dict[DavPath, bool] = {}
    for entry in journal:
        brings = entry.verb in _BRINGS_MEMBERS
        for path, brings_members in ((entry.path, brings), (entry.source, False)):
            if path is None or path == top or not path.is_within(top):
                continue
            if deep or path.parent == top:
                named[path] = named.get(path, False) or brings_members
    return named
