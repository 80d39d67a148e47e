"""The trash and the versions as pages, and the undo of the files page."""

from __future__ import annotations

import re

import pytest

from tests.web.browser import Browser, hidden_fields

MARKED = "<b>&'x.txt"


def restore_form(page: str) -> dict[str, str]:
    """Read the first form that restores something; it is sent to the page itself."""
    return hidden_fields(page, "")


def test_what_was_deleted_is_listed_and_comes_back(signed_in: Browser) -> None:
    """With one press, to where it was."""
    signed_in.fetch("MKCOL", "/f/")
    signed_in.fetch("PUT", "/f/%3Cb%3E&'x.txt", b"kept")
    signed_in.fetch("DELETE", "/f/%3Cb%3E&'x.txt")
    page = signed_in.go("/-/trash")
    assert "&lt;b&gt;&amp;&#39;x.txt" in page.text
    assert "<b>" not in page.text
    assert signed_in.post("/-/trash", restore_form(page.text)).status_code == 303
    assert signed_in.go("/f/%3Cb%3E&'x.txt").data == b"kept"
    after = signed_in.go("/-/trash").text
    assert "is back in “f”" in after
    assert "The trash is empty" in after


def test_a_version_comes_back_and_what_it_replaces_is_kept(signed_in: Browser) -> None:
    """Restoring can be restored."""
    for content in (b"one", b"two", b"three"):
        signed_in.fetch("PUT", "/a b.txt", content)
    page = signed_in.go("/-/versions/a%20b.txt")
    assert page.text.count("Restore</button>") == 2
    answer = signed_in.post("/-/versions/a%20b.txt", restore_form(page.text))
    assert answer.location == "/-/versions/a%20b.txt"
    assert signed_in.go("/a%20b.txt").data in (b"one", b"two")
    assert signed_in.go("/-/versions/a%20b.txt").text.count("Restore</button>") == 3


@pytest.mark.parametrize("url", ["/-/trash", "/-/versions/a.txt", "/-/restore"])
def test_nothing_is_restored_without_the_token(signed_in: Browser, url: str) -> None:
    """No other site can do it."""
    signed_in.fetch("PUT", "/a.txt", b"x")
    assert signed_in.post(url, {"id": "1", "path": "/a.txt"}).status_code == 400


@pytest.mark.parametrize("url", ["/-/trash", "/-/versions/a.txt"])
@pytest.mark.parametrize("id_", ["0", "999999", "x", "-1"])
def test_what_is_not_there_is_said(signed_in: Browser, url: str, id_: str) -> None:
    """In a page, with 404."""
    signed_in.fetch("PUT", "/a.txt", b"x")
    token = hidden_fields(signed_in.go("/").text, "/-/sign-out")
    assert signed_in.post(url, token | {"id": id_}).status_code == 404


def test_nobody_restores_what_another_deleted(signed_in: Browser, services, new_browser) -> None:
    """The numbers of the trash of others are nothing."""
    from tests.web.conftest import PASSWORD

    signed_in.fetch("PUT", "/a.txt", b"mine")
    signed_in.fetch("DELETE", "/a.txt")
    form = restore_form(signed_in.go("/-/trash").text)
    services.accounts.register("mallory@example.org", PASSWORD)
    mallory = new_browser()
    mallory.sign_in("mallory@example.org", PASSWORD)
    token = hidden_fields(mallory.go("/").text, "/-/sign-out")
    assert mallory.post("/-/trash", token | {"id": form["id"]}).status_code == 404
    assert mallory.go("/a.txt").status_code == 404
    assert "a.txt" not in mallory.go("/-/trash").text


def undo(browser: Browser, *paths: str):
    """Ask as the page does after a DELETE."""
    from urllib.parse import urlencode

    return browser.fetch(
        "POST",
        "/-/restore",
        urlencode([("path", path) for path in paths]).encode(),
        Content_Type="application/x-www-form-urlencoded",
    )


def test_the_page_undoes_a_deletion(signed_in: Browser) -> None:
    """By the paths that it deleted; of several of one name the last comes back."""
    for content in (b"first", b"last"):
        signed_in.fetch("PUT", "/a%2525.txt", content)
        signed_in.fetch("DELETE", "/a%2525.txt")
    signed_in.fetch("PUT", "/b.txt", b"b")
    signed_in.fetch("DELETE", "/b.txt")
    assert undo(signed_in, "/a%25.txt", "/b.txt").status_code == 200
    assert signed_in.go("/a%2525.txt").data == b"last"
    assert signed_in.go("/b.txt").data == b"b"


def test_an_undo_that_cannot_be_says_why_and_restores_nothing(signed_in: Browser) -> None:
    """In one sentence of text, for the page to show."""
    signed_in.fetch("PUT", "/b.txt", b"b")
    signed_in.fetch("DELETE", "/b.txt")
    answer = undo(signed_in, "/b.txt", "/never.txt")
    assert answer.status_code == 404
    assert re.fullmatch(r"“never.txt” is not in the trash any more\.", answer.text)
    assert signed_in.go("/b.txt").status_code == 404
