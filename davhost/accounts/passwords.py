"""Hashing and checking passwords: argon2 through the passlib API."""

from __future__ import annotations

import secrets
import threading
from functools import cached_property

from passlib.context import CryptContext

from ..catalogue import Account
from .errors import WeakPassword
from .options import AccountsOptions

PASSWORD_CHARACTERS_MIN = 8
PASSWORD_BYTES_MAX = 1024


class Passwords:
    """Slow on purpose, and only so many at once in one process."""

    def __init__(self, options: AccountsOptions) -> None:
        self._hashing = CryptContext(schemes=["argon2"], argon2__time_cost=options.rounds)
        self._checks = threading.BoundedSemaphore(options.checks_at_once)

    def verify(self, account: Account | None, password: str) -> bool:
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

    def needs_update(self, account: Account) -> bool:
        """Whether the stored hash was made by another scheme or at another cost."""
        return bool(self._hashing.needs_update(account.password_hash))

    def hash_checked(self, password: str) -> str:
        """Hash a new password.

        Raises:
            WeakPassword: it is too short, or too long to be one.
        """
        if len(password) < PASSWORD_CHARACTERS_MIN:
            raise WeakPassword(f"a password needs {PASSWORD_CHARACTERS_MIN} characters or more")
        if len(password.encode()) > PASSWORD_BYTES_MAX:
            raise WeakPassword(f"a password may have {PASSWORD_BYTES_MAX} bytes at most")
        return self.hash(password)

    def hash(self, password: str) -> str:
        """Hash a password under a new salt."""
        return str(self._hashing.hash(password))
