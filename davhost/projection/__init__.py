"""The readable tree: every space as plain files on the disk.

``users/<user id>/<path>`` holds each file of a space under its own name: a
hard link to the blob, or a copy where the file system has no links. It is a
projection of the journal. `Projection.catch_up` applies the entries after the
last one that was applied, under a lock per user; the names and bytes are the
catalogue's, which is never changed here. The tree shows what its user sees,
temporaries of saving programs included; what was deleted, and old versions,
are not in it.

An entry is applied by bringing the paths that it names into line with what the
catalogue says *now*, so that applying it twice is harmless; only a collection
that was moved is renamed, so that any tree is moved at once (`run`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ..blobs.local import LocalBlobs
from ..catalogue import Catalogue, Owner, Reading
from ..clock import Clock
from ..errors import NotFound
from ..model import JournalEntry
from ..paths import DavPath
from .comparing import Difference, Kind, differences, without_pending
from .control import Control, known_ids, locked, peek
from .descriptors import find_stat, open_folder, opened
from .disk import Disk, Names, NotThere, reached
from .follower import Follower
from .run import Run

__all__ = ["Comparison", "Difference", "Follower", "Kind", "Projection"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a tree stands to the catalogue.

    Args:
        known: whether it is known how far the tree has come; otherwise the
            next `Projection.catch_up` compares all of it.
        pending: entries of the journal that are not applied yet.
        pending_since_us: when the first of them was made; None without any.
        differences: those that no pending entry explains.
    """

    known: bool
    pending: int
    pending_since_us: int | None
    differences: list[Difference]


