"""The page of a folder as the server writes it, for browsers with and without scripts."""

from __future__ import annotations

import io
import re
import zipfile
from html import unescape
from urllib.parse import quote

import pytest

from davhost.model import Rules
from davhost.web import files
from tests.web.browser import Browser
from tests.web.conftest import PASSWORD


def listed(page: str) -> list[str]:
    """Read the names of the rows of a page."""
    return [unescape(name) for name in re.findall(r"<td class=\"name\">.*?<bdi>(.*?)</bdi>", page)]


def test_folders_come_first_and_then_names_without_regard_to_case(signed_in: Browser) -> None:
    """As every file manager shows them."""
    for name in ("b.txt", "A.txt", "c.txt"):
        signed_in.fetch("PUT", f"/{name}", b"x")
    signed_in.fetch("MKCOL", "/z/")
    assert listed(signed_in.go("/").text) == ["z", "A.txt", "b.txt", "c.txt"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?sort=size", ["f", "two.txt", "three.txt"]),
        ("?sort=size&order=down", ["f", "three.txt", "two.txt"]),
        ("?sort=name&order=down", ["f", "two.txt", "three.txt"]),
        ("?sort=nonsense", ["f", "three.txt", "two.txt"]),
    ],
)
def test_columns_sort_without_scripts(signed_in: Browser, query: str, expected: list[str]) -> None:
    """By links, folders first whichever way."""
    signed_in.fetch("PUT", "/two.txt", b"22")
    signed_in.fetch("PUT", "/three.txt", b"333")
    signed_in.fetch("MKCOL", "/f/")
    assert listed(signed_in.go(f"/{query}").text) == expected


def test_a_large_folder_is_sent_in_part_and_in_whole_when_asked(
    signed_in: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page of thousands comes at once, and nobody needs scripts to see the rest."""
    monkeypatch.setattr(files, "ROWS_MAX", 3)
    for number in range(5):
        signed_in.fetch("PUT", f"/{number}.txt", b"")
    page = signed_in.go("/").text
    assert listed(page) == ["0.txt", "1.txt", "2.txt"]
    assert 'data-total="5"' in page
    link = re.search(r'<a href="([^"]*show=all)">Show all 5</a>', page)
    assert link
    assert len(listed(signed_in.go("/" + unescape(link[1])).text)) == 5


def test_the_page_knows_what_may_come_and_how_much(signed_in: Browser, services, email) -> None:
    """So that it can say no before anything is sent."""
    services.accounts.set_rules(email, Rules.parse("txt,pdf"))
    services.accounts.set_quota(email, 10_000)
    signed_in.fetch("PUT", "/a.txt", b"x" * 1000)
    page = signed_in.go("/").text
    assert 'data-allowed="pdf,txt"' in page
    assert 'data-used="1000"' in page
    assert 'data-quota="10000"' in page
    assert "1 kB of 10 kB used" in page


def test_what_programs_see_of_versions_is_not_among_the_files(signed_in: Browser) -> None:
    """People have pages for them; a folder of that name elsewhere is a folder."""
    signed_in.fetch("MKCOL", "/a/")
    signed_in.fetch("MKCOL", "/a/.davhost/")
    signed_in.fetch("MKCOL", "/.davhost/")
    assert listed(signed_in.go("/").text) == ["a"]
    assert listed(signed_in.go("/a/").text) == [".davhost"]


#: What programs leave beside files.
LITTER = ["._a.txt", ".DS_Store", "~$a.docx", ".~lock.a.odt#", "Thumbs.db", "desktop.ini"]


def test_what_programs_keep_for_themselves_is_not_shown(
    signed_in: Browser, services, email
) -> None:
    """Neither on the page nor in its zip; programs see it."""
    for name in ("20261122", "a.docx.tmp", *LITTER):
        assert signed_in.fetch("PUT", "/" + quote(name), b"x").status_code == 201
    signed_in.fetch("MKCOL", "/.TemporaryItems/")
    signed_in.fetch("PUT", "/.TemporaryItems/x.txt", b"x")
    page = signed_in.go("/").text
    # Where everything is allowed, only marks can be told from what people mean.
    assert listed(page) == ["20261122", "a.docx.tmp"]
    assert "7 items that programs keep here for themselves are not shown." in page
    archive = zipfile.ZipFile(io.BytesIO(signed_in.go("/-/zip/").data))
    assert archive.namelist() == ["20261122", "a.docx.tmp"]
    listing = signed_in.fetch("PROPFIND", "/", Depth="1").text
    assert all(quote(name, safe="$~") in listing for name in LITTER)


def test_temporaries_of_programs_that_save_are_not_shown(
    signed_in: Browser, services, email
) -> None:
    """A document that is being written has its own name in the end."""
    services.accounts.set_rules(email, Rules.parse("txt,docx"))
    for name in ("a.txt", "a.txt.part", "~WRD0001.tmp", "1A2B3C4D"):
        assert signed_in.fetch("PUT", f"/{name}", b"x").status_code == 201
    page = signed_in.go("/").text
    assert listed(page) == ["a.txt"]
    assert "3 items that" in page
    wanted = (
        b'<propfind xmlns="DAV:"><prop>'
        b'<hidden xmlns="https://davhost.example/ns"/></prop></propfind>'
    )
    listing = signed_in.fetch("PROPFIND", "/", wanted, Depth="1").text
    assert re.findall(r"<D:href>(.*?)</D:href>.*?:hidden[^>]*>(.)<", listing) == [
        ("/", "0"),
        ("/1A2B3C4D", "1"),
        ("/a.txt", "0"),
        ("/a.txt.part", "1"),
        ("/~WRD0001.tmp", "1"),
    ]


def test_only_documents_that_scripts_fetched_are_framed(signed_in: Browser) -> None:
    """No file is framed by its URL, and nothing may frame the page."""
    policy = signed_in.go("/").headers["Content-Security-Policy"]
    assert "frame-src blob:;" in policy + ";"
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self';" in policy


@pytest.mark.parametrize(
    "url",
    ["/", "/-/trash", "/-/zip/", "/-/zip/f", "/-/versions/a.txt", "/-/thumbnail/x/a.png"],
)
def test_nothing_is_shown_before_somebody_has_signed_in(browser: Browser, url: str) -> None:
    """Not even whether it is there."""
    assert browser.go(url).location.startswith("/-/sign-in")


@pytest.mark.parametrize("url", ["/-/versions/a.txt", "/-/thumbnail/x/a.png", "/-/zip/f/"])
def test_nothing_of_others_is_shown(signed_in: Browser, services, new_browser, url: str) -> None:
    """What one has, another does not find."""
    from tests.web.test_thumbnails import picture

    signed_in.fetch("PUT", "/a.txt", b"x")
    signed_in.fetch("PUT", "/a.png", picture())
    signed_in.fetch("MKCOL", "/f/")
    assert signed_in.go(url).status_code == 200
    other = f"other-{id(url)}@example.org"
    services.accounts.register(other, PASSWORD)
    browser = new_browser()
    browser.sign_in(other, PASSWORD)
    assert browser.go(url).status_code == 404
