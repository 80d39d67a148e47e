"""Who gets in: registering, signing in, and slowing down those who guess.

Passwords are hashed by argon2 through the passlib API and never kept. A check
costs tens of milliseconds and clients send credentials with every request, so
verified ones are remembered for minutes, under a keyed hash; the account's row
is read for every request all the same, so that a new password or a disabled
account counts at once, in every process.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import threading
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from passlib.context import CryptContext

from .blobs import BlobStore
from .catalogue import Account, Catalogue, IntegrityError
from .clock import Clock
from .errors import NotSignedIn, TooManyTries
from .model import Principal, Rules

PASSWORD_CHARACTERS_MIN = 8
PASSWORD_BYTES_MAX = 1024
EMAIL_BYTES_MAX = 254  # RFC 5321 section 4.5.3.1.3


class AccountExists(ValueError):
    """The e-mail address has an account already."""


class NoSuchAccount(ValueError):
    """No account has the e-mail address."""


class WeakPassword(ValueError):
    """The password is too short, or too long to be one."""


class BadEmail(ValueError):
    """The text cannot be an e-mail address."""


@dataclass(frozen=True, slots=True)
class AccountsOptions:
    """How sign-ins are checked.

    Args:
        remember_seconds: how long verified credentials need no new check.
        wrong_tries_per_minute: how many an address (IPv6: its /64) has.
        checks_at_once: password checks that may run at the same time here.
        delay_seconds_max: how long a wrong try on an account under attack waits.
        rounds: argon2 time cost; None for the library's default.
    """

    remember_seconds: float = 300
    wrong_tries_per_minute: float = 10
    checks_at_once: int = 2
    delay_seconds_max: float = 2
    rounds: int | None = None


class Accounts:
    """The accounts of one instance, as one process sees them.

    Args:
        sleep: waits so many seconds; tests pass their own.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        blobs: BlobStore,
        clock: Clock,
        options: AccountsOptions | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._catalogue = catalogue
        self._blobs = blobs
        self._clock = clock
        self._options = options or AccountsOptions()
        self._sleep = sleep
        rounds = self._options.rounds
        self._hashing = CryptContext(
            schemes=["argon2"], **({} if rounds is None else {"argon2__time_cost": rounds})
        )
        self._remembered = _Remembered(self._options.remember_seconds)
        self._checks = threading.BoundedSemaphore(self._options.checks_at_once)

    # -- signing in ---------------------------------------------------------

    def authenticate(self, email: str, password: str, address: str) -> Principal:
        """Check credentials.

        Unknown accounts, wrong passwords and disabled accounts cost the same
        and answer the same.

        Args:
            address: where the request comes from, as text.

        Raises:
            NotSignedIn: there is no such account with this password.
            TooManyTries: the address has used up its wrong tries.
        """
        key = email_key(email)
        with self._catalogue.people() as people:
            account = people.find(key)
        lease = self._clock.lease()
        enabled = account is not None and not account.disabled
        if account and enabled and self._remembered.knows(account, password, lease):
            return _principal(account)
        self._check_address(account, address, lease)
        if self._verify(account, password) and account and enabled:
            self._welcome(account, password, address, lease)
            return _principal(account)
        self._count_wrong_try(key, address, lease)
        raise NotSignedIn("The e-mail address or the password is wrong.")

    def _verify(self, account: Account | None, password: str) -> bool:
        """Spend the time of one check, whether or not there is an account."""
        if len(password.encode()) > PASSWORD_BYTES_MAX:
            password = ""
        with self._checks:
            if account is None:
                self._hashing.verify(password, self._hash_of_nobody)
                return False
            return bool(self._hashing.verify(password, account.password_hash))

    @cached_property
    def _hash_of_nobody(self) -> str:
        return str(self._hashing.hash(secrets.token_hex(16)))

    def _welcome(self, account: Account, password: str, address: str, lease: float) -> None:
        network = network_of(address)
        with self._catalogue.people() as people:
            known = people.knows(account.id, network)
        outdated = self._hashing.needs_update(account.password_hash)
        if outdated or not known:
            with self._catalogue.people(writes=True) as people:
                if outdated:
                    new_hash = self._hash(password)
                    people.rehash(account.id, old_hash=account.password_hash, new_hash=new_hash)
                people.remember(account.id, network, self._clock.now_us())
        if not outdated:
            self._remembered.add(account, password, lease)

    def _check_address(self, account: Account | None, address: str, lease: float) -> None:
        """Refuse an address that guesses, but let in those who signed in from there before.

        Raises:
            TooManyTries: with the seconds until the next try.
        """
        per_minute = self._options.wrong_tries_per_minute
        network = network_of(address)
        with self._catalogue.people() as people:
            tries = people.wrong_tries(_address_key(network), lease, per_minute)
            if tries <= per_minute - 1:
                return
            if account is not None and people.knows(account.id, network):
                own = people.wrong_tries(_pair_key(account.id, network), lease, per_minute)
                if own <= per_minute - 1:
                    return
        raise TooManyTries(
            "Too many wrong passwords came from your address.",
            retry_after_seconds=max(1, round(60 / per_minute)),
        )

    def _count_wrong_try(self, key: str, address: str, lease: float) -> None:
        per_minute = self._options.wrong_tries_per_minute
        network = network_of(address)
        with self._catalogue.people(writes=True) as people:
            people.count_wrong_try(_address_key(network), lease, per_minute)
            account = people.find(key)
            if account is not None:
                people.count_wrong_try(_pair_key(account.id, network), lease, per_minute)
            on_account = people.count_wrong_try(f"account {key}", lease, per_minute)
        # An account that many addresses guess at is slowed down, never locked:
        # the right password is not delayed.
        excess = on_account - per_minute
        if excess > 0:
            self._sleep(min(self._options.delay_seconds_max, excess / per_minute))

    # -- administration -----------------------------------------------------

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
        email = email.strip()
        key = email_key(email)
        if "@" not in key[1:-1] or any(c.isspace() or c in "/\\:" or ord(c) < 32 for c in key):
            raise BadEmail(f"{email!r} is not an e-mail address")
        if len(key.encode()) > EMAIL_BYTES_MAX:
            raise BadEmail("the e-mail address is too long")
        password_hash = self._hash_checked(password)
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

    def list_(self) -> list[Account]:
        """List all accounts by e-mail address."""
        with self._catalogue.people() as people:
            return people.list_()

    def count_files(self, email: str) -> int:
        """Count the files of an account.

        Raises:
            NoSuchAccount: there is none.
        """
        account = self.get(email)
        with self._catalogue.people() as people:
            return people.count_files(account.space_id)

    def set_password(self, email: str, password: str) -> None:
        """Change a password; it counts on the very next request.

        Raises:
            NoSuchAccount, WeakPassword: as they say.
        """
        self._change(email, password_hash=self._hash_checked(password))

    def disable(self, email: str) -> None:
        """Let nobody in with this account until `enable`.

        Raises:
            NoSuchAccount: there is none.
        """
        self._change(email, disabled=True)

    def enable(self, email: str) -> None:
        """Let a disabled account in again.

        Raises:
            NoSuchAccount: there is none.
        """
        self._change(email, disabled=False)

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

    def remove(self, email: str) -> None:
        """Remove an account with its home and everything in it.

        Raises:
            NoSuchAccount: there is none.
        """
        account = self.get(email)
        with self._catalogue.people(writes=True) as people:
            people.remove(account)
        self._blobs.remove_space(account.space_id)

    def principal(self, email: str) -> Principal:
        """Act as the owner of an account, for commands of the administrator.

        Raises:
            NoSuchAccount: there is none.
        """
        return _principal(self.get(email))

    def _change(self, email: str, **values: object) -> None:
        account = self.get(email)
        with self._catalogue.people(writes=True) as people:
            people.change(account.id, **values)

    def _change_space(self, email: str, **values: object) -> None:
        account = self.get(email)
        with self._catalogue.people(writes=True) as people:
            people.change_space(account.space_id, **values)

    def _hash_checked(self, password: str) -> str:
        if len(password) < PASSWORD_CHARACTERS_MIN:
            raise WeakPassword(f"a password needs {PASSWORD_CHARACTERS_MIN} characters or more")
        if len(password.encode()) > PASSWORD_BYTES_MAX:
            raise WeakPassword(f"a password may have {PASSWORD_BYTES_MAX} bytes at most")
        return self._hash(password)

    def _hash(self, password: str) -> str:
        return str(self._hashing.hash(password))