class Projection:
    """All readable trees of one instance; safe for threads and processes.

    Args:
        users: the folder of the trees, made if it is not there.

    Raises:
        OSError: the folder cannot be made.
    """

    def __init__(self, catalogue: Catalogue, blobs: LocalBlobs, clock: Clock, users: Path) -> None:
        users.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._catalogue = catalogue
        self._blobs = blobs
        self._clock = clock
        # The administrator may have made it a link; what comes later is not followed.
        self._users = users.resolve(strict=True)
        #: Whose a space is never changes; an account that is gone is noticed by its journal.
        self._user_ids: dict[int, int] = {}
        self._known: dict[int, Owner] = {}

    def catch_up(self, user_id: int, *, wait: bool = True) -> bool:
        """Bring one tree into line with the catalogue; remove that of a removed account.

        Args:
            wait: for another process that works on it.

        Returns:
            False if another process works on it.

        Raises:
            OSError: the tree cannot be written; it is caught up next time.
            Unavailable: catalogue or store cannot be used now.
        """
        return self._alone(user_id, Run.catch_up, wait=wait)

    def mend(self, user_id: int) -> None:
        """Compare one whole tree with the catalogue and mend it where it stands.

        Raises:
            OSError, Unavailable: as `catch_up`.
        """
        self._alone(user_id, Run.mend)

    def rebuild(self, user_id: int) -> None:
        """Make one tree again from the catalogue, and put it in the old one's place.

        Raises:
            OSError, Unavailable: as `catch_up`; the old tree stays.
        """
        self._alone(user_id, Run.rebuild)

    def lagging(self) -> list[int]:
        """List the users whose trees have something to catch up.

        Raises:
            OSError: the folder of the trees cannot be read.
            Unavailable: the database cannot be used now.
        """
        owners = self.owners()
        with opened(self._users) as users:
            gone = known_ids(users) - {owner.user_id for owner in owners}
            late = [owner.user_id for owner in owners if not _is_current(users, owner)]
        return sorted(gone) + late

    def owners(self) -> list[Owner]:
        """List those who have a space.

        Raises:
            Unavailable: the database cannot be used now.
        """
        with self._catalogue.people() as people:
            return people.owners()

    def owners_of(self, space_ids: Iterable[int]) -> list[int]:
        """Find the users of spaces; removed ones are left out.

        Raises:
            Unavailable: the database cannot be used now.
        """
        asked = set(space_ids)
        if not asked <= self._user_ids.keys():
            self._user_ids |= {owner.space_id: owner.user_id for owner in self.owners()}
        return [self._user_ids[id_] for id_ in asked if id_ in self._user_ids]

    def compare(self, user_id: int) -> Comparison:
        """Compare one tree with the catalogue, changing nothing, while others write.

        The lock holds the tree at its point of the journal; the catalogue goes
        on, and what it changes meanwhile is in the journal.

        Raises:
            NotFound: the account was removed.
            OSError, Unavailable: as `catch_up`.
        """
        owner = self._owner(user_id)
        if owner is None:
            raise NotFound("The account is gone.")
        with locked(self._users, user_id, wait=True) as control:
            assert control is not None  # noqa: S101 - it was waited for
            return self._compare(control, owner)

    @contextmanager
    def find_file(self, user_id: int, path: DavPath) -> Iterator[BinaryIO | None]:
        """Open what a tree shows at a path; None if there is no file."""
        names = tuple(name.encode() for name in path.names)
        with ExitStack() as stack:
            yield self._find_file(stack, user_id, names)

    def _find_file(self, stack: ExitStack, user_id: int, names: Names) -> BinaryIO | None:
        try:
            users = stack.enter_context(opened(self._users))
            folder = stack.enter_context(reached(users, (str(user_id).encode(), *names[:-1])))
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            file = os.open(names[-1], flags, dir_fd=folder)
        except (NotThere, OSError):
            return None
        reader = stack.enter_context(os.fdopen(file, "rb"))
        return reader if stat.S_ISREG(os.fstat(file).st_mode) else None

    def _compare(self, control: Control, owner: Owner) -> Comparison:
        mark = control.find_mark()
        try:
            top = open_folder(control.tree_name, control.users)
        except (FileNotFoundError, NotADirectoryError):
            return Comparison(False, 0, None, [Difference("/", Kind.MISSING)])
        with closing(Disk(control, self._blobs, top)) as disk:
            with self._reading(owner) as reading:
                root, seq = reading.get(DavPath()), reading.journal_seq()
                if mark and reading.find_journal_point(mark.point.seq) != mark.point:
                    mark = None
            if mark and mark.top_inode != disk.inode:
                mark = None
            found = list(differences(disk, root, lambda: self._reading(owner)))
        entries, since_us = self._pending(owner, mark.point.seq if mark else seq)
        left = without_pending(found, entries)
        return Comparison(mark is not None, len(entries), since_us, left)

    def _pending(self, owner: Owner, seq: int) -> tuple[list[JournalEntry], int | None]:
        """List the entries after *seq*, and when the first was made."""
        with self._reading(owner) as reading:
            entries = reading.journal_since(seq)
        return entries, entries[0].at_us if entries else None

    def _alone(self, user_id: int, work: Callable[[Run], None], *, wait: bool = True) -> bool:
        """Do *work* under the lock of a tree; False if the lock cannot be had."""
        with locked(self._users, user_id, wait=wait) as control:
            if control is None:
                return False
            owner = self._known.get(user_id) or self._owner(user_id)
            try:
                if owner is not None:
                    lease = self._clock.lease()
                    work(Run(self._catalogue, self._blobs, owner, control, lease=lease))
                    self._known[user_id] = owner
            except NotFound:
                owner = self._owner(user_id)
                if owner is not None:
                    raise  # the account is there: it is something else that is missing
            if owner is None:
                self._known.pop(user_id, None)
                control.remove()
            return True

    def _owner(self, user_id: int) -> Owner | None:
        with self._catalogue.people() as people:
            return next(iter(people.owners(user_id=user_id)), None)

    @contextmanager
    def _reading(self, owner: Owner) -> Iterator[Reading]:
        with self._catalogue.read(owner.space_id, lease=self._clock.lease()) as reading:
            yield reading


def _is_current(users: int, owner: Owner) -> bool:
    """Whether a tree has come to the end of its journal, as far as its mark says."""
    mark = peek(users, owner.user_id)
    top = find_stat(str(owner.user_id).encode(), users)
    if mark is None or top is None:
        return False
    return mark.point.seq == owner.journal_seq and mark.top_inode == top.st_ino
