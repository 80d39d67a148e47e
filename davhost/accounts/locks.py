"""Locks in force, as people look at them: on what, since when, until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..catalogue import Account, Catalogue
from ..catalogue.locks import HeldLock
from ..clock import Clock
from ..errors import NotFound
from ..model import Lock


@dataclass(frozen=True, slots=True)
class OpenLock:
    """A lock in force.

    Args:
        owner: the address of whose home it is in.
        covers_members: whether it is on a collection and on everything below.
        until_us: when it ends by itself, unless it is renewed.
    """

    lock: Lock
    owner: str
    covers_members: bool
    until_us: int


@dataclass(frozen=True, slots=True)
class OpenLocks:
    """The newest locks in force.

    Args:
        total: how many there are.
    """

    locks: Sequence[OpenLock]
    total: int


class Locks:
    """What is locked, in one home and in all. The tree makes, renews and ends locks."""

    def __init__(self, catalogue: Catalogue, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock

    def of(self, account: Account, limit: int) -> OpenLocks:
        """List the locks in one home."""
        return self._list(limit, account.space_id)

    def everywhere(self, limit: int) -> OpenLocks:
        """List the locks in all homes."""
        return self._list(limit, None)

    def _list(self, limit: int, space_id: int | None) -> OpenLocks:
        lease = self._clock.lease()
        with self._catalogue.people() as people:
            rows = people.locks(lease)
            held, total = rows.list_(limit, space_id), rows.count(space_id)
        return OpenLocks([self._open(one, lease) for one in held], total)

    def _open(self, held: HeldLock, lease: float) -> OpenLock:
        left_us = int((held.lock.expires - lease) * 1_000_000)
        return OpenLock(
            held.lock,
            held.owner,
            held.lock.infinite and self._is_collection(held, lease),
            self._clock.now_us() + left_us,
        )

    def _is_collection(self, held: HeldLock, lease: float) -> bool:
        try:
            with self._catalogue.read(held.space_id, lease=lease) as reading:
                return reading.get(held.lock.path).is_collection
        except NotFound:  # it went meanwhile, and its lock with it
            return False
