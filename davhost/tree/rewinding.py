"""Putting a space back to what it was at a time.

The journal is undone in thought, from its end back to that time: that says
where everything was. Then what is elsewhere goes back, what is gone comes out
of the trash, what was overwritten gets the content it had, and what is new goes
to the trash, where it can be looked at. It is done a part at a time, each in a
transaction that works out anew what is left to do, so that one that breaks off
is only run again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from .. import names
from ..catalogue import Writing
from ..catalogue.departed import contents_at, everything, get_version_content
from ..changes import Change, Rebind, Restore, Size, Unbind, WriteContent, growth
from ..errors import Refused
from ..model import JournalEntry, Kind, Principal, Resource
from ..paths import DavPath, Name
from ..policy import Permit, Policy, Situation
from .base import Base

#: How many changes are made in one transaction.
_PART = 500

#: Where in the tree something is: the id of its collection, and its name.
_Place = tuple[int, str]


@dataclass(slots=True)
class Rewound:
    """What was done to put a space back.

    Args:
        moved: resources that went back to where they were.
        restored: what came back out of the trash, members not counted.
        contents: files that got back the content they had.
        removed: what was not there yet and is in the trash now.
        lost: what was there and has been removed for good since.
        refused: what the rules would not let go back, each with the reason.
    """

    moved: int = 0
    restored: int = 0
    contents: int = 0
    removed: int = 0
    lost: list[DavPath] = field(default_factory=list)
    refused: dict[DavPath, str] = field(default_factory=dict)


class RewindingTree(Base):
    """The part of `Tree` that goes back in time, whatever the brake and locks say."""

    def rewind(self, to_us: int) -> Rewound:
        """Put all files and folders back to what they were at a time.

        Nothing is lost by it: what is there now becomes a version, or goes to
        the trash. Locks do not stand in the way, and end with what they lock;
        dead properties stay as they are.

        Args:
            to_us: microseconds since 1970 UTC.
        """
        done, more = Rewound(), True
        while more:
            with self._writing(is_short=False) as tx:
                before = Before(tx, to_us, frozenset(done.refused))
                part = _Part(tx, self._policy, self.principal, done)
                more = not part.take(before.steps())
                done.lost = before.lost()
            self._delete_dead(tx)
        return done

    def release_brake(self) -> None:
        """Let the space be written to again."""
        with self._writing() as tx:
            tx.release_brake()


class Before:
    """Where everything in a space was at a time, and what leads back there.

    Args:
        refused: what cannot go back.
    """

    def __init__(self, tx: Writing, to_us: int, refused: frozenset[DavPath]) -> None:
        self._tx = tx
        self._refused = refused
        self._rows = {resource.id: resource for resource in everything(tx)}
        self._root_id = tx.space().root_id
        self._now = _Shadow(self._root_id, self._rows.values())
        self._then = _Shadow(self._root_id, self._rows.values())
        self._contents = contents_at(tx, to_us)
        self._then.undo(tx.journal_since(tx.journal_seq_at(to_us)))

    def lost(self) -> list[DavPath]:
        """List what was there and cannot come back; temporaries are not missed."""
        rules = self._tx.space().admitted
        gone = (path for id_, path in self._then.walk() if id_ not in self._rows)
        return sorted(
            (path for path in gone if not names.is_temporary(path, rules)), key=lambda p: p.text
        )

    def steps(self) -> Iterator[Change]:
        """Yield the changes that lead back, in an order in which each can be made.

        Collections come before their members. What stands in the way steps
        aside; what was not there goes last, for what is in it may be wanted.
        """
        for id_, path in self._then.walk():
            wanted = self._then.place[id_]
            if id_ not in self._rows or path in self._refused or not self._is_there(wanted[0]):
                continue
            if self._now.place.get(id_) != wanted or self._now.path(id_) is None:
                yield from self._make_room(id_, wanted, path)
                yield self._bring(id_, wanted, path)
            yield from self._write(id_, path)
        then = {id_ for id_, _ in self._then.walk()}
        new = {id_: path for id_, path in self._now.walk() if id_ not in then}
        for id_, path in new.items():
            if self._now.place[id_][0] not in new:
                target = self._rows[id_]
                size = Size(*self._tx.tree_bytes(target))
                yield Unbind(path, target, size, keep=target.kind is not Kind.SCRATCH)

    def _is_there(self, collection_id: int) -> bool:
        return collection_id in self._rows and self._now.path(collection_id) is not None

    def _make_room(self, id_: int, wanted: _Place, path: DavPath) -> Iterator[Change]:
        other = self._now.at.get(wanted)
        if other is None or other == id_:
            return
        number = 1
        while (aside := _aside(path.name, number)) and (wanted[0], aside) in self._now.at:
            number += 1
        yield self._rebind(other, (wanted[0], aside), path.parent.child(aside))

    def _bring(self, id_: int, wanted: _Place, path: DavPath) -> Change:
        target = self._rows[id_]
        if self._now.path(id_) is not None:
            return self._rebind(id_, wanted, path)
        self._now.put(id_, wanted)
        size = Size(*self._tx.tree_bytes(target))
        parent = self._rows[wanted[0]]
        return Restore(path, parent, target, size, frozenset())

    def _rebind(self, id_: int, wanted: _Place, path: DavPath) -> Rebind:
        source_path = self._now.path(id_)
        assert source_path is not None  # noqa: S101 - it is in the tree
        self._now.put(id_, wanted)
        target = self._rows[id_]
        parent = self._rows[wanted[0]]
        return Rebind(path, parent, source_path, target, target.kind, False, frozenset())

    def _write(self, id_: int, path: DavPath) -> Iterator[Change]:
        target = self._rows[id_]
        version_id, blob_key = self._contents.get(id_, (0, target.blob_key))
        if blob_key != target.blob_key:
            before = get_version_content(self._tx, target, version_id)
            yield WriteContent(path, target, before.size_bytes, before)


class _Shadow:
    """The tree of a space, to be thought about: where everything is, by its id."""

    def __init__(self, root_id: int, rows: Iterable[Resource]) -> None:
        self._root_id = root_id
        self.place: dict[int, _Place] = {}
        self.at: dict[_Place, int] = {}
        for row in rows:
            if row.parent_id is not None:
                self.put(row.id, (row.parent_id, row.name))

    def put(self, id_: int, place: _Place | None) -> None:
        """Take *id_* to a place, or out of the tree; what was there is out of it."""
        old = self.place.pop(id_, None)
        if old is not None and self.at.get(old) == id_:
            del self.at[old]
        if place is not None:
            self.place[id_] = place
            self.at[place] = id_

    def path(self, id_: int) -> DavPath | None:
        """Find the path of *id_*; None when it is not in the tree."""
        way: list[Name] = []
        while id_ != self._root_id:
            place = self.place.get(id_)
            if place is None or self.at.get(place) != id_:
                return None
            way.append(Name.known(place[1]))
            id_ = place[0]
        return DavPath(tuple(reversed(way)))

    def find(self, path: DavPath) -> int | None:
        """Find what is at *path*."""
        id_: int | None = self._root_id
        for name in path.names:
            if id_ is None:
                return None
            id_ = self.at.get((id_, name))
        return id_

    def walk(self) -> Iterator[tuple[int, DavPath]]:
        """Yield everything in the tree with its path, collections before their members."""
        members: dict[int, list[tuple[str, int]]] = {}
        for (parent_id, name), id_ in self.at.items():
            members.setdefault(parent_id, []).append((name, id_))
        waiting = [(self._root_id, DavPath())]
        for id_, path in waiting:  # it grows meanwhile
            if not path.is_root:
                yield id_, path
            waiting += (
                (member_id, path.child(Name.known(name)))
                for name, member_id in sorted(members.get(id_, ()))
            )

    def undo(self, entries: Sequence[JournalEntry]) -> None:
        """Take back *entries*, the last one first."""
        resumed: JournalEntry | None = None
        for entry in reversed(entries):
            match entry.verb:
                case "resume" if _is_left_by(entry, resumed):
                    # A file took its name back and left a copy where it had been.
                    assert resumed is not None  # noqa: S101 - see _is_left_by
                    place = self.place.get(entry.resource_id)
                    self.put(entry.resource_id, None)
                    self.put(resumed.resource_id, place)
                case "bind" | "resume":
                    self.put(entry.resource_id, None)
                case "unbind" | "sweep":
                    self.put(entry.resource_id, self._place_of(entry.path))
                case "rebind" if entry.source is not None:
                    self.put(entry.resource_id, self._place_of(entry.source))
            resumed = entry if entry.verb == "resume" else None

    def _place_of(self, path: DavPath) -> _Place | None:
        parent_id = self.find(path.parent)
        return None if parent_id is None else (parent_id, path.name)


def _is_left_by(entry: JournalEntry, resumed: JournalEntry | None) -> bool:
    return (
        resumed is not None
        and resumed.path == entry.path
        and resumed.at_us == entry.at_us
        and resumed.resource_id != entry.resource_id
    )


class _Part:
    """Makes changes in one transaction, and counts them."""

    def __init__(self, tx: Writing, policy: Policy, principal: Principal, done: Rewound) -> None:
        self._tx = tx
        self._policy = policy
        self._principal = principal
        self._done = done
        self._space = tx.space()._replace(braked_us=None)

    def take(self, steps: Iterator[Change]) -> bool:
        """Make changes until there are enough for one transaction, or one is refused.

        Returns:
            Whether there are no more.
        """
        for number, step in enumerate(steps):
            try:
                permit = self._policy.permit([step], Situation(self._principal, self._space))
            except Refused as refused:
                again = step.path in self._done.refused
                self._done.refused[step.path] = refused.sentence
                return again
            self._make(permit, step)
            if number == _PART:
                return False
        return True

    def _make(self, permit: Permit, step: Change) -> None:
        self._tx.apply(permit)
        grows = growth(step)
        self._space = self._space._replace(
            used_bytes=self._space.used_bytes + grows.file_bytes,
            scratch_bytes=self._space.scratch_bytes + grows.scratch_bytes,
        )
        match step:
            case Rebind():
                self._done.moved += 1
            case Restore():
                self._done.restored += 1
            case WriteContent():
                self._done.contents += 1
            case Unbind():
                self._done.removed += 1


def _aside(name: Name, number: int) -> Name:
    return name.marked(" (rewound)" if number == 1 else f" (rewound {number})")
