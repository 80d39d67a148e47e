"""What people do with files in a browser that runs no scripts: by forms alone."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from werkzeug.test import TestResponse

from davhost.bootstrap.services import Services
from davhost.model import Rules
from davhost.paths import DavPath
from tests.web.browser import NAVIGATION, Browser, hidden_fields
from tests.web.test_files import listed


def upload(
    browser: Browser, files: dict[str, bytes], *, to: str = "/", taken: str = "keep"
) -> TestResponse:
    """Choose files on the page of a folder and send the form."""
    # As browsers write names: the HTML standard, section 4.10.22.8.
    chosen = [(BytesIO(files[name]), name.replace('"', "%22")) for name in files]
    return browser.submit(
        f"/-/upload{to}".removesuffix("/") if to != "/" else "/-/upload/",
        page=to,
        taken=taken,
        file=chosen,
    )


def stored(services: Services, email: str) -> dict[str, bytes]:
    """Read every file at the top of a home."""
    tree = services.tree_of(services.accounts.principal(email))
    found = {}
    for entry in tree.listing(DavPath(), depth=1, dead=False, locks=False).entries[1:]:
        content = tree.open_listed(entry.resource)
        with content or BytesIO() as opened:
            found[str(entry.path.name)] = opened.read()
    return found


def test_several_files_are_uploaded(signed_in: Browser, services: Services, email: str) -> None:
    """Byte for byte, empty ones too, whatever they are called."""
    files = {
        "a.txt": b"one",
        "none.txt": b"",
        '50% "off"?#1;.txt': b"two",
        "\u200fשלום \U0001f600.txt": b"--\r\n\r\n--" * 1000,
        "big.bin": bytes(range(256)) * 1024,
    }
    answer = upload(signed_in, files)
    assert (answer.status_code, answer.location) == (303, "/")
    assert stored(services, email) == files
    assert "5 items uploaded." in signed_in.go("/").text


def test_files_are_uploaded_into_the_folder_that_is_open(signed_in: Browser) -> None:
    """And the page of that folder comes next."""
    signed_in.fetch("MKCOL", "/a%20b/")
    answer = upload(signed_in, {"a.txt": b"one"}, to="/a%20b/")
    assert answer.location == "/a%20b/"
    assert signed_in.go("/a%20b/a.txt").data == b"one"


@pytest.mark.parametrize(
    ("taken", "expected", "said"),
    [
        (
            "keep",
            {"a.txt": b"old", "a (2).txt": b"older", "a (3).txt": b"new", "b.txt": b"b"},
            "2 items uploaded.",
        ),
        ("replace", {"a.txt": b"new", "a (2).txt": b"older", "b.txt": b"b"}, "2 items uploaded."),
        (
            "skip",
            {"a.txt": b"old", "a (2).txt": b"older", "b.txt": b"b"},
            "1 item uploaded, 1 skipped.",
        ),
    ],
)
def test_people_choose_what_happens_to_a_name_that_is_taken(
    signed_in: Browser,
    services: Services,
    email: str,
    taken: str,
    expected: dict[str, bytes],
    said: str,
) -> None:
    """Keep both, replace it, leave one out; what is replaced is a version."""
    signed_in.fetch("PUT", "/a.txt", b"old")
    signed_in.fetch("PUT", "/a%20(2).txt", b"older")
    upload(signed_in, {"a.txt": b"new", "b.txt": b"b"}, taken=taken)
    assert stored(services, email) == expected
    assert said in signed_in.go("/").text
    versions = signed_in.go("/-/versions/a.txt").text.count("Restore</button>")
    assert versions == (1 if taken == "replace" else 0)


def test_the_rules_are_those_of_every_upload(
    signed_in: Browser, services: Services, email: str
) -> None:
    """What is refused is said for each file, and the others come."""
    services.accounts.set_rules(email, Rules.parse("txt,pdf"))
    services.accounts.set_quota(email, 1000)
    signed_in.fetch("MKCOL", "/folder.txt/")
    files = {
        "tool.exe": b"MZ",
        "liar.pdf": b"MZ no document",
        "big.txt": b"x" * 1001,
        "aux.txt": b"x",
        "a.txt": b"one",
        "folder.txt": b"x",
    }
    answer = upload(signed_in, files, taken="replace")
    assert answer.status_code == 200
    assert "1 item uploaded." in answer.text
    for why in (
        "Allowed here: pdf, txt",
        "A file named .pdf must hold what its name says",
        "The space has room for 1000 bytes here",
        "Windows keeps this name for a device",
        "There is a folder of this name",
    ):
        assert why in answer.text
    assert signed_in.go("/a.txt").data == b"one"
    assert listed(signed_in.go("/").text) == ["folder.txt", "a.txt"]
    refusals = services.accounts.refusals(email, limit=10)
    assert {refusal.path for refusal in refusals} >= {"/tool.exe", "/liar.pdf"}


def test_when_everything_is_refused_the_status_says_so(
    signed_in: Browser, services: Services, email: str
) -> None:
    """For programs, and for the log."""
    services.accounts.set_quota(email, 10)
    assert upload(signed_in, {"a.txt": b"x" * 11}).status_code == 507
    assert upload(signed_in, {".": b"x"}).status_code == 400
    assert stored(services, email) == {}


def test_nothing_chosen_is_no_fault(signed_in: Browser) -> None:
    """A browser then sends a file that has no name."""
    assert upload(signed_in, {"": b""}).status_code == 303
    assert "Nothing was chosen." in signed_in.go("/").text


def form(*parts: bytes, end: bytes = b"--AaB--\r\n") -> bytes:
    """Write a form as it is on the wire."""
    return b"".join(b"--AaB\r\n" + part + b"\r\n" for part in parts) + end


def field(name: str, value: str) -> bytes:
    """Write a field of a form."""
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()


FILE = b'Content-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\none'


def send(browser: Browser, body: bytes, **more: Any) -> TestResponse:
    """Send a form as a browser does that has signed in."""
    kind = {"Content-Type": "multipart/form-data; boundary=AaB", "Sec-Fetch-Site": "same-origin"}
    return browser.client.post(
        "/-/upload/", base_url=browser.origin, headers=NAVIGATION | kind, data=body, **more
    )


def test_no_file_comes_without_the_token(
    signed_in: Browser, services: Services, email: str
) -> None:
    """It must stand before the first file, and be right."""
    token = field("csrf_token", hidden_fields(signed_in.go("/").text, "/-/upload/")["csrf_token"])
    for parts in ((FILE,), (FILE, token), (field("csrf_token", "x"), FILE), ()):
        answer = send(signed_in, form(*parts))
        assert answer.status_code == 400
        assert "This page was open for too long" in answer.text
    assert stored(services, email) == {}
    assert send(signed_in, form(token, FILE)).status_code == 303


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(form(FILE, end=b""), id="cut in the file"),
        pytest.param(form(FILE, b"no head", end=b""), id="cut in a head"),
        pytest.param(form(FILE, b"X: " + b"y" * (2 << 20)), id="an endless head"),
        pytest.param(form(FILE, b"X: y\r\n\r\nz"), id="a part of no name"),
        pytest.param(form(FILE, b"X: \xff\r\n\r\nz"), id="no UTF-8"),
        pytest.param(form(field("note", "y" * 2000)), id="a long field"),
    ],
)
def test_a_form_that_is_not_well_formed_is_refused(
    signed_in: Browser, services: Services, email: str, body: bytes
) -> None:
    """What came whole before it stays; of the rest nothing."""
    token = field("csrf_token", hidden_fields(signed_in.go("/").text, "/-/upload/")["csrf_token"])
    answer = send(signed_in, form(token, end=body))
    assert answer.status_code in (400, 413)
    assert set(stored(services, email)) <= {"a.txt"}
    if b"one\r\n--" not in body:
        assert stored(services, email) == {}


def test_another_kind_of_body_is_refused(signed_in: Browser) -> None:
    """A form with files is the only one."""
    assert signed_in.post("/-/upload/", {"file": "x"}).status_code == 415


class Growing:
    """A body that is made while it is read."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._left = b""

    def read(self, size: int = -1) -> bytes:
        """Give the next bytes."""
        while not self._left:
            block = next(self._blocks, None)
            if block is None:
                return b""
            self._left = block
        read, self._left = self._left[:size], self._left[size:]
        return read


