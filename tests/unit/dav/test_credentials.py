"""Basic authentication is read strictly, and never breaks."""

from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from davhost.dav.authenticator import credentials
from davhost.errors import NotSignedIn


def basic(octets: bytes) -> str:
    return "Basic " + base64.b64encode(octets).decode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (basic(b"ann@x.org:se:cret"), ("ann@x.org", "se:cret")),
        (basic(b"ann@x.org:secret").replace("Basic", "bAsIc"), ("ann@x.org", "secret")),
        (basic("ann@x.org:gärten".encode()), ("ann@x.org", "gärten")),
        (basic("ann@x.org:gärten".encode("latin-1")), ("ann@x.org", "gärten")),
        (basic(b"ann@x.org:"), ("ann@x.org", "")),
    ],
)
def test_credentials_are_read(value: str, expected: tuple[str, str]) -> None:
    """UTF-8 as announced, latin-1 as older clients send it."""
    assert credentials(value) == expected


@pytest.mark.parametrize(
    "value",
    ["", "Basic", "Basic ", "Basic !!!!", "Basic YQ", "Basic YWJj", "Bearer abc",
     'Digest username="a"', basic(b"a\x00b:c"), basic(b"a:b\nc"), "Basic YTpi YTpi", "Basic é"],
)  # fmt: skip
def test_malformed_credentials_are_401(value: str) -> None:
    """Never 500: the client is asked to sign in."""
    with pytest.raises(NotSignedIn):
        credentials(value)


@given(st.one_of(st.text(), st.binary().map(basic)))
def test_no_authorization_header_breaks_the_parser(value: str) -> None:
    """Whatever is sent, there are credentials or 401."""
    with contextlib.suppress(NotSignedIn):
        credentials(value)
