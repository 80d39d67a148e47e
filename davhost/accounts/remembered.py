"""Credentials that were verified a short while ago."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict

from ..catalogue import Login


class Remembered:
    """Verified credentials, under a hash that only this process can compute."""

    _ENTRIES_MAX = 10_000

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._key = secrets.token_bytes(32)
        self._until: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()

    def knows(self, account: Login, password: str, network: str, lease: float) -> bool:
        """Whether the same credentials were verified from there a short while ago.

        Elsewhere they are not known: an address that has used up its wrong
        tries must not learn which password is the right one.
        """
        until = self._until.get(self._digest(account, password, network))
        return until is not None and lease < until

    def add(self, account: Login, password: str, network: str, lease: float) -> None:
        """Remember credentials that were verified just now."""
        digest = self._digest(account, password, network)
        with self._lock:
            self._until[digest] = lease + self._seconds
            self._until.move_to_end(digest)
            while len(self._until) > self._ENTRIES_MAX:
                self._until.popitem(last=False)

    def _digest(self, account: Login, password: str, network: str) -> bytes:
        text = f"{account.id}\0{account.password_hash}\0{network}\0{password}"
        octets = text.encode("utf-8", "surrogatepass")
        # Made with every request: BLAKE2 has a key of its own, and is quicker than HMAC.
        return hashlib.blake2b(octets, key=self._key, digest_size=32).digest()
