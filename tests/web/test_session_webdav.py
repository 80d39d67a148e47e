"""Pages speak WebDAV with the session of their browser; other sites cannot."""

from __future__ import annotations

import pytest

from tests.web.browser import Browser
from tests.web.conftest import PASSWORD

CHANGES = ["PUT", "DELETE", "MKCOL", "MOVE", "COPY", "PROPPATCH", "LOCK", "UNLOCK"]
READS = ["PROPFIND", "REPORT"]


def test_a_page_stores_lists_and_deletes(signed_in: Browser) -> None:
    """There is one way in for files, and pages take it."""
    assert signed_in.fetch("PUT", "/a.txt", b"hello").status_code == 201
    assert signed_in.fetch("PROPFIND", "/", Depth="1").status_code == 207
    assert signed_in.go("/a.txt").data == b"hello"
    assert "a.txt" in signed_in.go("/").text
    assert signed_in.fetch("DELETE", "/a.txt").status_code == 204


@pytest.mark.parametrize("method", CHANGES + READS)
def test_the_cookie_alone_does_not_change_anything(signed_in: Browser, method: str) -> None:
    """Without the token of a page of this session the answer is 401."""
    signed_in.fetch("PUT", "/a.txt", b"mine")
    for token in ("", "0" * 64, "é"):
        answer = signed_in.fetch(
            method, "/a.txt", b"", token=token, Destination="/b.txt", Depth="0"
        )
        assert answer.status_code == 401
    assert signed_in.go("/a.txt").data == b"mine"
    assert signed_in.fetch("PROPFIND", "/b.txt", Depth="0").status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "same-site", "Origin": "https://other.example.org"},
    ],
    ids=str,
)
def test_a_page_of_another_site_is_refused_even_with_the_token(
    signed_in: Browser, headers: dict[str, str]
) -> None:
    """The browser says whose page asks."""
    assert signed_in.fetch("PUT", "/a.txt", b"x", **headers).status_code == 401


def test_the_token_of_another_session_is_refused(
    signed_in: Browser, email: str, new_browser
) -> None:
    """Each session has a token of its own."""
    other = new_browser()
    other.sign_in(email, PASSWORD)
    answer = signed_in.fetch("PUT", "/a.txt", b"x", token=other.csrf_token())
    assert answer.status_code == 401


def test_a_page_never_makes_the_browser_ask_for_a_password(signed_in: Browser) -> None:
    """A session that has ended is answered with a challenge that no browser has a box for."""
    token = signed_in.csrf_token()
    signed_in.submit("/-/sign-out", page="/")
    answer = signed_in.fetch("PUT", "/a.txt", b"x", token=token)
    assert answer.status_code == 401
    assert not answer.headers["WWW-Authenticate"].startswith("Basic")
    image = signed_in.fetch("GET", "/a.png", token="x")
    assert not image.headers["WWW-Authenticate"].startswith("Basic")


def test_files_of_people_never_run_on_pages(signed_in: Browser) -> None:
    """A file opened in the browser is sandboxed, whatever it is."""
    signed_in.fetch("PUT", "/a.html", b"<script>alert(1)</script>")
    answer = signed_in.go("/a.html")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_nobody_reaches_the_files_of_others(signed_in: Browser, services, new_browser) -> None:
    """The session leads to the home of the one who signed in."""
    signed_in.fetch("PUT", "/a.txt", b"mine")
    services.accounts.register("eve@example.org", PASSWORD)
    eve = new_browser()
    eve.sign_in("eve@example.org", PASSWORD)
    assert eve.go("/a.txt").status_code == 404
    assert "a.txt" not in eve.go("/").text
