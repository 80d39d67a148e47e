"""Sessions of browsers, and the secrets that all processes share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, text, update

from .accounts import Account
from .people import People
from .prepared import Prepared
from .schema import secret, user, web_session
from .transactions import Transaction


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A browser that has signed in.

    Args:
        used_us: its last request, to within minutes; *used* is the same on
            the lease clock, on which *expires* ends it, used or not.
    """

    id: int
    user_id: int
    created_us: int
    used_us: int
    used: float
    expires: float
    user_agent: str
    address: str


_ROW = select(
    web_session.c.id,
    web_session.c.user_id,
    web_session.c.created_us,
    web_session.c.used_us,
    web_session.c.used,
    web_session.c.expires,
    web_session.c.user_agent,
    web_session.c.address,
)

_BY_TOKEN = Prepared(_ROW.where(web_session.c.token_hash == bindparam("token_hash")))


class SessionRows:
    """A transaction over the sessions of browsers."""

    def __init__(self, connection: Transaction) -> None:
        self._connection = connection

    def holds(self, account: Account) -> bool:
        """Whether an account still has its password and may sign in; so until the commit."""
        unchanged = select(user.c.id).where(
            user.c.id == account.id,
            user.c.password_hash == account.password_hash,
            user.c.disabled.is_(False),
        )
        return self._connection.execute(unchanged.with_for_update()).first() is not None

    def add(self, *, token_hash: str, **values: Any) -> int:
        """Store a session; return its id."""
        statement = insert(web_session).values(token_hash=token_hash, **values)
        return int(self._connection.execute(statement.returning(web_session.c.id)).scalar_one())

    def find(self, token_hash: str) -> tuple[SessionRow, Account] | None:
        """Find a session by the hash of its token, and whose it is."""
        row = self._connection.row(_BY_TOKEN, token_hash=token_hash)
        if row is None:
            return None
        session = SessionRow(*row)
        account = People(self._connection).find_by_id(session.user_id)
        return None if account is None else (session, account)

    def list_(self, user_id: int) -> list[SessionRow]:
        """List the sessions of an account, the last used first."""
        statement = _ROW.where(web_session.c.user_id == user_id)
        rows = self._connection.execute(statement.order_by(web_session.c.used.desc()))
        return [SessionRow(*row) for row in rows]

    def touch(self, session_id: int, *, used_us: int, used: float, address: str) -> None:
        """Note that a session was used."""
        self._connection.execute(
            update(web_session)
            .where(web_session.c.id == session_id)
            .values(used_us=used_us, used=used, address=address)
        )

    def end(self, user_id: int, *, only: int | None = None, but: int | None = None) -> int:
        """End sessions of an account: all of them, *only* one, or all *but* one."""
        statement = delete(web_session).where(web_session.c.user_id == user_id)
        if only is not None:
            statement = statement.where(web_session.c.id == only)
        if but is not None:
            statement = statement.where(web_session.c.id != but)
        return self._connection.execute(statement).rowcount

    def share_secret(self, name: str, value: str) -> str:
        """Store a secret unless there is one of that name; return the one that counts."""
        self._connection.execute(_FIRST_SECRET, {"name": name, "value": value})
        found = select(secret.c.value).where(secret.c.name == name)
        return str(self._connection.execute(found).scalar_one())


_FIRST_SECRET = text(
    "INSERT INTO secret (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING"
)
