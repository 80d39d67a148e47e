"""Take in files, some of them at once, and go on after a refusal.

Every file comes through the door of the tree, as if a client had sent it: the
same names, content checks, quota and locks. A second run finds what is there
already and goes on where the first one broke off.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial
from typing import BinaryIO

from ..errors import DiskFull, Refused, Unavailable
from ..model import Kind, Resource
from ..names import NameClass, Verdict
from ..paths import DavPath, Name
from ..tree import Tree
from .items import Item, Report, Trouble

#: Temporaries that mean nothing without the program that made them.
_NOT_MISSED = frozenset({NameClass.LITTER, NameClass.OWNER_MARK, NameClass.SWAP})

_BLOCK_BYTES = 1 << 20

#: So many small files come in at once: most of their time they wait for the disk.
_AT_ONCE = 8
#: A larger file comes in alone: it waits for the disk no more than it works, and
#: whoever interrupts the program does not wait for the end of it.
_SMALL_BYTES_MAX = 1 << 20


class Existing(Enum):
    """What happens to a file that is there already with other content."""

    REFUSE = auto()
    SKIP = auto()
    OVERWRITE = auto()


@dataclass(slots=True)
class _Place:
    """A collection that takes in members now.

    Args:
        members: what it has, by name; what comes in is not added.
        taken: how the members that came are spelled where they come from.
    """

    path: DavPath
    members: dict[str, Resource]
    taken: dict[str, str] = field(default_factory=dict)


class Intake:
    """Takes items into one space.

    Args:
        top: the collection that they come into; made if it is not there.
        hard_links: whether files may become blobs themselves, see `Tree.adopt`.
        dry_run: say what would happen, and change nothing.
    """

    def __init__(
        self,
        tree: Tree,
        top: DavPath,
        *,
        existing: Existing = Existing.REFUSE,
        hard_links: bool = False,
        dry_run: bool = False,
    ) -> None:
        self._tree = tree
        self._top = top
        self._existing = existing
        self._hard_links = hard_links
        self._dry_run = dry_run
        self._report = Report()
        self._places: list[_Place | None] = []
        #: What came, in its order, and the files among it that are still on their way.
        self._coming: deque[tuple[Item, Future[None] | None]] = deque()

    def run(
        self, items: Iterable[Item], on_done: Callable[[Item], None] = lambda _: None
    ) -> Report:
        """Take in all *items*.

        Args:
            on_done: is told of every item that is behind us, taken or not.

        Raises:
            Refused: the collection that they should come into cannot be made.
        """
        self._places = [self._make_top()]
        with ThreadPoolExecutor(_AT_ONCE, "intake") as pool:
            for item in items:
                self._coming.append((item, self._attempt(item, partial(self._take, item, pool))))
                self._wait_for(on_done, coming_max=2 * _AT_ONCE)
                if self._report.stopped is not None:
                    break
            self._wait_for(on_done, coming_max=0)
        # What came in at once was not refused in the order in which it stands there.
        self._report.refused.sort(key=lambda trouble: trouble.path.split("/"))
        return self._report

    def _wait_for(self, on_done: Callable[[Item], None], coming_max: int) -> None:
        while len(self._coming) > coming_max:
            item, coming = self._coming.popleft()
            if coming is not None:
                self._attempt(item, partial(self._note, item, coming))
            on_done(item)

    def _attempt(self, item: Item, step: Callable[[], Future[None] | None]) -> Future[None] | None:
        """Do a step for *item*; what it raises goes into the report."""
        try:
            return step()
        except (DiskFull, Unavailable) as refused:  # so would be all that follow
            self._report.stopped = refused.sentence
        except Refused as refused:
            self._report.refuse(item.shown, refused.sentence or refused.phrase)
        except OSError as error:
            self._report.refuse(item.shown, f"It cannot be read: {error.strerror}")
        return None

    def _take(self, item: Item, pool: ThreadPoolExecutor) -> Future[None] | None:
        """Take in one item, or begin to.

        Raises:
            Refused: the tree does not want it.
            OSError: it cannot be read.
        """
        del self._places[len(item.names) :]
        place = self._places[-1]
        if item.is_collection:
            self._places.append(None)  # until it is there, nothing comes into it
        if item.obstacle is not None:
            self._report.refuse(item.shown, item.obstacle)
        elif place is None:
            self._report.refuse(item.shown, "Its folder was not taken in.")
        else:
            path = place.path.child(Name(item.names[-1]))
            twin = place.taken.setdefault(path.name, item.names[-1])
            if twin != item.names[-1]:
                self._report.refuse(item.shown, "Another one has this name, in other code points.")
            elif item.is_collection:
                self._places[-1] = self._enter(path, place.members.get(path.name), item)
            else:
                return self._take_file(path, place.members.get(path.name), item, pool)
        return None

    # -- collections

    def _make_top(self) -> _Place:
        """Make the collection that everything comes into, and those above it."""
        for path in reversed(list(self._top.lineage())):
            found = self._tree.find(path)
            if found is None and not self._dry_run:
                self._tree.make_collection(path)
            elif found is None or not found.is_collection:
                return _Place(self._top, {})  # the first member says what is wrong
        return self._look(self._top)

    def _enter(self, path: DavPath, found: Resource | None, item: Item) -> _Place | None:
        if found is not None and not found.is_collection:
            self._report.refuse(item.shown, "There is a file of this name.")
            return None
        if found is not None:
            return self._look(path)
        if not self._dry_run:
            self._tree.make_collection(path, updates=item.properties, modified_us=item.modified_us)
        self._report.collections += 1
        return _Place(path, {})

    def _look(self, path: DavPath) -> _Place:
        listing = self._tree.listing(path, depth=1, dead=False, locks=False)
        return _Place(path, {entry.name: entry.resource for entry in listing.entries[1:]})

    # -- files

    def _take_file(
        self, path: DavPath, found: Resource | None, item: Item, pool: ThreadPoolExecutor
    ) -> Future[None] | None:
        verdict = self._tree.verdict(path)
        if verdict.name_class in _NOT_MISSED:
            self._report.left_out.append(Trouble(item.shown, verdict.reason))
        elif verdict.name_class.kind is Kind.SCRATCH:
            reason = f"It would not be kept: {verdict.reason}."
            self._report.refuse(item.shown, reason)
        elif found is None:
            return self._adopt(path, item, verdict, pool)
        elif found.is_collection:
            self._report.refuse(item.shown, "There is a folder of this name.")
        elif self._existing is Existing.SKIP or _looks_the_same(found, item):
            self._report.unchanged += 1
        elif self._has_content_of(item, path, found):
            self._keep(path, item)
        elif self._existing is Existing.OVERWRITE:
            return self._adopt(path, item, verdict, pool)
        else:
            self._report.refuse(item.shown, "There is another file of this name.")
        return None

    def _keep(self, path: DavPath, item: Item) -> None:
        """Leave a file that holds the same; only its date may be another."""
        if self._existing is Existing.OVERWRITE and not self._dry_run:
            self._tree.patch(path, item.properties, modified_us=item.modified_us)
        self._report.unchanged += 1

    def _adopt(
        self, path: DavPath, item: Item, verdict: Verdict, pool: ThreadPoolExecutor
    ) -> Future[None] | None:
        if self._dry_run:
            if verdict.name_class.kind is None:
                self._report.refuse(item.shown, f"{verdict.reason}.")
            else:
                self._note(item)
            return None
        source = item.open()
        if item.size_bytes <= _SMALL_BYTES_MAX:
            return pool.submit(self._write, path, item, source)
        self._write(path, item, source)
        self._note(item)
        return None

    def _write(self, path: DavPath, item: Item, source: BinaryIO) -> None:
        with source:
            self._tree.adopt(path, source, hard_link=self._hard_links, modified_us=item.modified_us)
        if item.properties:
            self._tree.patch(path, item.properties)

    def _note(self, item: Item, coming: Future[None] | None = None) -> None:
        """Count a file that has come in.

        Args:
            coming: waited for; what it raises, this does.
        """
        if coming is not None:
            coming.result()
        self._report.files += 1
        self._report.size_bytes += item.size_bytes

    def _has_content_of(self, item: Item, path: DavPath, found: Resource) -> bool:
        if found.size_bytes != item.size_bytes:
            return False
        if not item.size_bytes:
            return True
        return self._tree.sha256_of(path) == (item.sha256 or _sha256(item))


def _looks_the_same(found: Resource, item: Item) -> bool:
    """Whether an earlier run brought it: the same length and date, to the microsecond."""
    return found.size_bytes == item.size_bytes and found.modified_us == item.modified_us


def _sha256(item: Item) -> str:
    """Read and hash a file."""
    with item.open() as source:
        os.posix_fadvise(source.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
        total = hashlib.sha256()
        while block := source.read(_BLOCK_BYTES):
            total.update(block)
    return total.hexdigest()
