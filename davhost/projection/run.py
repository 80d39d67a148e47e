"""One user's tree is brought up to date, under its lock."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace

from ..blobs.local import LocalBlobs
from ..catalogue import Catalogue, Owner, Reading
from ..model import JournalEntry, JournalPoint, Resource
from ..paths import DavPath
from .batches import Dirty, named, replayed
from .control import Control, Mark
from .descriptors import find_stat, is_folder, open_folder, own_folder
from .disk import FOLDER_MODE, Disk, Names, NotThere

#: How many entries of the journal are applied at once.
BATCH = 500


class Run:
    """Brings one tree into line with the catalogue.

    Nothing is held in the catalogue while the disk works, but for a moment
    while folders are renamed. What is read later than the entries is newer than
    they are; then the mark is not `Mark.exact`, and the next entries, which
    name all that is newer, are applied without renaming anything.

    Args:
        lease: any time; locks are not looked at.
        control: of the same user, locked.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        blobs: LocalBlobs,
        owner: Owner,
        control: Control,
        *,
        lease: float,
    ) -> None:
        self._catalogue = catalogue
        self._blobs = blobs
        self._owner = owner
        self._control = control
        self._lease = lease
        self._read_on = False

    def catch_up(self) -> None:
        """Apply every entry of the journal that was not applied."""
        while self._advance():
            pass
        self._control.clear()

    def mend(self) -> None:
        """Compare the whole tree with the catalogue, and mend it where it stands."""
        self._control.drop_mark()
        self.catch_up()

    def rebuild(self) -> None:
        """Make the whole tree anew beside the old one, then put it in its place."""
        fresh = self._control.new_name("new")
        made, _ = own_folder(fresh, self._control.folder, FOLDER_MODE)
        with closing(Disk(self._control, self._blobs, made)) as disk:
            with self._old_top() as disk.old_top:
                point = self._fill_all(disk)
            self._control.drop_mark()
            self._control.discard(self._control.users, self._control.tree_name)
            os.rename(
                fresh,
                self._control.tree_name,
                src_dir_fd=self._control.folder,
                dst_dir_fd=self._control.users,
            )
            self._finish(disk, point, exact=True)
        self.catch_up()

    def _align(self) -> None:
        self._control.drop_mark()
        with self._top() as disk:
            point = self._fill_all(disk)
            self._finish(disk, point, exact=True)

    # -- the journal

    def _advance(self) -> bool:
        """Apply the next entries; False if there are no more."""
        mark = self._find_mark()
        if mark is None:
            self._align()
            return True
        with self._top() as disk:
            with self._reading() as reading:
                entries = _entries_after(reading, mark.point)
                if entries is None:
                    self._control.drop_mark()  # the database was restored from a backup
                    return True
                if not entries:
                    reading.journal_seq()  # the account is there
                    return False
                end = entries[-1].point
                dirty = self._begin(disk, mark, entries)
                found = reading.find_all(dirty)
                brought = [found[path] for path in dirty if dirty[path] and path in found]
                full = reading.have_members([r for r in brought if r.is_collection])
                exact = reading.journal_seq() == end.seq
            self._read_on = False
            # Those in one folder follow each other, and each folder those above it.
            for path in sorted(dirty, key=lambda path: (len(path.names), path.names)):
                resource = found.get(path)
                empty = resource is not None and dirty[path] and resource.id not in full
                self._settle(disk, path, resource, brings_members=dirty[path], empty=empty)
            return not self._finish(disk, end, exact=exact)

    def _find_mark(self) -> Mark | None:
        """Find how far the tree has come; None if it is another folder than then."""
        mark = self._control.find_mark()
        top = find_stat(self._control.tree_name, self._control.users)
        if mark is None or top is None or not stat.S_ISDIR(top.st_mode):
            return None
        return mark if top.st_ino == mark.top_inode else None

    def _begin(self, disk: Disk, mark: Mark, entries: list[JournalEntry]) -> Dirty:
        """Rename what can be renamed; find out what else is to be looked at."""
        if any(entry.source is not None for entry in entries):
            # From here to the end the tree is between two points.
            self._control.write_mark(replace(mark, exact=False))
            if mark.exact and self._moves_folders(disk, entries):
                return replayed(entries, lambda old, new: disk.move(_names(old), _names(new)))
        return named(entries)

    def _moves_folders(self, disk: Disk, entries: list[JournalEntry]) -> bool:
        return any(entry.source and disk.has_folder(_names(entry.source)) for entry in entries)

    def _finish(self, disk: Disk, point: JournalPoint, *, exact: bool) -> bool:
        """Write the mark.

        Args:
            exact: whether all that was read before `_read_on` was read at *point*.

        Returns:
            Whether the journal ended there all the time.
        """
        if exact and self._read_on:
            with self._reading() as reading:
                exact = reading.journal_seq() == point.seq
        self._control.write_mark(Mark(point, disk.inode, exact))
        return exact

    # -- paths

    def _settle(
        self,
        disk: Disk,
        path: DavPath,
        resource: Resource | None,
        *,
        brings_members: bool,
        empty: bool = False,
    ) -> None:
        """Bring one path into line with what the catalogue has there.

        Args:
            brings_members: whether a folder that stands there may lack members.
            empty: the resource is a collection without members.
        """
        names = _names(path)
        if resource is None:
            with suppress(NotThere):
                disk.discard(disk.reach(names[:-1]), names[-1])
            return
        if path.is_root:
            made: bool | None = False
        else:
            if not disk.stands(names[:-1]):
                self._mend(disk, path.parent)
            try:
                made = self._show(disk, names, resource)
            except NotThere:
                return  # it has moved on with its folder: later entries say so
        if made is None or (made and empty):
            return
        if made or brings_members:
            self._fill(disk, [(names, resource)])

    def _show(self, disk: Disk, names: Names, resource: Resource) -> bool | None:
        """See that it stands there; say whether a folder was made, None if there is none."""
        folder = disk.reach(names[:-1])
        if resource.is_collection:
            return disk.make(folder, names[-1])
        disk.place(folder, names[-1], resource, names)
        return None

    def _mend(self, disk: Disk, path: DavPath) -> None:
        """Bring back the topmost folder on the way to *path* that is missing."""
        for length in range(1, len(path.names) + 1):
            top = DavPath(path.names[:length])
            if not disk.stands(_names(top)):
                with self._reading() as reading:
                    self._read_on = True
                    resource = reading.find(top)
                self._settle(disk, top, resource, brings_members=True)
                return

    def _fill_all(self, disk: Disk) -> JournalPoint:
        """Bring the whole tree into line; return the point of the journal before."""
        with self._reading() as reading:
            point = reading.find_journal_point(reading.journal_seq())
            root = reading.get(DavPath())
        self._fill(disk, [((), root)])
        return point or JournalPoint(0, 0, 0)

    def _fill(self, disk: Disk, waiting: list[tuple[Names, Resource]]) -> None:
        """Bring collections into line with all that is below them."""
        self._read_on = True
        while waiting:
            names, collection = waiting.pop()
            with self._reading() as reading:
                members = reading.members(collection)
            with suppress(NotThere):
                waiting += disk.align(names, members)

    # -- what it stands on

    @contextmanager
    def _reading(self) -> Iterator[Reading]:
        with self._catalogue.read(self._owner.space_id, lease=self._lease) as reading:
            yield reading

    @contextmanager
    def _top(self) -> Iterator[Disk]:
        """Open the top folder of the tree, made if it is missing."""
        control = self._control
        top, _ = own_folder(control.tree_name, control.users, FOLDER_MODE)
        with closing(Disk(control, self._blobs, top)) as disk:
            yield disk

    @contextmanager
    def _old_top(self) -> Iterator[int | None]:
        """Open the top folder if there is one."""
        if not is_folder(self._control.tree_name, self._control.users):
            yield None
            return
        top = open_folder(self._control.tree_name, self._control.users)
        try:
            yield top
        finally:
            os.close(top)


def _names(path: DavPath) -> Names:
    return tuple(name.encode() for name in path.names)


def _entries_after(reading: Reading, point: JournalPoint) -> list[JournalEntry] | None:
    """List the next entries; None if the journal has another past than *point*."""
    if point.seq == 0:
        return reading.journal_since(0, limit=BATCH)
    entries = reading.journal_since(point.seq - 1, limit=BATCH + 1)
    return entries[1:] if entries and entries[0].point == point else None
