"""Digests that clients send with a body, in the five spellings they use.

======================  ==================================  ===================
header                  value                               who
======================  ==================================  ===================
Content-MD5             base64 of 16 octets                 RFC 1864
Digest                  ``sha-256=base64,md5=base64``       RFC 3230
Content-Digest          ``sha-256=:base64:``                RFC 9530
Repr-Digest             ``sha-256=:base64:``                RFC 9530
OC-Checksum             ``SHA1:hex`` (several, by spaces)   ownCloud, Nextcloud
======================  ==================================  ===================

An algorithm that nobody here can compute is skipped, as the RFCs allow; a
value that is malformed is refused, because its sender meant it to be checked.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from ..errors import BadRequest
from ..tree import Digest
from .origin import Environ

#: The names of algorithms in headers, the tree's name, and the octets of a value.
_ALGORITHMS = {
    "md5": ("md5", 16),
    "sha": ("sha1", 20),
    "sha1": ("sha1", 20),
    "sha-1": ("sha1", 20),
    "sha256": ("sha256", 32),
    "sha-256": ("sha256", 32),
    "sha512": ("sha512", 64),
    "sha-512": ("sha512", 64),
    "adler32": ("adler32", 4),
}
_HEADERS = frozenset(
    {
        "HTTP_CONTENT_DIGEST",
        "HTTP_CONTENT_MD5",
        "HTTP_DIGEST",
        "HTTP_OC_CHECKSUM",
        "HTTP_REPR_DIGEST",
    }
)
_DICTIONARY_MEMBER = re.compile(r"[ \t]*([A-Za-z0-9_.*-]+)=:([A-Za-z0-9+/=]*):[ \t]*")


def digests(environ: Environ) -> tuple[Digest, ...]:
    """Collect what the content of the body must hash to.

    Raises:
        BadRequest: a value is not what its algorithm makes.
    """
    if environ.keys().isdisjoint(_HEADERS):
        return ()
    found = [
        *_content_md5(str(environ.get("HTTP_CONTENT_MD5") or "")),
        *_digest(str(environ.get("HTTP_DIGEST") or "")),
        *_dictionary(str(environ.get("HTTP_CONTENT_DIGEST") or "")),
        *_dictionary(str(environ.get("HTTP_REPR_DIGEST") or "")),
        *_oc_checksum(str(environ.get("HTTP_OC_CHECKSUM") or "")),
    ]
    return tuple(dict.fromkeys(found))


def _content_md5(value: str) -> Iterator[Digest]:
    if value.strip():
        yield from _known("md5", _base64(value))


def _digest(value: str) -> Iterator[Digest]:
    for part in filter(None, map(str.strip, value.split(","))):
        name, _, encoded = part.partition("=")
        if name.strip().lower() == "adler32":
            yield from _known("adler32", _hex(encoded.rjust(8, "0")))
        elif name.strip().lower() in _ALGORITHMS:
            yield from _known(name, _base64(encoded))


def _dictionary(value: str) -> Iterator[Digest]:
    for part in filter(None, map(str.strip, value.split(","))):
        match = _DICTIONARY_MEMBER.fullmatch(part.partition(";")[0])
        if match is None:
            raise BadRequest("A digest header is malformed.")
        if match[1].lower() in _ALGORITHMS:
            yield from _known(match[1], _base64(match[2]))


def _oc_checksum(value: str) -> Iterator[Digest]:
    for part in value.split():
        name, _, encoded = part.partition(":")
        if name.lower() in _ALGORITHMS:
            yield from _known(name, _hex(encoded))


def _known(name: str, value: bytes) -> Iterator[Digest]:
    algorithm, size_bytes = _ALGORITHMS[name.strip().lower()]
    if len(value) != size_bytes:
        raise BadRequest(f"The {algorithm} digest does not have {size_bytes} bytes.")
    yield Digest(algorithm, value)


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest("A digest is not valid base64.") from None


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text.strip())
    except ValueError:
        raise BadRequest("A digest is not valid hexadecimal.") from None
