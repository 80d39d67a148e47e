"""PUT: whole or not at all."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable

import pytest

from tests.dav.wsgi import Client, D


class Broken(io.RawIOBase):
    """A body that stops in the middle, in the way that a server tells it."""

    def __init__(self, error: Exception | None, sent: bytes = b"only the beginning"):
        self._sent = io.BytesIO(sent)
        self._error = error
        self.was_read = False

    def read(self, size: int = -1) -> bytes:
        """Give what was sent, then fail, or pretend that this was all."""
        self.was_read = True
        block = self._sent.read(size)
        if not block and self._error is not None:
            raise self._error
        return block


def test_a_new_file_is_201_and_an_old_one_204(client: Client) -> None:
    """Both answers carry the new ETag."""
    first = client.put("/a.txt", b"one")
    second = client.put("/a.txt", b"two")
    assert (first.status, second.status) == (201, 204)
    assert first.headers["etag"] != second.headers["etag"]
    assert client.get("/a.txt").body == b"two"
    assert client.get("/a.txt").headers["etag"] == second.headers["etag"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConnectionResetError(), 400),
        (ValueError("bad chunk"), 400),
        (OSError(), 400),
        (TimeoutError(), 408),
        (None, 400),
    ],
)
def test_an_upload_that_is_cut_short_changes_nothing(
    client: Client, error: Exception | None, status: int
) -> None:
    """Wi-Fi drops in the middle of saving: the old file is still there, whole."""
    client.put("/a.txt", b"old")
    cut = client.request("PUT", "/a.txt", Broken(error))
    assert cut.status == status
    assert client.get("/a.txt").body == b"old"
    assert client.request("PUT", "/new.txt", Broken(error)).status == status
    assert client.names() == {"/a.txt"}


def test_a_chunked_upload_that_breaks_changes_nothing(client: Client) -> None:
    """Finder sends chunks; a broken one is not the end of the file."""
    client.put("/a.txt", b"old")
    assert client.request("PUT", "/a.txt", Broken(ValueError()), chunked=True).status == 400
    assert client.get("/a.txt").body == b"old"


def test_a_chunked_upload_is_kept_whole(client: Client) -> None:
    """Finder announces a length of its own besides; it is no framing."""
    body = b"x" * 1_000_000
    answer = client.request("PUT", "/a.txt", body, chunked=True, X_Expected_Entity_Length="1000000")
    assert answer.status == 201
    assert client.get("/a.txt").body == body
    wrong = client.request("PUT", "/a.txt", b"y", chunked=True, X_Expected_Entity_Length="5")
    assert wrong.status == 204
    assert client.get("/a.txt").body == b"y"


def test_an_empty_upload_is_a_file(client: Client) -> None:
    """Explorer and Finder put nothing first, and the content afterwards."""
    assert client.request("PUT", "/a.txt").status == 201
    answer = client.get("/a.txt")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "0")


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        ("/missing/a.txt", {}, 409),
        ("/d", {}, 405),
        ("/d/", {}, 405),
        ("/new/", {}, 405),
        ("/", {}, 405),
        ("/a.txt", {"Content_Range": "bytes 0-1/5"}, 400),
        ("/a.txt", {"Content_Encoding": "gzip"}, 415),
        ("/a.txt", {"If_None_Match": "*"}, 412),
        ("/a.txt", {"If_Match": '"other"'}, 412),
        ("/a.txt", {"If_Match": "unquoted"}, 400),
        ("/new.txt", {"If_Match": "*"}, 412),
        ("/a.txt", {"X_OC_Mtime": "soon"}, 400),
        ("/a%2Fb.txt", {}, 400),
        ("/a%00.txt", {}, 400),
        ("/%FF.txt", {}, 400),
        ("/../a.txt", {}, 400),
        ("/%2e%2e/a.txt", {}, 400),
        ("/" + "x" * 300, {}, 400),
        ("/a%01.txt", {}, 400),
        ("/con.txt", {}, 400),
        ("/trail.%20", {}, 400),
    ],
)
def test_a_refused_upload_is_not_read(
    client: Client, target: str, headers: dict[str, str], status: int
) -> None:
    """What is refused is refused before a byte of the body is asked for.

    A short body that the client does not keep back is worth no question.
    """
    client.put("/a.txt", b"old")
    client.mkcol("/d")
    body = Broken(None)
    answer = client.request("PUT", target, body, Expect="100-continue", **headers)
    assert answer.status == status
    assert not body.was_read
    assert client.names() == {"/a.txt", "/d/"}
    assert client.get("/a.txt").body == b"old"


def test_a_collection_that_is_put_says_what_it_allows(client: Client) -> None:
    """405 comes with Allow (RFC 9110 section 15.5.6)."""
    client.mkcol("/d")
    allow = client.request("PUT", "/d").headers["allow"]
    assert "PUT" not in allow
    assert "PROPFIND" in allow


def test_the_date_of_the_file_is_kept(client: Client) -> None:
    """rclone and Nextcloud's clients send it, and look for the answer."""
    answer = client.put("/a.txt", b"x", X_OC_Mtime="784111777.5")
    assert answer.headers["x-oc-mtime"] == "accepted"
    assert client.get("/a.txt").headers["last-modified"] == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert client.get("/a.txt").headers["etag"] == answer.headers["etag"]
    assert "x-oc-mtime" not in client.put("/a.txt", b"y").headers


