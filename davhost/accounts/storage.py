"""How much accounts hold, and how it has grown."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ..blobs import BlobStore
from ..catalogue import Account, Catalogue
from ..catalogue.storage import DayUse, Use
from ..clock import Clock

_DAY_US = 86_400_000_000

#: How far before the days that are asked for the last one before them may be: a
#: server that stood still for longer does not know any more what was there.
_STANDSTILL_DAYS = 30


@dataclass(frozen=True, slots=True)
class History:
    """What one account holds now, and what it held before.

    Args:
        today: days since 1970 UTC.
        days: what is written down, the oldest day first.
    """

    account: Account
    now: Use
    today: int
    days: Sequence[DayUse]

    def find_at(self, day: int) -> Use | None:
        """Find what the account held when *day* began; None where that is not known.

        Nothing is written down while the server stands still, and nothing changes:
        then what was found when it went on is what was there all the time.
        """
        first = bisect_left(self.days, day, key=lambda it: it.day)
        next_ = self.days[first] if first < len(self.days) else DayUse(self.today + 1, self.now)
        if first > 0 or next_.day == day:
            return next_.use
        made_later = self.account.created_us >= day * _DAY_US
        return Use(self.now.space_id, 0, 0, 0) if made_later else None

    def growth(self, days: int) -> int | None:
        """How many bytes have come since so many days ago; None where that is not known."""
        before = self.find_at(self.today - days)
        return None if before is None else _bytes(self.now) - _bytes(before)


@dataclass(frozen=True, slots=True)
class Report:
    """What all accounts hold.

    Args:
        histories: of every account, who holds most first.
        now_us: when this was found out.
        room_bytes: what uploads may still bring to the disk; None where that is not known.
    """

    histories: Sequence[History]
    now_us: int
    room_bytes: int | None

    @property
    def today(self) -> int:
        """Days since 1970 UTC."""
        return self.now_us // _DAY_US

    @property
    def now(self) -> Use:
        """All accounts together."""
        return _sum([history.now for history in self.histories])

    def find_at(self, day: int) -> Use | None:
        """Find what all of them held when *day* began; None where that is not known."""
        uses = [history.find_at(day) for history in self.histories]
        known = [use for use in uses if use is not None]
        return _sum(known) if len(known) == len(uses) else None


class Storage:
    """What accounts hold in the catalogue, and what is free for their bytes."""

    def __init__(self, catalogue: Catalogue, blobs: BlobStore, clock: Clock) -> None:
        self._catalogue = catalogue
        self._blobs = blobs
        self._clock = clock

    def report(self, days: int) -> Report:
        """Gather what all accounts hold, and held in the last *days*."""
        now_us = self._clock.now_us()
        today = now_us // _DAY_US
        with self._catalogue.people() as people:
            accounts = people.list_()
            now = {use.space_id: use for use in people.storage.now()}
            past: dict[int, list[DayUse]] = defaultdict(list)
            for it in people.storage.days(today - days - _STANDSTILL_DAYS):
                past[it.use.space_id].append(it)
        histories = [
            History(account, now[account.space_id], today, past[account.space_id])
            for account in accounts
        ]
        histories.sort(key=lambda it: (-_bytes(it.now), it.account.email))
        return Report(histories, now_us, self._blobs.room_bytes())


def _bytes(use: Use) -> int:
    return use.used_bytes + use.kept_bytes


def _sum(uses: Sequence[Use]) -> Use:
    return Use(
        0,
        sum(use.used_bytes for use in uses),
        sum(use.kept_bytes for use in uses),
        sum(use.files for use in uses),
    )
