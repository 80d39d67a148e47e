"""The page of devices: passwords shown once, kits, revoking."""

from __future__ import annotations

import base64
import re

import pytest

from davhost.kits import KITS
from tests.web.browser import Browser
from tests.web.conftest import PASSWORD

FIELDS = {"label": "Laptop", "kind": "other", "folder": "/", "rights": "all"}


def password_in(page: str) -> str:
    """Find the password that a page shows."""
    found = re.search(r'<code id="secret">([^<]+)</code>', page)
    assert found, page
    return found[1]


def as_device(browser: Browser, email: str, password: str, method: str, url: str, **headers: str):
    """Ask as a program does that signs in with an app password."""
    token = base64.b64encode(f"{email}:{password}".encode()).decode()
    return browser.client.open(
        url, method=method, headers={"Authorization": f"Basic {token}", **headers}, buffered=True
    )


def test_a_password_is_shown_once_and_works(signed_in: Browser, email: str) -> None:
    """Then only its name and its last use are known."""
    page = signed_in.submit("/-/devices", **FIELDS).text
    password = password_in(page)
    listed = signed_in.go("/-/devices").text
    assert password not in listed
    assert "Laptop" in listed
    assert "Never used" in listed
    answer = as_device(signed_in, email, password, "PROPFIND", "/", Depth="0")
    assert answer.status_code == 207
    assert "Never used" not in signed_in.go("/-/devices").text


def test_a_password_is_confined_to_a_folder_and_to_reading(signed_in: Browser, email: str) -> None:
    """As the form says; the page says it again."""
    signed_in.fetch("MKCOL", "/Films/")
    signed_in.fetch("MKCOL", "/Films/Old/")
    signed_in.fetch("PUT", "/Films/Old/a.txt", b"x")
    assert 'value="/Films/Old"' in signed_in.go("/-/devices").text
    chosen = FIELDS | {"folder": "/Films/Old", "rights": "read"}
    password = password_in(signed_in.submit("/-/devices", **chosen).text)
    listed = signed_in.go("/-/devices").text
    assert "only /Films/Old" in listed
    assert "only reads" in listed
    assert as_device(signed_in, email, password, "GET", "/a.txt").data == b"x"
    assert as_device(signed_in, email, password, "DELETE", "/a.txt").status_code == 403


def test_a_folder_that_is_not_there_is_said(signed_in: Browser) -> None:
    """No password is made that reaches more than was meant."""
    answer = signed_in.submit("/-/devices", **FIELDS | {"folder": "/Nothing"})
    assert "There is no folder /Nothing." in answer.text
    assert "None yet." in signed_in.go("/-/devices").text


@pytest.mark.parametrize("kind", KITS)
def test_every_kind_of_device_has_its_kit(signed_in: Browser, kind: str) -> None:
    """Steps on the page, and the ready file behind a button."""
    page = signed_in.submit("/-/devices", **FIELDS | {"kind": kind}).text
    assert page.count("<li>") >= 2
    if kind == "phone":
        assert page.count("<svg") == 2
        return
    sent = {"kind": kind, "label": "Laptop", "password": password_in(page)}
    sent |= _token(page)
    file = signed_in.post("/-/devices/kit", sent, Sec_Fetch_Site="same-origin")
    assert file.status_code == 200
    assert file.headers["Content-Disposition"].startswith("attachment;")
    assert "drive.example.org" in file.text


def test_a_kit_is_made_only_for_a_password_of_ones_own(signed_in: Browser) -> None:
    """Nobody makes us write a file with words of their choice."""
    page = signed_in.go("/-/devices").text
    for sent in ({"kind": "windows", "password": "evil"}, {"kind": "evil", "password": "evil"}):
        answer = signed_in.post("/-/devices/kit", sent | _token(page), Sec_Fetch_Site="same-origin")
        assert answer.status_code == 400


def test_a_device_is_removed(signed_in: Browser, email: str, services, new_browser) -> None:
    """At once, and by nobody else."""
    password = password_in(signed_in.submit("/-/devices", **FIELDS).text)
    page = signed_in.go("/-/devices").text
    found = re.search(r'action="(/-/devices/\d+/revoke)"', page)
    assert found
    services.accounts.register(f"x{email}", PASSWORD)
    eve = new_browser()
    eve.sign_in(f"x{email}", PASSWORD)
    eve.post(found[1], _token(eve.go("/-/devices").text), Sec_Fetch_Site="same-origin")
    assert as_device(signed_in, email, password, "GET", "/").status_code == 200
    assert signed_in.submit(found[1], page="/-/devices").status_code == 303
    assert as_device(signed_in, email, password, "GET", "/").status_code == 401


def test_an_app_password_does_not_open_the_page(browser: Browser, services, email: str) -> None:
    """A lost device does not become a lost account."""
    _, password = services.accounts.devices.add(services.accounts.get(email), "x")
    assert browser.sign_in(email, password).status_code == 403


def _token(page: str) -> dict[str, str]:
    return {"csrf_token": page.partition('name="csrf_token" value="')[2].partition('"')[0]}
