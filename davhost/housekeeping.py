"""What ends by itself: locks, scratch, trash, old versions, blobs without a name.

One process at a time does it, on every interval; each step is a short
transaction of its own and may be cut off at any point.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from . import names
from .blobs import BlobMissing, BlobStore
from .catalogue import Catalogue, Writing
from .catalogue.upkeep import Old, is_old, old_aways, old_departed, old_scratch, old_versions
from .changes import Rebind
from .clock import Clock
from .contents import find_faults
from .errors import BadName, Locked, NameRefused, NotFound, QuotaExceeded, Refused
from .model import Kind, Principal, Resource
from .paths import NAME_BYTES_MAX, DavPath, Name
from .policy import Policy, Situation

log = logging.getLogger("davhost.housekeeping")

#: How many rows one step takes on before it lets others write.
_BATCH = 200

#: How many rows are given up before the disk is looked at again.
_RELIEF_BATCH = 20

#: Ends one row; False when it has to stay for now.
End = Callable[[Writing, int], bool | None]

#: Whom the journal names for what housekeeping does.
_NOBODY = 0


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long things are kept, in seconds.

    Args:
        interval_seconds: from one round to the next.
        scratch_seconds: temporaries, after their last write.
        trash_seconds: what was deleted or replaced by a move.
        version_seconds: what a write replaced.
        refusal_seconds: the list of refused names.
    """

    interval_seconds: float = 60
    scratch_seconds: float = 24 * 3600
    trash_seconds: float = 30 * 24 * 3600
    version_seconds: float = 30 * 24 * 3600
    refusal_seconds: float = 90 * 24 * 3600


@dataclass(slots=True)
class Round:
    """What one round did, in numbers."""

    locks: int = 0
    pending_blobs: int = 0
    scratch: int = 0
    put_back: int = 0
    trash: int = 0
    versions: int = 0
    given_up: int = 0
    dead_blobs: int = 0
    lagging_trees: int = 0


