"""The second step of signing in on the page: codes of a phone (TOTP, RFC 6238).

A code counts once, and so does each recovery code. Tries are counted for the
account, from wherever they come: six digits are soon guessed by many.
"""

from __future__ import annotations

import hmac
import re
import secrets

import pyotp

from ..catalogue import Account, Catalogue
from ..clock import Clock
from .throttle import Throttle
from .typed import ALPHABET, bare, hashed

_STEP_SECONDS = 30
#: How many steps a phone's clock may be off, each way.
_STEPS_OFF = 1

_TRIES_PER_MINUTE, _TRIES_AT_ONCE = 1.0, 10

_RECOVERY_CODES = 10
_RECOVERY_LENGTH = 16  # 80 random bits
_TYPED_MAX = 100


class WrongCode(ValueError):
    """The code is not the one of now, was used already, or is no recovery code."""


class TwoStep:
    """The second step of all accounts, as one process sees it."""

    def __init__(self, catalogue: Catalogue, clock: Clock, throttle: Throttle) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._throttle = throttle

    def new_secret(self) -> str:
        """Make a secret of 160 random bits; nothing is stored."""
        return pyotp.random_base32()

    def uri(self, account: Account, secret: str, issuer: str) -> str:
        """Write the address that phones read from a QR code."""
        return pyotp.TOTP(secret).provisioning_uri(name=account.email, issuer_name=issuer)

    def turn_on(self, account: Account, secret: str, code: str) -> list[str]:
        """Ask for codes from now on, if *code* proves that the phone has the secret.

        Returns:
            Recovery codes, which are not kept.

        Raises:
            WrongCode: it does not.
            TooManyTries: too many codes were tried.
        """
        self._count(account)
        step = self._step_of(secret, code)
        if step is None:
            raise WrongCode("this is not the code of now")
        codes = [_random_code() for _ in range(_RECOVERY_CODES)]
        with self._catalogue.people(writes=True) as people:
            people.codes.turn_on(
                account.id, secret, step, [hashed(one, _TYPED_MAX) for one in codes]
            )
        return codes

    def turn_off(self, account: Account) -> None:
        """Ask for no code any more."""
        with self._catalogue.people(writes=True) as people:
            people.codes.turn_off(account.id)

    def check(self, account: Account, code: str) -> None:
        """Use up a code of the phone, or a recovery code.

        Raises:
            WrongCode: it is neither, or was used already.
            TooManyTries: too many codes were tried.
        """
        self._count(account)
        with self._catalogue.people(writes=True) as people:
            secret = people.codes.find_secret(account.id)
            step = None if secret is None else self._step_of(secret, code)
            if step is not None and people.codes.use_step(account.id, step):
                return
            if step is None and people.codes.use_recovery(account.id, hashed(code, _TYPED_MAX)):
                return
        raise WrongCode("this code is wrong, or was used already")

    def recovery_left(self, account: Account) -> int:
        """Count the recovery codes that are left."""
        with self._catalogue.people() as people:
            return people.codes.count_recovery(account.id)

    def _count(self, account: Account) -> None:
        self._throttle.count_try(
            f"codes {account.id}",
            self._clock.lease(),
            per_minute=_TRIES_PER_MINUTE,
            at_once=_TRIES_AT_ONCE,
        )

    def _step_of(self, secret: str, code: str) -> int | None:
        """Find the step that a code is of; None when it is of none near now."""
        typed = bare(code, _TYPED_MAX)
        if re.fullmatch(r"[0-9]{6}", typed) is None:
            return None
        now = self._clock.now_us() // (_STEP_SECONDS * 1_000_000)
        totp = pyotp.TOTP(secret)
        for step in range(now - _STEPS_OFF, now + _STEPS_OFF + 1):
            if hmac.compare_digest(totp.generate_otp(step), typed):
                return step
        return None


def _random_code() -> str:
    text = "".join(secrets.choice(ALPHABET) for _ in range(_RECOVERY_LENGTH))
    return "-".join(text[at : at + 4] for at in range(0, _RECOVERY_LENGTH, 4))
