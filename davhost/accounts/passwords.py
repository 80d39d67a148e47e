"""Hashing and checking passwords: argon2 through the passlib API."""

from __future__ import annotations

import secrets
import threading
from functools import cached_property

from passlib.context import CryptContext

from ..catalogue import Login
from .errors import WeakPassword
from .options import AccountsOptions

PASSWORD_CHARACTERS_MIN = 8
PASSWORD_BYTES_MAX = 1024

#: Without the letters that people take for each other when they read aloud.
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP_LENGTH = 4, 5

#: What lists of stolen passwords begin with, from eight characters on, without
#: the digits and marks at the end that people hang on them.
_COMMON = frozenset(
    """
    password passwort passw0rd p@ssw0rd p@ssword motdepasse contraseña qwertyuiop qwertzuiop
    qwerty qwertz azerty asdfghjkl zxcvbnm 1q2w3e4r 1q2w3e4r5t 1qaz2wsx q1w2e3r4 iloveyou
    letmein welcome sunshine princess football baseball superman trustno1 starwars whatever
    changeme administrator admin master monkey dragon shadow michael jennifer computer internet
    samsung liverpool chelsea hello secret abcdefgh abcdefg abc abcd davhost
    """.split()  # noqa: SIM905 - words read better as words
)
_SEQUENCES = ("01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz")


def make_password() -> str:
    """Make a password of 100 random bits that can be read aloud and typed."""
    groups = (
        "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)
    )
    return "-".join(groups)


def is_guessed_first(password: str, email: str = "") -> bool:
    """Whether a password is one that anybody tries before thinking.

    One or two characters repeated, digits in their order, the best known words
    with digits at the end, and the address that one signs in with.

    Source: NIST SP 800-63B section 5.1.1.2: no rules of composition, but a list.
    """
    folded = password.casefold()
    if len(set(folded)) <= 2 or any(folded in sequence for sequence in _SEQUENCES):
        return True
    address = email.casefold()
    if folded in (address, address.partition("@")[0]):
        return True
    stem = folded.rstrip("0123456789!?.$*#_-@+")
    return stem in _COMMON or folded in _COMMON


class Passwords:
    """Slow on purpose, and only so many at once in one process."""

    def __init__(self, options: AccountsOptions) -> None:
        self._hashing = CryptContext(
            schemes=["argon2"],
            argon2__time_cost=options.rounds,
            argon2__memory_cost=options.memory_kib,
        )
        self._checks = threading.BoundedSemaphore(options.checks_at_once)

    def verify(self, account: Login | None, password: str) -> bool:
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

    def needs_update(self, account: Login) -> bool:
        """Whether the stored hash was made by another scheme or at another cost."""
        return bool(self._hashing.needs_update(account.password_hash))

    def hash_checked(self, password: str, email: str = "") -> str:
        """Hash a new password.

        Args:
            email: whose it is: the address is no password.

        Raises:
            WeakPassword: it is too short or too long, or the first that anybody tries.
        """
        if len(password) < PASSWORD_CHARACTERS_MIN:
            raise WeakPassword(f"a password needs {PASSWORD_CHARACTERS_MIN} characters or more")
        if len(password.encode()) > PASSWORD_BYTES_MAX:
            raise WeakPassword(f"a password may have {PASSWORD_BYTES_MAX} bytes at most")
        if is_guessed_first(password, email):
            raise WeakPassword("this password is among the first that anybody would try")
        return self.hash(password)

    def hash(self, password: str) -> str:
        """Hash a password under a new salt."""
        return str(self._hashing.hash(password))
