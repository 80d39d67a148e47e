"""What holds for every page."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote

import pytest

from tests.web.browser import Browser, hidden_fields
from tests.web.conftest import PASSWORD

PAGES = ["/-/sign-in", "/", "/nothing/", "/-/nothing"]
NAMES = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}",
    "a&amp;b",
    "javascript:alert(1)",
    "é ü 漢字 \U0001f600",
    "50% off?#1",
]


@pytest.mark.parametrize("url", PAGES)
def test_every_page_is_safe(signed_in: Browser, url: str) -> None:
    """Nothing inline, nothing of other hosts, no frames, no version."""
    answer = signed_in.go(url)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"]
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Werkzeug" not in str(answer.headers)
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=", answer.text)
    assert not re.search(r'(src|href)="(https?:)?//', answer.text)


def test_without_https_nothing_is_promised_about_it(new_browser) -> None:
    """HSTS over plain http would mean nothing, and break nothing: it is not sent."""
    answer = new_browser(origin="http://nas.local:8080").go("/-/sign-in")
    assert "Strict-Transport-Security" not in answer.headers


def test_assets_are_kept_for_ever_under_urls_that_change(browser: Browser) -> None:
    """Every asset of a page is there, under a version, of the right type."""
    page = browser.go("/-/sign-in").text
    urls = re.findall(r'(?:src|href)="(/-/static/[0-9a-f]{12}/[^"]+)"', page)
    assert {url.rpartition(".")[2] for url in urls} == {"css", "js", "svg"}
    for url in urls:
        answer = browser.go(url)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
    old = browser.go(re.sub(r"[0-9a-f]{12}", "0" * 12, urls[0]))
    assert old.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("name", ["../app.py", "..%2fapp.py", "/etc/passwd", "%2e%2e/app.py"])
def test_assets_are_all_that_is_served_there(browser: Browser, name: str) -> None:
    """No path leads out of the folder."""
    assert browser.go(f"/-/static/0/{name}").status_code in (400, 404)


@pytest.mark.parametrize("name", NAMES)
def test_names_are_just_names(signed_in: Browser, name: str) -> None:
    """Whatever a name holds, the page shows it and its link leads there."""
    folder = name.replace("/", "|")
    assert signed_in.fetch("MKCOL", f"/{quote(folder, safe='')}x/").status_code == 201
    page = signed_in.go("/").text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert ">49x<" not in page
    inside = signed_in.go(f"/{quote(folder, safe='')}x/")
    assert inside.status_code == 200
    shown = re.search(r'<h1 aria-current="page"><bdi>(.*)</bdi></h1>', inside.text)
    assert shown
    assert unescape(shown[1]) == folder + "x"


def test_what_is_not_there_is_said_in_a_page(signed_in: Browser) -> None:
    """A person gets words and a way back."""
    answer = signed_in.go("/nothing/at/all")
    assert answer.status_code == 404
    assert "There is nothing here." in answer.text
    assert 'href="/"' in answer.text


@pytest.mark.parametrize("url", ["/-/sign-in", "/-/sign-out"])
def test_forms_without_their_token_are_refused(browser: Browser, url: str) -> None:
    """Also before anybody has signed in: nobody is signed in as somebody else."""
    answer = browser.post(url, {"email": "a@example.org", "password": "x"})
    assert answer.status_code == 400
    assert "open for too long" in answer.text


def test_forms_of_other_sites_are_refused(signed_in: Browser) -> None:
    """Even with the right token."""
    token = hidden_fields(signed_in.go("/").text, "/-/sign-out")
    answer = signed_in.post("/-/sign-out", token, Sec_Fetch_Site="cross-site")
    assert answer.status_code == 403
    assert signed_in.go("/").status_code == 200


def test_forms_of_another_session_are_refused(signed_in: Browser, email: str, new_browser) -> None:
    """A token that somebody else was given proves nothing."""
    other = new_browser()
    other.sign_in(email, PASSWORD)
    token = hidden_fields(other.go("/").text, "/-/sign-out")
    assert signed_in.post("/-/sign-out", token).status_code == 400
    assert signed_in.go("/").status_code == 200


def test_pages_work_below_a_prefix(new_browser, email: str) -> None:
    """A proxy may mount the server at a path: links, forms and redirects begin with it."""
    browser = new_browser(origin="https://drive.example.org/drive")
    sent = browser.go("/folder/")
    assert sent.location == "/drive/-/sign-in?next=/drive/folder/"
    page = browser.go("/-/sign-in").text
    links = re.findall(r'(?:src|href|action)="(/[^"]*)"', page)
    assert links
    assert all(link.startswith("/drive/") for link in links)
    fields = hidden_fields(page, "/drive/-/sign-in") | {"email": email, "password": PASSWORD}
    answer = browser.post("/-/sign-in", fields, Sec_Fetch_Site="same-origin")
    assert (answer.status_code, answer.location) == (303, "/drive/")
    assert 'href="/drive/-/account"' in browser.go("/").text
