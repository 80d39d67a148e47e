"""Browsers that have signed in: opened, found, listed, ended.

The browser holds a random token, the catalogue only its hash. Every request
reads the row and the account's, so that a session ends everywhere at once.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from ..catalogue import Account, Catalogue
from ..catalogue.sessions import SessionRow
from ..clock import Clock
from ..errors import NotSignedIn
from ..model import BROWSER, Principal
from .registry import principal_of

#: A session that is not used ends after this long, ...
IDLE_SECONDS = 14 * 86400
#: ... and every session after this long.
LIFE_SECONDS = 90 * 86400

#: How exactly the last use is known: each note of it is a write.
_TOUCH_SECONDS = 120

_TOKEN_BYTES = 32
_TOKEN_CHARACTERS_MAX = 64
_USER_AGENT_CHARACTERS_MAX = 256


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A browser's session, as one request finds it.

    Args:
        csrf_token: only pages that were made in this session know it.
    """

    session: SessionRow
    account: Account
    csrf_token: str

    @property
    def principal(self) -> Principal:
        """Who acts."""
        return principal_of(self.account, via=BROWSER)

    def proves(self, csrf_token: str) -> bool:
        """Whether *csrf_token* comes from a page of this session."""
        return hmac.compare_digest(self.csrf_token.encode(), csrf_token.encode())


class Sessions:
    """The sessions of all browsers, as one process sees them."""

    def __init__(self, catalogue: Catalogue, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock

    def open(self, account: Account, *, user_agent: str, address: str) -> str:
        """Begin a session; return the token, which is not kept.

        Args:
            account: as it was when the password was right.

        Raises:
            NotSignedIn: the password was changed meanwhile, or the account disabled.
        """
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        now_us, lease = self._clock.now_us(), self._clock.lease()
        with self._catalogue.sessions(writes=True) as rows:
            if not rows.holds(account):
                raise NotSignedIn("The e-mail address or the password is wrong.")
            rows.add(
                token_hash=_hash(token),
                user_id=account.id,
                created_us=now_us,
                used_us=now_us,
                used=lease,
                expires=lease + LIFE_SECONDS,
                user_agent=user_agent[:_USER_AGENT_CHARACTERS_MAX],
                address=address,
            )
        return token

    def find(self, token: str, address: str) -> SignedIn | None:
        """Find the session of a token; None when it has ended or never was."""
        if not token or len(token) > _TOKEN_CHARACTERS_MAX or not token.isascii():
            return None
        lease = self._clock.lease()
        with self._catalogue.sessions() as rows:
            found = rows.find(_hash(token))
        if found is None:
            return None
        session, account = found
        idle_until = session.used + IDLE_SECONDS
        if account.disabled or lease >= min(session.expires, idle_until):
            return None
        if lease - session.used >= _TOUCH_SECONDS:
            with self._catalogue.sessions(writes=True) as rows:
                rows.touch(session.id, used_us=self._clock.now_us(), used=lease, address=address)
        return SignedIn(session, account, _csrf_token(token))

    def list_(self, user_id: int) -> list[SessionRow]:
        """List the sessions of an account that have not ended, the last used first."""
        lease = self._clock.lease()
        with self._catalogue.sessions() as rows:
            listed = rows.list_(user_id)
        return [row for row in listed if lease < min(row.expires, row.used + IDLE_SECONDS)]

    def end(self, user_id: int, session_id: int) -> None:
        """End one session of an account; nothing happens when it is not theirs."""
        with self._catalogue.sessions(writes=True) as rows:
            rows.end(user_id, only=session_id)

    def end_others(self, signed_in: SignedIn) -> int:
        """End all sessions of the account but this one; return how many."""
        with self._catalogue.sessions(writes=True) as rows:
            return rows.end(signed_in.account.id, but=signed_in.session.id)

    def shared_secret(self, name: str) -> str:
        """Read a secret that every process of this instance knows; made at the first time."""
        with self._catalogue.sessions(writes=True) as rows:
            return rows.share_secret(name, secrets.token_hex(32))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _csrf_token(token: str) -> str:
    """Derive what pages prove themselves with; it does not lead back to the token."""
    return hmac.new(token.encode(), b"davhost csrf", "sha256").hexdigest()
