"""Random secrets that people type: read whichever way they are written.

They have bits enough that a fast hash keeps them.
"""

from __future__ import annotations

import hashlib

#: Without the letters that people take for each other.
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


def bare(text: str, characters_max: int) -> str:
    """Leave out how people write it: with dashes or spaces, in any case.

    Args:
        characters_max: what is longer is cut before it is looked at.
    """
    return "".join(text[:characters_max].replace("-", " ").split()).lower()


def hashed(text: str, characters_max: int) -> str:
    """Hash what is `bare`: SHA-256, lower-case hex."""
    octets = bare(text, characters_max).encode("utf-8", "surrogatepass")
    return hashlib.sha256(octets).hexdigest()
