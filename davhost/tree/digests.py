"""Checksums that a client sends along: compared before anything changes."""

from __future__ import annotations

import hashlib
import hmac
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import DigestMismatch


@dataclass(frozen=True, slots=True)
class Digest:
    """A checksum of a body.

    Args:
        algorithm: ``md5``, ``sha1``, ``sha256``, ``sha512`` or ``adler32``.
        value: the raw octets.
    """

    algorithm: str
    value: bytes


class _Adler32:
    def __init__(self) -> None:
        self._sum = 1

    def update(self, block: bytes) -> None:
        self._sum = zlib.adler32(block, self._sum)

    def digest(self) -> bytes:
        return self._sum.to_bytes(4, "big")


class Verifier:
    """Computes the checksums of a body as it streams by.

    Raises:
        ValueError: an algorithm that is not known.
    """

    def __init__(self, expected: Sequence[Digest]) -> None:
        self._pairs = [(digest, _hasher(digest.algorithm)) for digest in expected]

    def update(self, block: bytes) -> None:
        """Take the next block."""
        for _, hasher in self._pairs:
            hasher.update(block)

    def check(self) -> None:
        """Compare at the end of the body.

        Raises:
            DigestMismatch: naming the algorithm.
        """
        for digest, hasher in self._pairs:
            if not hmac.compare_digest(digest.value, hasher.digest()):
                raise DigestMismatch(
                    f"The {digest.algorithm} checksum does not fit the bytes that arrived."
                )


def _hasher(algorithm: str) -> _Adler32 | hashlib._Hash:
    if algorithm == "adler32":
        return _Adler32()
    return hashlib.new(algorithm, usedforsecurity=False)