class _Remembered:
    """Verified credentials, under a hash that only this process can compute."""

    _ENTRIES_MAX = 10_000

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._key = secrets.token_bytes(32)
        self._until: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()

    def knows(self, account: Account, password: str, lease: float) -> bool:
        """Whether the same credentials were verified a short while ago."""
        until = self._until.get(self._digest(account, password))
        return until is not None and lease < until

    def add(self, account: Account, password: str, lease: float) -> None:
        """Remember credentials that were verified just now."""
        digest = self._digest(account, password)
        with self._lock:
            self._until[digest] = lease + self._seconds
            self._until.move_to_end(digest)
            while len(self._until) > self._ENTRIES_MAX:
                self._until.popitem(last=False)

    def _digest(self, account: Account, password: str) -> bytes:
        text = f"{account.id}\0{account.password_hash}\0{password}"
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256")


def email_key(email: str) -> str:
    """Write an e-mail address the way accounts are found by: NFC and case-folded."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", email.strip()).casefold())


def network_of(address: str) -> str:
    """Name the network that one client can pick addresses from: an IPv6 /64."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)


def _principal(account: Account) -> Principal:
    return Principal(
        user_id=account.id, email=account.email, space_id=account.space_id, admin=account.admin
    )


def _address_key(network: str) -> str:
    return f"address {network}"


def _pair_key(user_id: int, network: str) -> str:
    return f"account {user_id} from {network}"
