"""Browsers get pages, programs get WebDAV."""

from __future__ import annotations

import base64

import pytest

from tests.web.browser import FIREFOX, NAVIGATION, Browser
from tests.web.conftest import PASSWORD

HTML = "text/html,application/xhtml+xml"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0 Safari/537.36"
)

#: What WebDAV programs say of themselves, as recorded; some claim to be browsers.
PROGRAMS = {
    "Windows": {"User-Agent": "Microsoft-WebDAV-MiniRedir/10.0.19045", "Translate": "f"},
    "Office": {
        "User-Agent": "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
        "Accept": "text/html, application/xhtml+xml, */*",
    },
    "Office discovery": {"User-Agent": "Microsoft Office Existence Discovery", "Accept": "*/*"},
    "Finder": {"User-Agent": "WebDAVFS/3.0.0 (03008000) Darwin/23.1.0 (arm64)", "Accept": "*/*"},
    "KDE": {
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) KHTML/5.115.0 (like Gecko) "
        "Konqueror/5 KIO/5.115",
        "Accept": "text/html, text/*;q=0.9, image/jpeg;q=0.9, */*;q=0.8",
    },
    "GNOME": {"User-Agent": "gvfs/1.54.4", "Accept": "*/*"},
    "davfs2": {"User-Agent": "davfs2/1.7.0 neon/0.33.0"},
    "rclone": {"User-Agent": "rclone/v1.60.1"},
    "curl": {"User-Agent": "curl/8.14.1", "Accept": "*/*"},
    "webdavclient3": {"User-Agent": "python-requests/2.32", "Accept": "*/*"},
    "script in a browser": {"User-Agent": FIREFOX, "Accept": "*/*", "Sec-Fetch-Mode": "cors"},
    "nameless": {"Accept": HTML},
}

BROWSERS = {
    "Firefox over https": NAVIGATION,
    "Firefox over http": {"User-Agent": FIREFOX, "Accept": HTML},
    "Chrome over http": {"User-Agent": CHROME, "Accept": HTML},
}


def basic(email: str) -> str:
    """Write the Authorization of an account."""
    return "Basic " + base64.b64encode(f"{email}:{PASSWORD}".encode()).decode()


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PROPFIND", "PUT"])
@pytest.mark.parametrize("headers", PROGRAMS.values(), ids=PROGRAMS)
def test_programs_are_asked_for_a_password(
    browser: Browser, method: str, headers: dict[str, str]
) -> None:
    """No program ever gets a page or a redirect: it gets 401, and not in HTML."""
    for url in ("/", "/folder/", "/plan.pdf"):
        answer = browser.client.open(url, method=method, headers=headers)
        assert answer.status_code == 401
        assert "html" not in answer.content_type
        assert "WWW-Authenticate" in answer.headers


@pytest.mark.parametrize("headers", BROWSERS.values(), ids=BROWSERS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_browsers_are_sent_to_the_sign_in(
    browser: Browser, method: str, headers: dict[str, str]
) -> None:
    """Whatever they navigate to; what is there is nobody's business."""
    for url in ("/", "/folder/", "/plan.pdf"):
        answer = browser.client.open(url, method=method, headers=headers)
        assert answer.status_code == 303
        assert answer.location.startswith("/-/sign-in")


@pytest.mark.parametrize("headers", PROGRAMS.values(), ids=PROGRAMS)
def test_programs_that_sign_in_get_webdav(
    browser: Browser, email: str, headers: dict[str, str]
) -> None:
    """With credentials of its own every client is a program, browsers too."""
    signed = headers | {"Authorization": basic(email), "Depth": "0"}
    answer = browser.client.open("/", headers=signed)
    assert answer.status_code == 200
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert browser.client.open("/", method="PROPFIND", headers=signed).status_code == 207


def test_a_browser_with_basic_credentials_keeps_its_plain_listing(
    browser: Browser, email: str
) -> None:
    """It signed in as a program does."""
    answer = browser.go("/", Authorization=basic(email))
    assert answer.status_code == 200
    assert "/-/static/" not in answer.text


def test_a_browser_with_an_old_password_is_asked_for_the_new_one(
    browser: Browser, email: str
) -> None:
    """It would send the old one for ever otherwise."""
    wrong = "Basic " + base64.b64encode(f"{email}:old password".encode()).decode()
    answer = browser.go("/", Authorization=wrong)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize("method", ["PUT", "MKCOL", "LOCK"])
@pytest.mark.parametrize("url", ["/-", "/-/"])
def test_nothing_can_be_made_where_the_pages_are(
    browser: Browser, email: str, method: str, url: str
) -> None:
    """The refusal says why."""
    if method != "MKCOL" and url.endswith("/"):
        url = "/-"
    answer = browser.client.open(
        url,
        method=method,
        headers={"Authorization": basic(email)},
        data=_LOCKINFO if method == "LOCK" else b"",
    )
    assert answer.status_code == 400
    assert "The name - is kept for the pages of the server" in answer.text


@pytest.mark.parametrize("method", ["COPY", "MOVE"])
@pytest.mark.parametrize("kind", ["a.txt", "folder/"])
def test_nothing_can_be_moved_to_where_the_pages_are(
    browser: Browser, email: str, method: str, kind: str
) -> None:
    """What was to be moved stays where it is."""
    signed = {"Authorization": basic(email)}
    make = "MKCOL" if kind.endswith("/") else "PUT"
    assert browser.client.open(f"/{kind}", method=make, headers=signed).status_code == 201
    moved = browser.client.open(f"/{kind}", method=method, headers=signed | {"Destination": "/-"})
    assert moved.status_code == 400
    assert browser.client.open(f"/{kind}", method="HEAD", headers=signed).status_code == 200


def test_the_name_is_free_below_the_top(browser: Browser, email: str) -> None:
    """Only the first segment of a URL is the server's."""
    signed = {"Authorization": basic(email)}
    browser.client.open("/folder/", method="MKCOL", headers=signed)
    assert browser.client.open("/folder/-", method="PUT", headers=signed).status_code == 201
    assert browser.client.open("/folder/-", method="GET", headers=signed).status_code == 200


_LOCKINFO = (
    b'<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
    b"<D:locktype><D:write/></D:locktype></D:lockinfo>"
)