def test_an_upload_needs_no_more_memory_than_a_block(
    signed_in: Browser, services: Services, email: str
) -> None:
    """Neither memory nor temporary files hold it, and a limit ends it where it is reached."""
    token = hidden_fields(signed_in.go("/").text, "/-/upload/")["csrf_token"]
    services.accounts.set_quota(email, 48 << 20)
    head = form(field("csrf_token", token), end=b"--AaB\r\n")
    block = bytes(range(256)) * 4096
    size_bytes = 96 << 20

    def body() -> Iterator[bytes]:
        for name in ("fits.bin", "does not.bin"):
            yield (head if name == "fits.bin" else b"\r\n--AaB\r\n")
            yield f'Content-Disposition: form-data; name="f"; filename="{name}"\r\n\r\n'.encode()
            for _ in range((32 << 20 if name == "fits.bin" else size_bytes) // len(block)):
                yield block
        yield b"\r\n--AaB--\r\n"

    length = sum(len(piece) for piece in body())
    tracemalloc.start()
    try:
        answer = send(
            signed_in,
            b"replaced",
            environ_overrides={"wsgi.input": Growing(body()), "CONTENT_LENGTH": str(length)},
        )
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code == 200
    assert "does not.bin" in answer.text
    assert services.tree_of(services.accounts.principal(email)).space().used_bytes == 32 << 20
    assert peak_bytes < 16 << 20


# Folders, names, deleting


def test_a_folder_is_made(signed_in: Browser) -> None:
    """And a name that is taken, or cannot be, is said."""
    answer = signed_in.submit("/-/new-folder/", page="/", name="Ünï <1>")
    assert answer.location == "/"
    page = signed_in.go("/").text
    assert listed(page) == ["Ünï <1>"]
    assert "The folder “Ünï &lt;1&gt;” is there." in page
    again = signed_in.submit("/-/new-folder/", page="/", name="Ünï <1>")
    assert again.status_code == 405
    assert "There is something of this name already." in again.text
    assert signed_in.submit("/-/new-folder/", page="/", name="a/b").status_code == 400


def test_a_file_is_renamed_and_moved(signed_in: Browser) -> None:
    """On a page of its own, to which each row leads; nothing is overwritten."""
    signed_in.fetch("MKCOL", "/f%20g/")
    for name in ("a%25.txt", "b.txt"):
        signed_in.fetch("PUT", f"/{name}", name.encode())
    assert 'href="/-/details/a%25.txt"' in signed_in.go("/").text
    page = "/-/details/a%25.txt"
    taken = signed_in.submit(page, name="b.txt", folder="/")
    assert taken.status_code == 412
    assert "There is something called “b.txt” already." in taken.text
    assert signed_in.submit(page, name="c.txt", folder="/f g").location == "/f%20g/"
    assert signed_in.go("/f%20g/c.txt").data == b"a%25.txt"
    assert "“a%.txt” is “c.txt” in f g now." in signed_in.go("/").text
    assert signed_in.go(page).status_code == 404


def test_what_is_ticked_is_deleted_after_a_question(signed_in: Browser) -> None:
    """And is in the trash."""
    for name in ("a.txt", "b.txt", "c.txt"):
        signed_in.fetch("PUT", f"/{name}", b"x")
    question = signed_in.submit("/-/delete/", page="/", name=["a.txt", "b.txt"])
    assert "Delete 2 items?" in question.text
    assert listed(signed_in.go("/").text) == ["a.txt", "b.txt", "c.txt"]
    token = hidden_fields(question.text, "/-/delete/")["csrf_token"]
    sure = {"csrf_token": token, "sure": "yes", "name": ["a.txt", "b.txt"]}
    assert signed_in.post("/-/delete/", sure).location == "/"
    assert listed(signed_in.go("/").text) == ["c.txt"]
    assert "Restore a.txt" in signed_in.go("/-/trash").text


def test_what_cannot_be_deleted_is_said(signed_in: Browser) -> None:
    """The others are."""
    for name in ("a.txt", "b.txt"):
        signed_in.fetch("PUT", f"/{name}", b"x")
    token = hidden_fields(signed_in.go("/").text, "/-/delete/")["csrf_token"]
    sure = {"csrf_token": token, "sure": "yes", "name": ["gone.txt", "b.txt"]}
    answer = signed_in.post("/-/delete/", sure)
    assert answer.status_code == 200
    assert "1 item deleted." in answer.text
    assert "gone.txt" in answer.text
    assert listed(signed_in.go("/").text) == ["a.txt"]


@pytest.mark.parametrize("url", ["/-/new-folder/", "/-/details/a.txt", "/-/delete/"])
def test_nothing_is_changed_without_the_token(signed_in: Browser, url: str) -> None:
    """No other site can do it."""
    signed_in.fetch("PUT", "/a.txt", b"x")
    sent = {"name": "a.txt", "folder": "/", "sure": "yes"}
    assert signed_in.post(url, sent).status_code == 400
    assert listed(signed_in.go("/").text) == ["a.txt"]


@pytest.mark.parametrize("url", ["/-/upload/", "/-/new-folder/", "/-/details/x", "/-/delete/"])
def test_who_has_not_signed_in_is_asked_to(browser: Browser, url: str) -> None:
    """Before anything is looked at."""
    token = hidden_fields(browser.go("/-/sign-in").text, "/-/sign-in")
    assert browser.post(url, token).location.startswith("/-/sign-in")
