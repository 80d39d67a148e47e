"""How sign-ins are checked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AccountsOptions:
    """How sign-ins are checked.

    Args:
        remember_seconds: how long verified credentials need no new check.
        wrong_tries_per_minute: how many an address (IPv6: its /64) has.
        checks_at_once: password checks that may run at the same time here.
        delay_seconds_max: how long a wrong try on an account under attack waits.
        rounds: argon2 time cost; stored hashes of another cost are renewed at
            the next sign-in.
        memory_kib: argon2 memory cost.
    """

    remember_seconds: float = 300
    wrong_tries_per_minute: float = 10
    checks_at_once: int = 2
    delay_seconds_max: float = 2
    rounds: int = 3
    memory_kib: int = 65536
