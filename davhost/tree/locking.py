"""Write locks (RFC 4918 sections 6, 7, 9.10 and 9.11)."""

from __future__ import annotations

import secrets
import uuid

from ..catalogue import Writing
from ..conditions import NO_CONDITIONS, Conditions
from ..errors import Forbidden, LockTokenMismatch, PreconditionFailed, TooLarge
from ..model import Lock, Resource
from ..paths import DavPath
from ..policy import forbid_past
from .base import RECORDED, Base
from .results import Locking


class LockingTree(Base):
    """The part of `Tree` that grants, refreshes and ends locks."""

    def lock(
        self,
        path: DavPath,
        *,
        exclusive: bool,
        infinite: bool,
        owner_xml: str,
        timeout_seconds: int | None,
        conditions: Conditions = NO_CONDITIONS,
    ) -> Locking:
        """Grant a write lock; on an unmapped URL it makes an empty file.

        Raises:
            LockConflict: another lock stands in the way.
            Conflict: the parent of an unmapped URL is missing.
        """
        if len(owner_xml.encode()) > self._policy.limits.property_bytes_max:
            raise TooLarge("The owner of the lock is too long.")
        forbid_past(path)
        new = self._new_lock(path, exclusive, infinite, owner_xml, timeout_seconds)
        try:
            with self._writing() as tx:
                target = tx.find(path)
                is_new = target is None
                target = self._grant(tx, target, new, conditions)
        except RECORDED as refused:
            self._record_refusal("lock", path, refused)
            raise
        return Locking(new, target, created=is_new)

    def _grant(
        self, tx: Writing, target: Resource | None, new: Lock, conditions: Conditions
    ) -> Resource:
        """Put a lock into force; return what it is on, which is *target* or made for it."""
        path = new.path
        changes = self._planner(tx).write(path, 0) if target is None else []
        self._check(tx, path, target, conditions)
        locks = tx.locks_touching([path], below=True)
        situation = self._situation(tx, locks, conditions)
        self._policy.permit_lock(new, situation, held=tx.count_locks())
        if target is None:
            target = tx.apply(self._policy.permit(changes, situation))
        tx.add_lock(new)
        return target

    def refresh(
        self,
        path: DavPath,
        *,
        timeout_seconds: int | None,
        conditions: Conditions,
    ) -> Lock:
        """Give the lock whose token is submitted a new life (RFC 4918 section 9.10.2).

        Raises:
            PreconditionFailed: no submitted token locks *path*.
        """
        with self._writing() as tx:
            target = tx.get(path)
            self._check(tx, path, target, conditions)
            for held in tx.locks_touching([path], below=False):
                if held.covers(path) and held.token in conditions.tokens:
                    self._check_holder(held)
                    return self._extend(tx, held, timeout_seconds)
        raise PreconditionFailed("No lock token in the request locks this.")

    def unlock(self, path: DavPath, token: str, *, conditions: Conditions = NO_CONDITIONS) -> None:
        """End a lock that covers *path*.

        Raises:
            LockTokenMismatch: the token does not lock *path*.
            Forbidden: somebody else holds the lock.
        """
        with self._writing() as tx:
            target = tx.find(path)
            self._check(tx, path, target, conditions)
            for held in tx.locks_touching([path], below=False):
                if held.covers(path) and held.token == token:
                    self._check_holder(held)
                    tx.drop_lock(token)
                    return
        raise LockTokenMismatch("This token does not lock this.")

    def break_lock(self, token: str) -> None:
        """End a lock of this space, whoever holds it.

        Who held it finds the token refused with the next request that sends it.

        Raises:
            LockTokenMismatch: it has ended already.
        """
        with self._writing() as tx:
            held = tx.find_lock(token)
            if held is None:
                raise LockTokenMismatch("This lock has ended already.")
            self._policy.judge_own_lock(held, self.principal)
            tx.break_lock(held)

    def _new_lock(
        self,
        path: DavPath,
        exclusive: bool,
        infinite: bool,
        owner_xml: str,
        timeout_seconds: int | None,
    ) -> Lock:
        seconds = self._policy.lock_seconds(timeout_seconds)
        return Lock(
            token=_random_uuid_urn(),
            path=path,
            exclusive=exclusive,
            infinite=infinite,
            owner_xml=owner_xml,
            user_id=self.principal.user_id,
            timeout_seconds=seconds,
            expires=self._clock.lease() + seconds,
            made_us=self._clock.now_us(),
            via=self.principal.via,
        )

    def _extend(self, tx: Writing, held: Lock, timeout_seconds: int | None) -> Lock:
        seconds = self._policy.lock_seconds(timeout_seconds)
        expires = self._clock.lease() + seconds
        tx.extend_lock(held.token, timeout_seconds=seconds, expires=expires)
        return held._replace(timeout_seconds=seconds, expires=expires)

    def _check_holder(self, held: Lock) -> None:
        if held.user_id != self.principal.user_id:
            raise Forbidden("Somebody else holds this lock.")
        self._policy.judge_own_lock(held, self.principal)


def _random_uuid_urn() -> str:
    return uuid.UUID(bytes=secrets.token_bytes(16), version=4).urn
