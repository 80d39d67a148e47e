"""Accounts and what is known about their sign-ins."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    delete,
    exists,
    func,
    insert,
    select,
    text,
    union_all,
    update,
)

from ..model import Refusal, Rules
from . import accounts
from .accounts import ACCOUNTS, Account, account_of
from .activity import ActivityRows
from .codes import CodeRows
from .devices import AppPasswordRows
from .locks import LockRows
from .requests import RequestRows
from .schema import (
    app_password,
    blob,
    choice,
    daily_use,
    dead_property,
    journal,
    known_address,
    lock,
    recovery_code,
    refusal,
    resource,
    space,
    throttle,
    ticket,
    two_step,
    type_request,
    user,
    version,
    web_session,
)
from .storage import StorageRows
from .tickets import TicketRows
from .transactions import Transaction


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a space is, and how far its journal goes."""

    user_id: int
    email: str
    space_id: int
    journal_seq: int


class People:
    """A transaction over accounts."""

    def __init__(self, connection: Transaction) -> None:
        self._connection = connection

    def find(self, email_key: str) -> Account | None:
        """Find an account by its case-folded e-mail address."""
        return accounts.find(self._connection, email_key)

    def find_by_id(self, user_id: int) -> Account | None:
        """Find an account by its id."""
        return accounts.find_by_id(self._connection, user_id)

    def list_(self) -> list[Account]:
        """List all accounts by e-mail address."""
        return [account_of(row) for row in self._connection.execute(ACCOUNTS)]

    def has_other_admin(self, user_id: int) -> bool:
        """Whether somebody else administers and may sign in; so until the commit."""
        admins = select(user.c.id).where(user.c.admin.is_(True), user.c.disabled.is_(False))
        ids = self._connection.execute(admins.order_by(user.c.id).with_for_update()).scalars()
        return any(id_ != user_id for id_ in ids)

    def last_seen(self) -> dict[int, int]:
        """When each account was last used, by its id, as far as it is known."""
        uses = union_all(
            select(web_session.c.user_id, web_session.c.used_us.label("at_us")),
            select(app_password.c.user_id, app_password.c.used_us),
            select(known_address.c.user_id, known_address.c.at_us),
        ).subquery()
        statement = select(uses.c.user_id, func.max(uses.c.at_us)).group_by(uses.c.user_id)
        rows = self._connection.execute(statement.where(uses.c.at_us.is_not(None)))
        return {int(user_id): int(at_us) for user_id, at_us in rows}

    def owners(self, *, user_id: int | None = None, space_id: int | None = None) -> list[Owner]:
        """List those who have a space: all, or the one that is asked for."""
        statement = (
            select(user.c.id, user.c.email, space.c.id, space.c.journal_seq)
            .select_from(user.join(space, space.c.id == user.c.space_id))
            .order_by(user.c.id)
        )
        if user_id is not None:
            statement = statement.where(user.c.id == user_id)
        if space_id is not None:
            statement = statement.where(space.c.id == space_id)
        return [Owner(*row) for row in self._connection.execute(statement)]

    def add(
        self,
        *,
        email: str,
        email_key: str,
        password_hash: str,
        admin: bool,
        quota_bytes: int | None,
        rules: Rules | None,
        now_us: int,
    ) -> int:
        """Make an account and its empty home; return the account's id.

        Raises:
            sqlalchemy.exc.IntegrityError: the e-mail address is taken.
        """
        space_id = self._connection.execute(
            insert(space)
            .values(
                kind="personal",
                quota_bytes=quota_bytes,
                rules=None if rules is None else str(rules),
                admitted="",
                epoch=secrets.token_hex(16),
            )
            .returning(space.c.id)
        ).scalar_one()
        root_id = self._connection.execute(
            insert(resource)
            .values(
                space_id=space_id,
                name="",
                kind="collection",
                size_bytes=0,
                etag="",
                created_us=now_us,
                modified_us=now_us,
                touched_us=now_us,
            )
            .returning(resource.c.id)
        ).scalar_one()
        self._connection.execute(
            update(space).where(space.c.id == space_id).values(root_id=root_id)
        )
        new_id = self._connection.execute(
            insert(user)
            .values(
                email=email,
                email_key=email_key,
                password_hash=password_hash,
                admin=admin,
                space_id=space_id,
                created_us=now_us,
            )
            .returning(user.c.id)
        ).scalar_one()
        return int(new_id)

    def change(self, user_id: int, **values: Any) -> None:
        """Set columns of the account: ``password_hash``, ``disabled``, ``admin``."""
        self._connection.execute(update(user).where(user.c.id == user_id).values(**values))

    def end_sessions(self, user_id: int) -> None:
        """End the sessions of every browser of the account, and its links for a new password."""
        self._connection.execute(delete(web_session).where(web_session.c.user_id == user_id))
        self._connection.execute(delete(ticket).where(ticket.c.user_id == user_id))

    @property
    def app_passwords(self) -> AppPasswordRows:
        """The passwords of devices, in the same transaction."""
        return AppPasswordRows(self._connection)

    @property
    def codes(self) -> CodeRows:
        """The second step of signing in, in the same transaction."""
        return CodeRows(self._connection)

    @property
    def activity(self) -> ActivityRows:
        """What happened in all homes, in the same transaction."""
        return ActivityRows(self._connection)

    def locks(self, lease: float) -> LockRows:
        """The locks of all homes that are in force at *lease*, in the same transaction."""
        return LockRows(self._connection, lease)

    @property
    def requests(self) -> RequestRows:
        """File types that people asked for, in the same transaction."""
        return RequestRows(self._connection)

    @property
    def storage(self) -> StorageRows:
        """How much all homes hold, in the same transaction."""
        return StorageRows(self._connection)

    @property
    def tickets(self) -> TicketRows:
        """The links that are used once, in the same transaction."""
        return TicketRows(self._connection)

    def rehash(self, user_id: int, *, old_hash: str, new_hash: str) -> None:
        """Store the same password under a better hash, unless it was changed meanwhile."""
        self._connection.execute(
            update(user)
            .where(user.c.id == user_id, user.c.password_hash == old_hash)
            .values(password_hash=new_hash)
        )

    def server_rules(self) -> Rules | None:
        """The server's allow-list as administrators have chosen it; None where they have not."""
        statement = select(choice.c.value).where(choice.c.name == "allow")
        chosen = self._connection.execute(statement).scalar_one_or_none()
        return None if chosen is None else Rules.parse(chosen)

    def choose_server_rules(self, rules: Rules | None) -> None:
        """Choose the server's allow-list; None takes the one of the settings."""
        self._connection.execute(delete(choice).where(choice.c.name == "allow"))
        if rules is not None:
            self._connection.execute(insert(choice).values(name="allow", value=str(rules)))

    def change_space(self, space_id: int, **values: Any) -> None:
        """Set columns of the home: ``quota_bytes``, ``rules``."""
        self._connection.execute(update(space).where(space.c.id == space_id).values(**values))

    def remove(self, account: Account) -> None:
        """Remove the account with its home and everything in it."""
        home = account.space_id
        in_home = select(resource.c.id).where(resource.c.space_id == home)
        for statement in (
            delete(lock).where(lock.c.space_id == home),
            delete(dead_property).where(dead_property.c.resource_id.in_(in_home)),
            delete(version).where(version.c.resource_id.in_(in_home)),
            delete(resource).where(resource.c.space_id == home),
            delete(blob).where(blob.c.space_id == home),
            delete(journal).where(journal.c.space_id == home),
            delete(refusal).where(refusal.c.space_id == home),
            delete(daily_use).where(daily_use.c.space_id == home),
            delete(known_address).where(known_address.c.user_id == account.id),
            delete(web_session).where(web_session.c.user_id == account.id),
            delete(app_password).where(app_password.c.user_id == account.id),
            delete(ticket).where(ticket.c.user_id == account.id),
            delete(two_step).where(two_step.c.user_id == account.id),
            delete(type_request).where(type_request.c.user_id == account.id),
            delete(recovery_code).where(recovery_code.c.user_id == account.id),
            delete(user).where(user.c.id == account.id),
            delete(space).where(space.c.id == home),
        ):
            self._connection.execute(statement)

    def count_files(self, space_id: int) -> int:
        """Count the files of a home, wherever they are."""
        statement = select(func.count()).where(
            resource.c.space_id == space_id, resource.c.kind == "file"
        )
        return int(self._connection.execute(statement).scalar_one())

    def refusals(self, space_id: int | None, limit: int) -> list[Refusal]:
        """List what was refused, the newest first.

        Args:
            space_id: in one home only; None for all.
        """
        statement = (
            select(refusal.c.at_us, user.c.email, refusal.c.verb, refusal.c.path, refusal.c.reason)
            .select_from(refusal.outerjoin(user, user.c.id == refusal.c.user_id))
            .order_by(refusal.c.id.desc())
            .limit(limit)
        )
        if space_id is not None:
            statement = statement.where(refusal.c.space_id == space_id)
        return [Refusal(*row) for row in self._connection.execute(statement)]

    # -- sign-ins -----------------------------------------------------------

    def knows(self, user_id: int, address: str) -> bool:
        """Whether the account has signed in from *address* before."""
        statement = select(
            exists().where(known_address.c.user_id == user_id, known_address.c.address == address)
        )
        return bool(self._connection.execute(statement).scalar_one())

    def remember(self, user_id: int, address: str, now_us: int) -> None:
        """Note that the account has signed in from *address*."""
        row = {"user_id": user_id, "address": address, "at_us": now_us}
        self._connection.execute(_REMEMBER, row)

    def wrong_tries(self, key: str, lease: float, per_minute: float) -> float:
        """Count the wrong tries under *key* that have not leaked away yet."""
        row = self._connection.execute(
            select(throttle.c.wrong, throttle.c.at).where(throttle.c.key == key)
        ).first()
        if row is None:
            return 0.0
        leaked = max(0.0, lease - float(row.at)) * per_minute / 60
        return max(0.0, float(row.wrong) - leaked)

    def count_wrong_try(self, key: str, lease: float, per_minute: float) -> float:
        """Add a wrong try under *key*; return the count."""
        row = {"key": key, "lease": lease, "per_second": per_minute / 60}
        return float(self._connection.execute(_COUNT_WRONG_TRY, row).scalar_one())


# One statement each, because two workers may count at the same moment.
_REMEMBER = text(
    """
INSERT INTO known_address (user_id, address, at_us) VALUES (:user_id, :address, :at_us)
ON CONFLICT (user_id, address) DO UPDATE SET at_us = excluded.at_us
"""
)

_COUNT_WRONG_TRY = text(
    """
INSERT INTO throttle (key, wrong, at)
VALUES (:key, 1, CAST(:lease AS DOUBLE PRECISION))
ON CONFLICT (key) DO UPDATE SET
  at = excluded.at,
  wrong = 1 + CASE
    WHEN throttle.wrong > (excluded.at - throttle.at) * CAST(:per_second AS DOUBLE PRECISION)
    THEN throttle.wrong - (excluded.at - throttle.at) * CAST(:per_second AS DOUBLE PRECISION)
    ELSE 0 END
RETURNING wrong
"""
)
