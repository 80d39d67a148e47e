"""Links that are used once: an invitation makes an account, a reset a new password.

The catalogue keeps only a hash of the token in the link. A link is used up in
the transaction that does what it is for, so that it works once and never half.
"""

from __future__ import annotations

import hashlib
import secrets

from ..catalogue import Account, IntegrityError, Ticket, TicketKind
from .errors import AccountExists, LinkExpired
from .registry import Registry, check_email, email_key

INVITATION_SECONDS = 7 * 86400
RESET_SECONDS = 3600

_TOKEN_BYTES = 32


class Joining(Registry):
    """The part of `Accounts` that gives out links and takes them back."""

    def invite(self, email: str | None = None, *, seconds: float = INVITATION_SECONDS) -> str:
        """Make an invitation; return the token, which is not kept.

        Args:
            email: the only address that the account may have; None for any.

        Raises:
            BadEmail, AccountExists: as they say, of *email*.
        """
        if email is not None:
            email, key = check_email(email)
            with self._catalogue.people() as people:
                if people.find(key) is not None:
                    raise AccountExists(f"{email} has an account already")
        return self._make(TicketKind.INVITATION, seconds, email=email)

    def invitations(self) -> list[Ticket]:
        """List the invitations that nobody has used, the newest first."""
        with self._catalogue.people() as people:
            return people.tickets.list_(TicketKind.INVITATION, self._clock.lease())

    def withdraw(self, ticket_id: int) -> None:
        """Make a link useless; nothing happens when it is used up."""
        with self._catalogue.people(writes=True) as people:
            people.tickets.take(ticket_id)

    def get_invitation(self, token: str) -> Ticket:
        """Find an invitation.

        Raises:
            LinkExpired: there is none, it was used, or it is too old.
        """
        return self._get(TicketKind.INVITATION, token)

    def accept(self, token: str, email: str, password: str, *, quota_bytes: int | None) -> Account:
        """Make the account of an invitation, and use that up.

        Raises:
            LinkExpired: as `get_invitation`.
            BadEmail, WeakPassword, AccountExists: as `register`.
        """
        invitation = self.get_invitation(token)
        email, key = check_email(invitation.email or email)
        password_hash = self._passwords.hash_checked(password, email)
        try:
            with self._catalogue.people(writes=True) as people:
                if not people.tickets.take(invitation.id):
                    raise LinkExpired(_EXPIRED)
                people.add(
                    email=email,
                    email_key=key,
                    password_hash=password_hash,
                    admin=False,
                    quota_bytes=quota_bytes,
                    rules=None,
                    now_us=self._clock.now_us(),
                )
        except IntegrityError:
            raise AccountExists(f"{email} has an account already") from None
        return self.get(email)

    def begin_reset(self, email: str, *, seconds: float = RESET_SECONDS) -> str | None:
        """Make a link for a new password; return its token, or None for nobody's address."""
        with self._catalogue.people() as people:
            account = people.find(email_key(email))
        if account is None or account.disabled:
            return None
        return self._make(TicketKind.RESET, seconds, user_id=account.id)

    def get_reset(self, token: str) -> Account:
        """Find whose password a link changes.

        Raises:
            LinkExpired: there is none, it was used, or it is too old.
        """
        ticket = self._get(TicketKind.RESET, token)
        with self._catalogue.people() as people:
            account = people.find_by_id(ticket.user_id or 0)
        if account is None or account.disabled:
            raise LinkExpired(_EXPIRED)
        return account

    def finish_reset(self, token: str, password: str) -> Account:
        """Set the new password: every session and every other link of the account ends.

        Raises:
            LinkExpired: as `get_reset`.
            WeakPassword: as it says.
        """
        account = self.get_reset(token)
        password_hash = self._passwords.hash_checked(password, account.email)
        ticket = self._get(TicketKind.RESET, token)
        with self._catalogue.people(writes=True) as people:
            if not people.tickets.take(ticket.id):
                raise LinkExpired(_EXPIRED)
            people.change(account.id, password_hash=password_hash)
            people.end_sessions(account.id)
        return self.get(account.email)

    def _make(
        self,
        kind: TicketKind,
        seconds: float,
        *,
        email: str | None = None,
        user_id: int | None = None,
    ) -> str:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        with self._catalogue.people(writes=True) as people:
            people.tickets.add(
                kind,
                token_hash=_hash(token),
                email=email,
                user_id=user_id,
                created_us=self._clock.now_us(),
                expires=self._clock.lease() + seconds,
            )
        return token

    def _get(self, kind: TicketKind, token: str) -> Ticket:
        with self._catalogue.people() as people:
            ticket = people.tickets.find(kind, _hash(token), self._clock.lease())
        if ticket is None:
            raise LinkExpired(_EXPIRED)
        return ticket


_EXPIRED = "this link was used already or is too old"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
