"""Who gets in: registering, signing in, and slowing down those who guess.

Passwords are hashed by argon2 through the passlib API and never kept. A check
costs tens of milliseconds and clients send credentials with every request, so
verified ones are remembered for minutes, under a keyed hash; the account's row
is read for every request all the same, so that a new password or a disabled
account counts at once, in every process.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ..blobs import BlobStore
from ..catalogue import Account, Catalogue, Login
from ..clock import Clock
from ..errors import NotSignedIn
from ..model import Principal
from .activity import Activity
from .devices import Devices, looks_like_app_password
from .errors import (
    AccountExists,
    BadEmail,
    BadScope,
    LastAdmin,
    LinkExpired,
    NoSuchAccount,
    NotRefused,
    WeakPassword,
)
from .joining import INVITATION_SECONDS, RESET_SECONDS, Joining
from .locks import Locks
from .options import AccountsOptions
from .passwords import PASSWORD_CHARACTERS_MIN, Passwords
from .registry import email_key, principal_of
from .remembered import Remembered
from .requests import TypeRequests
from .sessions import IDLE_SECONDS, LIFE_SECONDS, Sessions, SignedIn
from .storage import Storage
from .throttle import Throttle, network_of
from .two_step import TwoStep, WrongCode

__all__ = [
    "IDLE_SECONDS",
    "INVITATION_SECONDS",
    "LIFE_SECONDS",
    "PASSWORD_CHARACTERS_MIN",
    "RESET_SECONDS",
    "Account",
    "AccountExists",
    "Accounts",
    "AccountsOptions",
    "Activity",
    "BadEmail",
    "BadScope",
    "Devices",
    "LastAdmin",
    "LinkExpired",
    "Locks",
    "NoSuchAccount",
    "NotRefused",
    "Sessions",
    "SignedIn",
    "Storage",
    "TwoStep",
    "TypeRequests",
    "WeakPassword",
    "WrongCode",
]


class Accounts(Joining):
    """The accounts of one instance, as one process sees them.

    Args:
        sleep: waits so many seconds; tests pass their own.
        after_removal: is told the id of an account that was removed with its blobs.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        blobs: BlobStore,
        clock: Clock,
        options: AccountsOptions | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        after_removal: Callable[[int], object] = lambda _user_id: None,
    ) -> None:
        options = options or AccountsOptions()
        self._catalogue = catalogue
        self._blobs = blobs
        self._clock = clock
        self._after_removal = after_removal
        self._passwords = Passwords(options)
        self._remembered = Remembered(options.remember_seconds)
        self._throttle = Throttle(catalogue, options, sleep)
        self.sessions = Sessions(catalogue, clock)
        self.devices = Devices(catalogue, clock)
        self.activity = Activity(catalogue)
        self.requests = TypeRequests(catalogue, clock)
        self.locks = Locks(catalogue, clock)
        self.storage = Storage(catalogue, blobs, clock)
        self.two_step = TwoStep(catalogue, clock, self._throttle)

    def authenticate(self, email: str, password: str, address: str) -> Principal:
        """Check credentials: the password of the account, or that of a device.

        Unknown accounts, wrong passwords and disabled accounts cost the same
        and answer the same. The password of an account with a second step is
        not enough.

        Args:
            address: where the request comes from, as text.

        Raises:
            NotSignedIn: there is no such account with this password.
            Forbidden: the folder of an app password is gone.
            TooManyTries: the address has used up its wrong tries.
        """
        if looks_like_app_password(password):
            principal = self.devices.find(email_key(email), password, address)
            if principal is not None:
                return principal
        account = self._check(email, password, address)
        if account.two_step:
            # Nothing asks for the second step here: devices have passwords of their own.
            raise NotSignedIn("The e-mail address or the password is wrong.")
        return principal_of(account)

    def sign_in(self, email: str, password: str, address: str) -> Account:
        """Check credentials as `authenticate` does, for the session of a browser.

        Returns:
            The account as it was when the password was right.

        Raises:
            NotSignedIn: there is no such account with this password.
            TooManyTries: the address has used up its wrong tries.
        """
        login = self._check(email, password, address)
        account = self.find_by_id(login.id)
        if account is None or account.password_hash != login.password_hash:
            raise NotSignedIn("The e-mail address or the password is wrong.")  # by now
        return account

    def count_request(self, what: str, address: str, *, per_minute: float) -> None:
        """Count what costs us something and anybody may ask for.

        Raises:
            TooManyTries: there were too many of it from *address*.
        """
        self._throttle.count_request(what, address, self._clock.lease(), per_minute)

    def _check(self, email: str, password: str, address: str) -> Login:
        key = email_key(email)
        account = self._catalogue.find_login(key)
        lease = self._clock.lease()
        enabled = account is not None and not account.disabled
        network = network_of(address)
        if account and enabled and self._remembered.knows(account, password, network, lease):
            return account
        self._throttle.check_address(account, address, lease)
        if self._passwords.verify(account, password) and account and enabled:
            return self._welcome(account, password, address, lease)
        self._throttle.count_wrong_try(key, address, lease)
        raise NotSignedIn("The e-mail address or the password is wrong.")

    def _welcome(self, account: Login, password: str, address: str, lease: float) -> Login:
        network = network_of(address)
        with self._catalogue.people() as people:
            known = people.knows(account.id, network)
        outdated = self._passwords.needs_update(account)
        if outdated or not known:
            with self._catalogue.people(writes=True) as people:
                if outdated:
                    new_hash = self._passwords.hash(password)
                    people.rehash(account.id, old_hash=account.password_hash, new_hash=new_hash)
                    account = account._replace(password_hash=new_hash)
                people.remember(account.id, network, self._clock.now_us())
        if not outdated:
            self._remembered.add(account, password, network, lease)
        return account
