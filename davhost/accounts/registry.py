"""Making, changing and removing accounts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from ..blobs import BlobStore
from ..catalogue import Account, Catalogue, IntegrityError, Login, People
from ..clock import Clock
from ..model import Principal, Refusal, Rules
from ..paths import ROOT, DavPath
from .errors import AccountExists, BadEmail, LastAdmin, NoSuchAccount
from .passwords import Passwords

EMAIL_BYTES_MAX = 254  # RFC 5321 section 4.5.3.1.3

#: What no account can have and PostgreSQL cannot compare.
_UNKEYABLE = re.compile("[\0\ud800-\udfff]")


class Registry:
    """The part of `Accounts` that administrators use."""

    _catalogue: Catalogue
    _blobs: BlobStore
    _clock: Clock
    _passwords: Passwords
    _after_removal: Callable[[int], object]

    def register(
        self,
        email: str,
        password: str,
        *,
        quota_bytes: int | None = None,
        rules: Rules | None = None,
        admin: bool = False,
    ) -> Account:
        """Make an account with an empty home.

        Raises:
            BadEmail, WeakPassword, AccountExists: as they say.
        """
        email, key = check_email(email)
        password_hash = self._passwords.hash_checked(password, email)
        try:
            with self._catalogue.people(writes=True) as people:
                people.add(
                    email=email,
                    email_key=key,
                    password_hash=password_hash,
                    admin=admin,
                    quota_bytes=quota_bytes,
                    rules=rules,
                    now_us=self._clock.now_us(),
                )
        except IntegrityError:
            raise AccountExists(f"{email} has an account already") from None
        return self.get(email)

    def get(self, email: str) -> Account:
        """Find an account.

        Raises:
            NoSuchAccount: there is none.
        """
        with self._catalogue.people() as people:
            account = people.find(email_key(email))
        if account is None:
            raise NoSuchAccount(f"{email} has no account")
        return account

    def get_by_id(self, user_id: int) -> Account:
        """Find an account by its id.

        Raises:
            NoSuchAccount: there is none.
        """
        with self._catalogue.people() as people:
            account = people.find_by_id(user_id)
        if account is None:
            raise NoSuchAccount("there is no such account")
        return account

    def find_by_id(self, user_id: int) -> Account | None:
        """Find an account that may sign in by its id."""
        with self._catalogue.people() as people:
            account = people.find_by_id(user_id)
        return None if account is None or account.disabled else account

    def lease(self) -> float:
        """Seconds on the clock that links and sessions end by."""
        return self._clock.lease()

    def list_(self) -> list[Account]:
        """List all accounts by e-mail address."""
        with self._catalogue.people() as people:
            return people.list_()

    def check_reachable(self) -> None:
        """Ask the catalogue for nothing.

        Raises:
            Unavailable: it does not answer.
        """
        with self._catalogue.people() as people:
            people.find_by_id(0)

    def last_seen(self) -> dict[int, int]:
        """When each account was last used, by its id, where that is known."""
        with self._catalogue.people() as people:
            return people.last_seen()

    def count_files(self, email: str) -> int:
        """Count the files of an account.

        Raises:
            NoSuchAccount: there is none.
        """
        account = self.get(email)
        with self._catalogue.people() as people:
            return people.count_files(account.space_id)

    def refusals(self, email: str | None = None, *, limit: int) -> list[Refusal]:
        """List what the rules refused in one home, or in all; the newest first.

        Raises:
            NoSuchAccount: there is none.
        """
        space_id = None if email is None else self.get(email).space_id
        with self._catalogue.people() as people:
            return people.refusals(space_id, limit)

    def set_password(self, email: str, password: str) -> None:
        """Change a password; it counts on the very next request, and ends every session.

        Raises:
            NoSuchAccount, WeakPassword: as they say.
        """
        account = self.get(email)
        password_hash = self._passwords.hash_checked(password, account.email)
        with self._catalogue.people(writes=True) as people:
            people.change(account.id, password_hash=password_hash)
            people.end_sessions(account.id)

    def disable(self, email: str) -> None:
        """Let nobody in with this account until `enable`.

        Raises:
            NoSuchAccount: there is none.
            LastAdmin: nobody else could administer.
        """
        account = self.get(email)
        with self._catalogue.people(writes=True) as people:
            _spare_last_admin(people, account)
            people.change(account.id, disabled=True)
            people.end_sessions(account.id)

    def enable(self, email: str) -> None:
        """Let a disabled account in again.

        Raises:
            NoSuchAccount: there is none.
        """
        self._change(email, disabled=False)

    def set_admin(self, email: str, *, admin: bool) -> None:
        """Let an account administer the server on its pages, or no longer.

        Raises:
            NoSuchAccount: there is none.
            LastAdmin: nobody else could administer.
        """
        account = self.get(email)
        with self._catalogue.people(writes=True) as people:
            if not admin:
                _spare_last_admin(people, account)
            people.change(account.id, admin=admin)

    def sign_out(self, email: str, *, devices: bool = False) -> None:
        """End every session of an account, and its links for a new password.

        Args:
            devices: end the passwords of its devices, too.

        Raises:
            NoSuchAccount: there is none.
        """
        account = self.get(email)
        with self._catalogue.people(writes=True) as people:
            people.end_sessions(account.id)
            if devices:
                people.app_passwords.revoke_all(account.id)

    def set_quota(self, email: str, quota_bytes: int | None) -> None:
        """Change the quota of a home; None lifts it.

        Raises:
            NoSuchAccount: there is none.
        """
        self._change_space(email, quota_bytes=quota_bytes)

    def set_rules(self, email: str, rules: Rules | None) -> None:
        """Change the allow-list of a home; None takes the server's.

        Raises:
            NoSuchAccount: there is none.
        """
        self._change_space(email, rules=None if rules is None else str(rules))

    def server_rules(self, settings: Rules) -> Rules:
        """The allow-list of homes that have none of their own.

        Args:
            settings: the one of the settings, which holds until another is chosen.
        """
        with self._catalogue.people() as people:
            return people.server_rules() or settings

    def choose_server_rules(self, rules: Rules | None) -> None:
        """Choose the server's allow-list from the next request on; None takes the settings'."""
        with self._catalogue.people(writes=True) as people:
            people.choose_server_rules(rules)

    def remove(self, email: str) -> None:
        """Remove an account with its home and everything in it.

        Raises:
            NoSuchAccount: there is none.
        """
        self._remove(self.get(email), spares_last_admin=False)

    def leave(self, email: str) -> None:
        """Remove an account as `remove` does, unless nobody could administer afterwards.

        Raises:
            NoSuchAccount: there is none.
            LastAdmin: nobody else could administer.
        """
        self._remove(self.get(email), spares_last_admin=True)

    def principal(self, email: str) -> Principal:
        """Act as the owner of an account, for commands of the administrator.

        Raises:
            NoSuchAccount: there is none.
        """
        return principal_of(self.get(email))

    def _remove(self, account: Account, *, spares_last_admin: bool) -> None:
        with self._catalogue.people(writes=True) as people:
            if spares_last_admin:
                _spare_last_admin(people, account)
            people.remove(account)
        self._blobs.remove_space(account.space_id)
        self._after_removal(account.id)

    def _change(self, email: str, **values: object) -> None:
        account = self.get(email)
        with self._catalogue.people(writes=True) as people:
            people.change(account.id, **values)

    def _change_space(self, email: str, **values: object) -> None:
        account = self.get(email)
        with self._catalogue.people(writes=True) as people:
            people.change_space(account.space_id, **values)


def _spare_last_admin(people: People, account: Account) -> None:
    administers = account.admin and not account.disabled
    if administers and not people.has_other_admin(account.id):
        raise LastAdmin(f"{account.email} is the only account that administers")


def check_email(email: str) -> tuple[str, str]:
    """Take what can be an e-mail address.

    Returns:
        The address without space around it, and what accounts are found by.

    Raises:
        BadEmail: it cannot.
    """
    email = email.strip()
    key = email_key(email)
    if "@" not in key[1:-1] or any(c.isspace() or c in '/\\:"' or ord(c) < 32 for c in key):
        raise BadEmail(f"{email!r} is not an e-mail address")
    if len(key.encode()) > EMAIL_BYTES_MAX:
        raise BadEmail("the e-mail address is too long")
    return email, key


# Few are kept: whatever somebody sends as an address may be long.
@lru_cache(maxsize=256)
def email_key(email: str) -> str:
    """Write an e-mail address the way accounts are found by: NFC and case-folded.

    Returns:
        Empty for what no account can have.
    """
    if _UNKEYABLE.search(email):
        return ""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", email.strip()).casefold())


def principal_of(
    account: Account | Login,
    *,
    read_only: bool = False,
    root: DavPath = ROOT,
    via: str | None = None,
) -> Principal:
    """The actor that signs in with *account*, confined as `Principal` says."""
    return Principal(
        account.id, account.email, account.space_id, account.admin, read_only, root, via
    )
