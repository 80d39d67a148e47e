"""Blob keys: ``<space id>/<32 hex digits>``, and nothing else.

A key that does not look exactly like this never comes near a path.
"""

from __future__ import annotations

import re
import secrets
from typing import NamedTuple

_KEY = re.compile(r"(0|[1-9][0-9]{0,18})/([0-9a-f]{32})")


def random_hex() -> str:
    """Draw the random part of a key."""
    return secrets.token_hex(16)


class BlobKey(NamedTuple):
    """A key that was checked.

    Args:
        hex: 128 random bits, 32 lower-case digits.
    """

    space_id: int
    hex: str

    @classmethod
    def make(cls, space_id: int, random_hex: str) -> BlobKey:
        """Build a new key.

        Raises:
            ValueError: one of the parts cannot be part of a key.
        """
        key = cls.find(f"{space_id}/{random_hex}")
        if key is None:
            raise ValueError("a blob key is a space id and 32 hex digits")
        return key

    @classmethod
    def find(cls, text: str) -> BlobKey | None:
        """Parse *text*; None if no blob can have such a key."""
        match = _KEY.fullmatch(text)
        return cls(int(match[1]), match[2]) if match else None

    def __str__(self) -> str:
        """Write the key as the catalogue keeps it."""
        return f"{self.space_id}/{self.hex}"
