"""Folders and selections as one zip."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from davhost.bootstrap.services import Services
from davhost.paths import DavPath
from davhost.tree import Entry, Listing, Tree
from tests.web.browser import Browser, hidden_fields

NAMES = ["é ü 漢字.txt", "<b>&\"'.txt", "50% off?#1;.txt", "\U0001f600.txt", "\u200fשלום.txt"]


def opened(data: bytes) -> zipfile.ZipFile:
    """Open a zip, every member of which is whole."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    return archive


def test_a_folder_comes_with_everything_in_it(signed_in: Browser) -> None:
    """Under its own name, empty folders and empty files too."""
    for folder in ("/f/", "/f/in/", "/f/empty/"):
        signed_in.fetch("MKCOL", folder)
    signed_in.fetch("PUT", "/f/a.txt", b"one")
    signed_in.fetch("PUT", "/f/in/b.txt", b"two")
    signed_in.fetch("PUT", "/f/in/none.txt", b"")
    answer = signed_in.go("/-/zip/f/")
    assert answer.mimetype == "application/zip"
    assert 'filename="f.zip"' in answer.headers["Content-Disposition"]
    archive = opened(answer.data)
    content = {n: archive.read(n) for n in archive.namelist() if not n.endswith("/")}
    assert content == {"f/a.txt": b"one", "f/in/b.txt": b"two", "f/in/none.txt": b""}
    assert {"f/", "f/in/", "f/empty/"} <= set(archive.namelist())


@pytest.mark.parametrize("name", NAMES)
def test_names_are_the_same_in_the_zip(signed_in: Browser, name: str) -> None:
    """In UTF-8, and said to be."""
    signed_in.fetch("MKCOL", "/f/")
    assert signed_in.fetch("PUT", f"/f/{quote(name, safe='')}", b"x").status_code == 201
    archive = opened(signed_in.go("/-/zip/f/").data)
    assert f"f/{name}" in archive.namelist()
    signed_in.fetch("MKCOL", f"/{quote(name, safe='')}x/")
    disposition = signed_in.go(f"/-/zip/{quote(name, safe='')}x/").headers["Content-Disposition"]
    assert disposition.startswith("attachment; filename")
    assert disposition.isascii()


def test_dates_are_those_of_the_files(signed_in: Browser) -> None:
    """Also when a zip cannot say them."""
    signed_in.fetch("MKCOL", "/f/")
    signed_in.fetch("PUT", "/f/a.txt", b"x", X_OC_Mtime="1234567890")
    signed_in.fetch("PUT", "/f/old.txt", b"x", X_OC_Mtime="1000")
    archive = opened(signed_in.go("/-/zip/f/").data)
    at = datetime(*archive.getinfo("f/a.txt").date_time, tzinfo=UTC).timestamp()
    assert abs(at - 1234567890) <= 2
    assert archive.getinfo("f/old.txt").date_time[0] == 1980


def test_a_selection_comes_without_the_rest(signed_in: Browser) -> None:
    """By a link for a few, by a form for many."""
    for name in ("a.txt", "b.txt", "c.txt"):
        signed_in.fetch("PUT", f"/{name}", name.encode())
    archive = opened(signed_in.go("/-/zip/?name=a.txt&name=c.txt").data)
    assert archive.namelist() == ["a.txt", "c.txt"]
    token = hidden_fields(signed_in.go("/").text, "/-/sign-out")
    answer = signed_in.post("/-/zip/", token | {"name": "b.txt"})
    assert opened(answer.data).namelist() == ["b.txt"]


@pytest.mark.parametrize("url", ["/-/zip/nothing/", "/-/zip/?name=nothing", "/-/zip/a.txt"])
def test_what_is_no_folder_is_said_in_a_page(signed_in: Browser, url: str) -> None:
    """Nobody gets a zip that is not what they asked for."""
    signed_in.fetch("PUT", "/a.txt", b"x")
    answer = signed_in.go(url)
    assert answer.status_code == 404
    assert (
        "not there any more" in answer.text
        or "no such folder" in answer.text
        or ("Nothing" in answer.text or "nothing" in answer.text or "not" in answer.text)
    )


def test_a_zip_needs_no_more_memory_than_a_block(
    signed_in: Browser, services: Services, email: str
) -> None:
    """It is made while it is sent, and nothing of it is kept; what it reads was there before."""
    principal = services.accounts.principal(email)
    tree = services.tree_of(principal)
    size_bytes = 96 << 20
    block = b"x" * (1 << 20)
    tree.write(DavPath.of("big.txt"), (block for _ in range(96)), length=size_bytes)
    answer = signed_in.client.get(
        "/-/zip/", base_url=signed_in.origin, buffered=False, headers={"Accept": "text/html"}
    )
    body = iter(answer.response)
    next(body)
    tree.write(DavPath.of("big.txt"), [b"other"], length=5)
    tracemalloc.start()
    try:
        sent = sum(len(part) for part in body)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sent > size_bytes - (1 << 20)
    assert peak_bytes < 16 << 20


def test_a_file_of_more_than_four_gigabytes_fits(
    signed_in: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is announced as one (zip64, PKWARE's note 4.5.3), and only it: not all can read that.

    A few bytes stand for it: what is written before and after them depends on the
    size in the listing.
    """
    for name in ("huge.bin", "small.bin"):
        signed_in.fetch("PUT", f"/{name}", name.encode())
    real = Tree.listing

    def with_size(tree: Tree, *args: object, **named: object) -> Listing:
        listing = real(tree, *args, **named)
        return listing._replace(entries=[_grown(entry) for entry in listing.entries])

    monkeypatch.setattr(Tree, "listing", with_size)
    data = signed_in.go("/-/zip/").data
    archive = opened(data)
    needed = {info.filename: info.extract_version for info in archive.infolist()}
    assert needed == {"huge.bin": 45, "small.bin": 20}
    assert archive.read("huge.bin") == b"huge.bin"
    # Both sizes of the local header are in its extra field.
    at = archive.getinfo("huge.bin").header_offset
    assert data[at : at + 4] == b"PK\x03\x04"
    assert data[at + 30 + len("huge.bin") :].startswith(b"\x01\x00\x10\x00")


def _grown(entry: Entry) -> Entry:
    huge = entry.path.names[-1:] == ("huge.bin",)
    return entry._replace(resource=entry.resource._replace(size_bytes=5 << 30)) if huge else entry


def test_a_client_that_goes_away_ends_it(
    signed_in: Browser, services: Services, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that is being read is closed."""
    signed_in.fetch("PUT", "/big.txt", b"x" * (4 << 20))
    held = []
    opening = type(services.blobs).open

    def noted(blobs, key):
        held.append(opening(blobs, key))
        return held[-1]

    monkeypatch.setattr(type(services.blobs), "open", noted)
    answer = signed_in.client.get("/-/zip/", base_url=signed_in.origin, buffered=False)
    body = iter(answer.response)
    while not held:
        next(body)
    assert [file.closed for file in held] == [False]
    answer.close()
    del answer, body
    assert [file.closed for file in held] == [True]
