"""Digests in the spellings of five headers."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from davhost.dav.digests import digests
from davhost.errors import BadRequest
from davhost.tree import Digest

BODY = b"hello"
MD5, SHA1, SHA256 = (
    Digest(name, hashlib.new(name, BODY).digest()) for name in ("md5", "sha1", "sha256")
)
ADLER32 = Digest("adler32", zlib.adler32(BODY).to_bytes(4, "big"))


def b64(digest: Digest) -> str:
    return base64.b64encode(digest.value).decode()


def hexa(digest: Digest) -> str:
    return digest.value.hex()


@pytest.mark.parametrize(
    ("header", "value", "expected"),
    [
        ("HTTP_CONTENT_MD5", b64(MD5), [MD5]),
        ("HTTP_DIGEST", f"SHA-256={b64(SHA256)}", [SHA256]),
        ("HTTP_DIGEST", f"sha={b64(SHA1)}, md5={b64(MD5)}", [SHA1, MD5]),
        ("HTTP_DIGEST", f"ADLER32={zlib.adler32(BODY):x}", [ADLER32]),
        ("HTTP_REPR_DIGEST", f"sha-256=:{b64(SHA256)}:", [SHA256]),
        ("HTTP_CONTENT_DIGEST", f"crc32c=:AAAA:, sha-256=:{b64(SHA256)}:", [SHA256]),
        ("HTTP_OC_CHECKSUM", f"SHA1:{hexa(SHA1)} MD5:{hexa(MD5)}", [SHA1, MD5]),
        ("HTTP_OC_CHECKSUM", "SHA3-256:00", []),
        ("HTTP_DIGEST", "unixsum=30637", []),
    ],
)  # fmt: skip
def test_what_the_client_promises_is_read(header: str, value: str, expected: list[Digest]) -> None:
    """Every client's spelling is understood; an unknown algorithm is skipped."""
    assert list(digests({header: value})) == expected


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("HTTP_CONTENT_MD5", "!!!"),
        ("HTTP_CONTENT_MD5", "AAAA"),
        ("HTTP_DIGEST", "md5=AAAA"),
        ("HTTP_REPR_DIGEST", "sha-256=AAAA"),
        ("HTTP_OC_CHECKSUM", "MD5:xyz"),
    ],
)
def test_a_digest_that_cannot_be_right_is_refused(header: str, value: str) -> None:
    """It was meant to be checked, so it is not skipped: 400."""
    with pytest.raises(BadRequest):
        digests({header: value})


@given(st.sampled_from(["CONTENT_MD5", "DIGEST", "REPR_DIGEST", "OC_CHECKSUM"]),
       st.text(alphabet=st.characters(max_codepoint=255)))  # fmt: skip
def test_no_digest_header_breaks_its_parser(header: str, value: str) -> None:
    """Whatever is sent, there are digests or a refusal."""
    with contextlib.suppress(BadRequest):
        digests({f"HTTP_{header}": value})
