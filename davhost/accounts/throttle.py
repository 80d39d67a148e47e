"""Slowing down those who guess, without locking out those who know.

Counts are rows, so that every process sees them: one for each address, one for
each account, and one for each pair that has signed in before.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from functools import lru_cache

from ..catalogue import Catalogue, Login
from ..errors import TooManyTries
from .options import AccountsOptions


class Throttle:
    """Counts wrong tries; they leak away with time.

    Args:
        sleep: waits so many seconds; tests pass their own.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        options: AccountsOptions,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._catalogue = catalogue
        self._options = options
        self._sleep = sleep

    def check_address(self, account: Login | None, address: str, lease: float) -> None:
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

    def count_wrong_try(self, key: str, address: str, lease: float) -> None:
        """Count a wrong try, and let its answer wait when many guess at the account."""
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

    def count_try(self, key: str, lease: float, *, per_minute: float, at_once: float) -> None:
        """Count a try at something short, from wherever it comes.

        Raises:
            TooManyTries: there were more than *at_once*, less those that leaked away.
        """
        with self._catalogue.people(writes=True) as people:
            count = people.count_wrong_try(key, lease, per_minute)
        if count > at_once:
            raise TooManyTries(
                "Too many codes were tried.", retry_after_seconds=round(60 / per_minute)
            )

    def count_request(self, what: str, address: str, lease: float, per_minute: float) -> None:
        """Count a request of some kind, and refuse it when there are too many.

        Raises:
            TooManyTries: with the seconds until the next.
        """
        key = f"{what} {network_of(address)}"
        with self._catalogue.people(writes=True) as people:
            count = people.count_wrong_try(key, lease, per_minute)
        if count > max(1, per_minute):
            raise TooManyTries(
                "That was asked for too often from your address.",
                retry_after_seconds=max(1, round(60 / per_minute)),
            )


@lru_cache(maxsize=4096)
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


def _address_key(network: str) -> str:
    return f"address {network}"


def _pair_key(user_id: int, network: str) -> str:
    return f"account {user_id} from {network}"
