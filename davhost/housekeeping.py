"""What ends by itself: locks, scratch, trash, old versions, blobs without a name.

One process at a time does it, on every interval; each step is a short
transaction of its own and may be cut off at any point.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from .blobs import BlobStore
from .catalogue import Catalogue, Upkeep, Writing
from .changes import Rebind
from .clock import Clock
from .errors import Locked, NotFound, Refused
from .model import Kind, Principal
from .paths import DavPath, Name
from .policy import Policy, Situation

log = logging.getLogger("davhost.housekeeping")

#: How many rows one step takes on before it lets others write.
_BATCH = 200

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
    dead_blobs: int = 0


class Housekeeping:
    """Ends what has had its time.

    Args:
        policy: puts files back under the same rules as anyone.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        blobs: BlobStore,
        policy: Policy,
        clock: Clock,
        keeping: Keeping | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._blobs = blobs
        self._policy = policy
        self._clock = clock
        self._keeping = keeping or Keeping()

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
        done.put_back = self._each(Upkeep.old_aways, keeping.scratch_seconds, self._put_back)
        done.scratch = self._each(Upkeep.old_scratch, keeping.scratch_seconds, self._sweep)
        done.trash = self._each(Upkeep.old_departed, keeping.trash_seconds, Writing.erase)
        done.versions = self._each(
            Upkeep.old_versions, keeping.version_seconds, Writing.erase_version
        )
        done.dead_blobs = self._delete_dead_blobs()
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

    def _each(
        self,
        find: Callable[[Upkeep, int, int], list[tuple[int, int]]],
        seconds: float,
        end: Callable[[Writing, int], bool | None],
    ) -> int:
        """Apply *end* to everything that *find* lists, in batches.

        Args:
            end: returns False for what has to stay for now.
        """
        ended = 0
        while True:
            with self._catalogue.upkeep(writes=False) as upkeep:
                old = find(upkeep, self._before_us(seconds), _BATCH)
            done = sum(self._end_one(space_id, row_id, end) for space_id, row_id in old)
            ended += done
            if done < _BATCH:
                return ended

    def _end_one(
        self, space_id: int, row_id: int, end: Callable[[Writing, int], bool | None]
    ) -> bool:
        try:
            with self._catalogue.write(
                space_id,
                lease=self._clock.lease(),
                now_us=self._clock.now_us(),
                user_id=_NOBODY,
            ) as tx:
                ended = end(tx, row_id)
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
        if any(lock.covers(path) for lock in tx.locks_touching([path], below=False)):
            return False  # a program still has it open
        tx.sweep(scratch, path)
        return True

    def _put_back(self, tx: Writing, resource_id: int) -> bool:
        """Give a file its name back that a saving program took away and never returned."""
        away = tx.get_by_id(resource_id)
        path, home = tx.path_of(away), tx.home_of(away)
        if path is None:
            return False
        if self._policy.rules_of(tx.space()).extensions is None:
            parent, place = tx.get(path.parent), path  # any name may stay here
        else:
            parent, name = home if home else (tx.get(DavPath()), Name.known(away.name))
            parent_path = tx.path_of(parent)
            if parent_path is None:
                parent, parent_path = tx.get(DavPath()), DavPath()
            place = _free_place(tx, parent_path, name)
        change = Rebind(place, parent, path, away, Kind.FILE, away=False, names=frozenset())
        locks = tx.locks_touching([path, place], below=True)
        owner = Principal(_NOBODY, "housekeeping", tx.space_id)
        try:
            tx.apply(self._policy.permit([change], Situation(owner, tx.space(), locks)))
        except Locked:
            return False
        return True

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


def _free_place(tx: Writing, parent: DavPath, name: Name) -> DavPath:
    """Find a free name in *parent*: *name* itself, or one that says it was restored."""
    stem, dot, extension = name.rpartition(".") if "." in name else (str(name), "", "")
    place, number = parent.child(name), 0
    while tx.find(place) is not None:
        number += 1
        mark = " (restored)" if number == 1 else f" (restored {number})"
        place = parent.child(Name(f"{stem[:60]}{mark}{dot}{extension}"))
    return place