def test_a_refused_upload_does_not_say_that_its_date_was_accepted(client: Client) -> None:
    """X-OC-MTime: accepted is never sent with a failure."""
    answer = client.request("PUT", "/none/a.txt", b"x", X_OC_Mtime="784111777")
    assert answer.status == 409
    assert "x-oc-mtime" not in answer.headers


@pytest.mark.parametrize(
    ("header", "spell"),
    [
        ("Content_MD5", lambda b: base64.b64encode(hashlib.md5(b).digest()).decode()),
        ("OC_Checksum", lambda b: "SHA1:" + hashlib.sha1(b).hexdigest()),
        ("Digest", lambda b: "sha-256=" + base64.b64encode(hashlib.sha256(b).digest()).decode()),
        (
            "Repr_Digest",
            lambda b: f"sha-256=:{base64.b64encode(hashlib.sha256(b).digest()).decode()}:",
        ),
    ],
)
def test_a_body_that_does_not_fit_its_digest_changes_nothing(
    client: Client, header: str, spell: Callable[[bytes], str]
) -> None:
    """A bit that flipped on the way is found."""
    client.put("/a.txt", b"right", **{header: spell(b"right")})
    answer = client.request("PUT", "/a.txt", b"wrong", **{header: spell(b"right")})
    assert answer.status == 400
    assert client.get("/a.txt").body == b"right"


def test_a_full_home_says_so_before_the_upload(new_client: Callable[..., Client]) -> None:
    """507 with the condition of RFC 4331, and not a byte was read."""
    client = new_client(quota_bytes=100)
    body = Broken(None)
    answer = client.request("PUT", "/a.txt", body, Expect="100-continue")
    assert answer.status == 507
    assert D + "quota-not-exceeded" in answer.conditions
    assert not body.was_read


def test_a_forbidden_type_says_what_is_allowed(new_client: Callable[..., Client]) -> None:
    """The reason is in the status line and in the body."""
    client = new_client(rules="txt,pdf")
    answer = client.request("PUT", "/tool.exe", b"MZ")
    assert answer.status == 403
    assert ".exe" in answer.phrase
    assert b"pdf, txt" in answer.body
    assert client.names() == set()


def test_the_declared_type_serves_where_the_name_says_nothing(client: Client) -> None:
    """The extension wins over what a client claims."""
    client.put("/a.txt", b"x", Content_Type="text/html")
    client.put("/strange.xyz", b"x", Content_Type="application/x-strange")
    client.put("/nothing", b"x", Content_Type="bad\x00type")
    assert client.get("/a.txt").headers["content-type"] == "text/plain"
    assert client.get("/strange.xyz").headers["content-type"] == "application/x-strange"
    assert client.get("/nothing").headers["content-type"] == "application/octet-stream"
