"""The trash and the versions as pages, and the undo of the files page."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote

import pytest

from davhost.web import trash
from tests.web.browser import Browser, hidden_fields
from tests.web.conftest import PASSWORD

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


def test_what_a_file_held_before_is_downloaded(signed_in: Browser) -> None:
    """Saved and never shown, under a name that says when it was written; in parts too."""
    url = "/é%20%3Cb%3E.txt"
    for content in (b"one", b"twotwo"):
        signed_in.fetch("PUT", url, content, X_OC_Mtime="1234567890")
    page = signed_in.go(f"/-/versions{url}").text
    link = unescape(re.findall(r'href="(/-/version/[^"]*)"', page)[0])
    answer = signed_in.go(link)
    assert answer.data == b"one"
    assert_only_saved(answer, quote("é <b> 2009-02-13 23.31.30.txt"))
    part = signed_in.go(link, Range="bytes=1-", If_Range=answer.headers["ETag"])
    assert (part.status_code, part.data) == (206, b"ne")
    assert part.headers["Content-Range"] == "bytes 1-2/3"
    assert signed_in.go(link, Range="bytes=9-").status_code == 416
    assert signed_in.go(link.replace("/version/", "/version/9")).status_code == 404
    signed_in.fetch("PUT", "/other.txt", b"x")
    other = link.rpartition("/")[0] + "/other.txt"
    assert signed_in.go(other).status_code == 404


def test_a_file_of_the_trash_is_downloaded(signed_in: Browser, services, new_browser) -> None:
    """Without bringing it back; a folder can only be restored."""
    signed_in.fetch("PUT", "/a.html", b"<script>")
    signed_in.fetch("PUT", "/none.txt", b"")
    signed_in.fetch("MKCOL", "/f/")
    for url in ("/f/", "/none.txt", "/a.html"):
        signed_in.fetch("DELETE", url)
    links = re.findall(r'href="(/-/trash/[0-9]+)"', signed_in.go("/-/trash").text)
    answer = signed_in.go(links[0])
    assert answer.data == b"<script>"
    assert_only_saved(answer, "a.html")
    assert signed_in.go(links[1]).data == b""
    assert len(links) == 2
    folder = f"/-/trash/{int(links[1].rpartition('/')[2]) + 1}"
    assert signed_in.go(folder).status_code == 404
    email = f"mallory{len(links[0])}{links[0].rpartition('/')[2]}@example.org"
    services.accounts.register(email, PASSWORD)
    mallory = new_browser()
    mallory.sign_in(email, PASSWORD)
    assert mallory.go(links[0]).status_code == 404


def assert_only_saved(answer, name: str) -> None:
    """No browser shows it, runs it or takes it for something else."""
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment;")
    assert disposition.endswith(f"''{name}")
    assert answer.headers["Content-Security-Policy"].endswith("sandbox")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Cache-Control"].startswith("private")


def test_the_trash_of_thousands_comes_page_by_page(
    signed_in: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was deleted last comes first, and restoring leads back to the same page."""
    monkeypatch.setattr(trash, "ROWS_MAX", 2)
    for number in range(5):
        signed_in.fetch("PUT", f"/{number}.txt", b"x")
        signed_in.fetch("DELETE", f"/{number}.txt")

    def names(page: str) -> list[str]:
        return re.findall(r"Restore ([0-9]\.txt)", page)

    page = signed_in.go("/-/trash").text
    assert names(page) == ["4.txt", "3.txt"]
    assert "Deleted later" not in page
    page = signed_in.go("/-/trash?first=2").text
    assert names(page) == ["2.txt", "1.txt"]
    assert 'href="/-/trash?first=4"' in page
    assert 'href="/-/trash"' in page.partition("Deleted later")[0].rpartition("<nav")[2]
    last = signed_in.go("/-/trash?first=4").text
    assert names(last) == ["0.txt"]
    assert "Deleted before" not in last
    answer = signed_in.post("/-/trash?first=2", restore_form(page))
    assert answer.location == "/-/trash?first=2"
    assert undo(signed_in, "/0.txt").status_code == 200
    assert "Nothing was deleted before that." in signed_in.go("/-/trash?first=99").text
    assert signed_in.go("/-/trash?first=-1").status_code == 200


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