class Housekeeping:
    """Ends what has had its time.

    Args:
        policy: puts files back under the same rules as anyone.
        find_lagging: has readable trees caught up that lag, in its own time;
            says how many.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        blobs: BlobStore,
        policy: Policy,
        clock: Clock,
        keeping: Keeping | None = None,
        *,
        find_lagging: Callable[[], int] = lambda: 0,
    ) -> None:
        self._catalogue = catalogue
        self._blobs = blobs
        self._policy = policy
        self._clock = clock
        self._keeping = keeping or Keeping()
        self._find_lagging = find_lagging

    def run(self, stop: threading.Event) -> None:
        """Do a round on every interval until *stop* is set; nothing ends it early."""
        while not stop.is_set():
            try:
                if self._is_on_duty():
                    self.round()
            except Refused as refused:  # the database is away: next time
                log.warning("housekeeping waits: %s", refused.sentence)
            except Exception:
                log.exception("housekeeping failed")
            stop.wait(self._keeping.interval_seconds)

    def round(self) -> Round:
        """Do everything once, and say how much it was."""
        done = Round()
        with self._catalogue.upkeep(writes=True) as upkeep:
            done.locks = upkeep.drop_expired_locks(self._clock.lease())
            upkeep.drop_throttles(self._clock.lease() - 3600)
            upkeep.drop_refusals(self._before_us(self._keeping.refusal_seconds))
        done.pending_blobs = self._blobs.sweep(self._live_blobs)
        keeping = self._keeping
        scratch_us = self._before_us(keeping.scratch_seconds)
        done.put_back = self._each(old_aways(scratch_us), self._put_back)
        done.scratch = self._each(old_scratch(scratch_us), self._sweep)
        trash_us = self._before_us(keeping.trash_seconds)
        done.trash = self._each(old_departed(trash_us), Writing.erase)
        version_us = self._before_us(keeping.version_seconds)
        done.versions = self._each(old_versions(version_us), Writing.erase_version)
        done.given_up = self._relieve_disk()
        done.dead_blobs = self._delete_dead_blobs()
        done.lagging_trees = self._find_lagging()
        if any(asdict(done).values()):
            log.info("housekeeping: %s", asdict(done))
        return done

    def _is_on_duty(self) -> bool:
        with self._catalogue.upkeep(writes=True) as upkeep:
            return upkeep.take_duty(
                "housekeeping", self._clock.lease(), self._keeping.interval_seconds * 0.9
            )

    def _before_us(self, seconds: float) -> int:
        return self._clock.now_us() - int(seconds * 1_000_000)

    def _live_blobs(self, keys: Sequence[str]) -> set[str]:
        with self._catalogue.upkeep(writes=True) as upkeep:
            return upkeep.live_blobs(keys)

    def _each(self, old: Old, end: End) -> int:
        """Apply *end* to everything that *old* finds, in batches; return how much ended."""
        ended = stayed = 0
        while True:
            with self._catalogue.upkeep(writes=False) as upkeep:
                rows = upkeep.list_old(old, stayed, _BATCH)
            done = sum(self._end_one(space_id, row_id, old, end) for space_id, row_id in rows)
            ended += done
            stayed += len(rows) - done
            if len(rows) < _BATCH:
                return ended

    def _relieve_disk(self) -> int:
        """Give up trash, then versions, the oldest first, while the disk is full.

        Otherwise nobody could make room: what people delete is kept.
        """
        given_up = 0
        now_us = self._clock.now_us()
        ends: tuple[tuple[Old, End], ...] = (
            (old_departed(now_us), Writing.erase),
            (old_versions(now_us), Writing.erase_version),
        )
        for old, end in ends:
            while self._blobs.is_full():
                with self._catalogue.upkeep(writes=False) as upkeep:
                    rows = upkeep.list_old(old, 0, _RELIEF_BATCH)
                ended = sum(self._end_one(space_id, row_id, old, end) for space_id, row_id in rows)
                given_up += ended
                if not ended:
                    break
        return given_up

    def _end_one(self, space_id: int, row_id: int, old: Old, end: End) -> bool:
        try:
            with self._catalogue.write(
                space_id,
                lease=self._clock.lease(),
                now_us=self._clock.now_us(),
                user_id=_NOBODY,
            ) as tx:
                # Somebody may have saved to it, or taken it back, since it was listed.
                ended = is_old(tx.connection, old, row_id) and end(tx, row_id)
        except NotFound:  # removed meanwhile
            return False
        for key in tx.dead_keys:
            self._blobs.delete(key)
        return ended is not False

    def _sweep(self, tx: Writing, resource_id: int) -> bool:
        scratch = tx.get_by_id(resource_id)
        path = tx.path_of(scratch)
        if path is None:
            return False  # in a departed folder, and goes with it
        if _is_locked(tx, path):
            return False  # a program still has it open
        if self._kind_at(tx, path) is Kind.FILE and self._fits(tx, scratch, path):
            return self._rebind(tx, scratch, path, path)  # the rules have changed
        tx.sweep(scratch, path)
        _sweep_folder(tx, path.parent)
        return True

    def _put_back(self, tx: Writing, resource_id: int) -> bool:
        """Give a file its name back that a saving program took away and never returned."""
        away = tx.get_by_id(resource_id)
        path, home = tx.path_of(away), tx.home_of(away)
        if path is None or home is None:
            return False
        if self._kind_at(tx, path) is Kind.FILE and self._fits(tx, away, path):
            return self._rebind(tx, away, path, path)  # by the rules it may stay
        parent, name = home
        parent_path = tx.path_of(parent) if parent is not None else None
        place = _free_place(tx, parent_path or DavPath(), name)
        if not self._rebind(tx, away, path, place):
            return False
        _sweep_folder(tx, path.parent)
        return True

    def _rebind(self, tx: Writing, target: Resource, path: DavPath, place: DavPath) -> bool:
        """Make *target* a file at *place*; say no where anyone would be refused."""
        parent = tx.get(place.parent)
        change = Rebind(place, parent, path, target, Kind.FILE, away=False, names=frozenset())
        locks = tx.locks_touching([path, place], below=True)
        owner = Principal(_NOBODY, "housekeeping", tx.space_id)
        try:
            permit = self._policy.permit([change], Situation(owner, tx.space(), locks))
        except (Locked, NameRefused, QuotaExceeded):
            return False
        tx.apply(permit)
        return True

    def _fits(self, tx: Writing, target: Resource, path: DavPath) -> bool:
        """Whether the content of *target* may be a file of the name at *path*."""
        rules = self._policy.rules_of(tx.space())
        if target.blob_key is None or not self._policy.judges_contents(rules):
            return True
        try:
            with self._blobs.open(target.blob_key) as content:
                faults = find_faults(content, path.name.extension)
        except BlobMissing:
            return False
        return not any(self._policy.contents.minds(fault) for fault in faults)

    def _kind_at(self, tx: Writing, path: DavPath) -> Kind:
        """What the rules make of the name at *path* now."""
        try:
            return self._policy.kind_of(path, self._policy.rules_of(tx.space()))
        except (BadName, NameRefused):
            return Kind.SCRATCH

    def _delete_dead_blobs(self) -> int:
        """Delete the bytes first, then the rows that remember to delete them."""
        deleted = 0
        while True:
            with self._catalogue.upkeep(writes=False) as upkeep:
                keys = upkeep.dead_blobs(_BATCH)
            if not keys:
                return deleted
            for key in keys:
                self._blobs.delete(key)
            with self._catalogue.upkeep(writes=True) as upkeep:
                upkeep.forget_dead_blobs(keys)
            deleted += len(keys)


def _is_locked(tx: Writing, path: DavPath) -> bool:
    return any(lock.covers(path) for lock in tx.locks_touching([path], below=False))


def _sweep_folder(tx: Writing, path: DavPath) -> None:
    """Remove the folder that a program made to save in, once it is empty."""
    if path.is_root or not names.is_temporary_folder(path.name) or _is_locked(tx, path):
        return
    folder = tx.get(path)
    if not tx.members(folder):
        tx.sweep(folder, path)
        _sweep_folder(tx, path.parent)


def _free_place(tx: Writing, parent: DavPath, name: Name) -> DavPath:
    """Find a free name in *parent*: *name* itself, or one that says it was restored."""
    place, number = parent.child(name), 0
    while tx.find(place) is not None:
        number += 1
        mark = " (restored)" if number == 1 else f" (restored {number})"
        place = parent.child(_marked(name, mark))
    return place


def _marked(name: Name, mark: str) -> Name:
    """Put *mark* before the extension of *name*, which is shortened if it has to be."""
    stem, dot, extension = name.rpartition(".")
    if not dot:
        stem, extension = extension, ""
    end = f"{mark}{dot}{extension}"
    room_bytes = NAME_BYTES_MAX - len(end.encode())
    return Name(stem.encode()[: max(0, room_bytes)].decode(errors="ignore") + end)
