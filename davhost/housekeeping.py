"""What ends by itself: locks, scratch, trash, old versions, blobs without a name.

One process at a time does it, on every interval; each step is a short
transaction of its own and may be cut off at any point.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial

from . import names
from .blobs import BlobMissing, BlobStore
from .catalogue import Catalogue, Writing
from .catalogue.upkeep import (
    Chore,
    Old,
    in_space,
    is_old,
    old_aways,
    old_departed,
    old_scratch,
    old_versions,
    thinned_versions,
)
from .changes import Rebind
from .clock import Clock
from .contents import find_faults
from .errors import BadName, Locked, NameRefused, NotFound, QuotaExceeded, Refused
from .model import Kind, Principal, Resource, Space
from .paths import DavPath
from .policy import Policy, Situation

log = logging.getLogger("davhost.housekeeping")

#: How many rows one step takes on before it lets others write.
_BATCH = 200

#: How often is done what reads whole tables.
_THOROUGH_SECONDS = 3600

_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US

#: How many days back it is known how much spaces held.
_USE_DAYS = 400

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
        version_all_seconds: after that, of what was replaced within one hour
            only the last is kept,
        version_hourly_seconds: and after that, of what was replaced on one day.
        kept_percent: how much of its quota a space may keep in trash and
            versions, even where its files need the room.
        refusal_seconds: the list of refused names.
        session_idle_seconds: a browser's session, after its last use.
    """

    interval_seconds: float = 60
    scratch_seconds: float = 24 * 3600
    trash_seconds: float = 30 * 24 * 3600
    version_seconds: float = 30 * 24 * 3600
    version_all_seconds: float = 24 * 3600
    version_hourly_seconds: float = 7 * 24 * 3600
    kept_percent: float = 50
    refusal_seconds: float = 90 * 24 * 3600
    session_idle_seconds: float = 14 * 24 * 3600


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
        self._thorough_at = -math.inf

    def run(self, stop: threading.Event) -> None:
        """Do a round on every interval until *stop* is set; nothing ends it early."""
        while not stop.is_set():
            try:
                if self._is_on_duty():
                    self.round()
                    self._note_done()
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
            upkeep.drop_expired_sessions(self._clock.lease(), self._keeping.session_idle_seconds)
            upkeep.drop_expired_tickets(self._clock.lease())
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
        if self._clock.lease() - self._thorough_at >= _THOROUGH_SECONDS:
            done.versions += self._thin_versions()
            done.given_up += self._fit_quotas()
            self._write_use()
            self._thorough_at = self._clock.lease()
        done.given_up += self._give_up(self._blobs.is_full, self._clock.now_us())
        done.dead_blobs = self._delete_dead_blobs()
        done.lagging_trees = self._find_lagging()
        told = [f"{what}={count}" for what, count in asdict(done).items() if count]
        if told:
            log.info("%s", " ".join(told))
        return done

    def _is_on_duty(self) -> bool:
        with self._catalogue.upkeep(writes=True) as upkeep:
            return upkeep.take_duty(
                "housekeeping", self._clock.lease(), self._keeping.interval_seconds * 0.9
            )

    def _note_done(self) -> None:
        with self._catalogue.upkeep(writes=True) as upkeep:
            upkeep.note_done(Chore.HOUSEKEEPING, self._clock.now_us())

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

    def _thin_versions(self) -> int:
        """Keep one version of an hour, and later one of a day."""
        keeping = self._keeping
        hourly = thinned_versions(self._before_us(keeping.version_all_seconds), _HOUR_US)
        daily = thinned_versions(self._before_us(keeping.version_hourly_seconds), _DAY_US)
        return sum(self._each(old, Writing.erase_version) for old in (hourly, daily))

    def _fit_quotas(self) -> int:
        """Have trash and versions make room where they take more than their share.

        Never those of the last day: whoever fills or spoils a drive does not
        empty its trash by it.
        """
        given_up = 0
        before_us = self._before_us(self._keeping.version_all_seconds)
        with self._catalogue.upkeep(writes=False) as upkeep:
            kept = upkeep.kept_bytes()
        for space, kept_bytes in kept:
            if self._exceeds(space, kept_bytes):
                exceeds = partial(self._still_exceeds, space.id)
                given_up += self._give_up(exceeds, before_us, space.id)
        return given_up

    def _write_use(self) -> None:
        """Write down once a day how much every space holds."""
        today = self._clock.now_us() // _DAY_US
        with self._catalogue.upkeep(writes=False) as upkeep:
            if not upkeep.storage.lacks(today):
                return
            uses = upkeep.storage.now()
        with self._catalogue.upkeep(writes=True) as upkeep:
            upkeep.storage.write(today, uses)
            upkeep.storage.drop(today - _USE_DAYS)

    def _still_exceeds(self, space_id: int) -> bool:
        with self._catalogue.upkeep(writes=False) as upkeep:
            return any(self._exceeds(*kept) for kept in upkeep.kept_bytes(space_id))

    def _exceeds(self, space: Space, kept_bytes: int) -> bool:
        share_bytes = (space.quota_bytes or 0) * self._keeping.kept_percent / 100
        return kept_bytes > max(share_bytes, space.room_bytes or 0)

    def _give_up(
        self, is_needed: Callable[[], bool], before_us: int, space_id: int | None = None
    ) -> int:
        """Give up trash, then versions, the oldest first, while it is needed.

        Otherwise nobody could make room: what people delete is kept.

        Args:
            before_us: only what was deleted or replaced before.
            space_id: of one space; None for all.
        """
        given_up = 0
        ends: tuple[tuple[Old, End], ...] = (
            (old_departed(before_us), Writing.erase),
            (old_versions(before_us), Writing.erase_version),
        )
        for everywhere, end in ends:
            old = everywhere if space_id is None else in_space(everywhere, space_id)
            stayed = 0
            while is_needed():
                with self._catalogue.upkeep(writes=False) as upkeep:
                    rows = upkeep.list_old(old, stayed, _BATCH)
                if not rows:
                    break
                for home, row_id in rows:
                    if is_needed():
                        ended = self._end_one(home, row_id, old, end)
                        given_up += ended
                        stayed += not ended
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
                # Where the brake is on, everything is needed to go back.
                is_free = tx.space().braked_us is None and is_old(tx.connection, old, row_id)
                ended = is_free and end(tx, row_id)
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
        place = tx.free_place(parent_path or DavPath(), name)
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
