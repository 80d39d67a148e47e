"""Codes after the password: turned on, asked for, used once, recovered from."""

from __future__ import annotations

import re
import time

import pyotp
import pytest

from tests.web.browser import Browser
from tests.web.conftest import PASSWORD
from tests.web.test_devices import as_device


def turn_on(browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    """Do what the page says; give back what the phone knows, and the recovery codes."""
    shown = browser.go("/-/account/two-step").text
    found = re.search(r'<code class="key">([A-Z2-7]{32})</code>', shown)
    assert found, shown
    totp = pyotp.TOTP(found[1])
    fields = {"csrf_token": _token(shown), "code": totp.now(), "password": PASSWORD}
    page = browser.post("/-/account/two-step", fields, Sec_Fetch_Site="same-origin").text
    codes = re.findall(r"<li><code>([a-z2-9-]+)</code>", page)
    assert len(codes) == 10, page
    return totp, codes


def next_code(totp: pyotp.TOTP) -> str:
    """The code of the step after now, which a phone whose clock is fast shows already."""
    return totp.at(int(time.time()) + 30)


@pytest.fixture
def phone(signed_in: Browser) -> tuple[pyotp.TOTP, list[str]]:
    """An account whose second step is on."""
    return turn_on(signed_in)


def test_after_the_password_the_code_is_asked_for(phone, new_browser, email: str) -> None:
    """The password alone opens nothing; with the code one is where one wanted to be."""
    browser = new_browser()
    answer = browser.sign_in(email, PASSWORD, "/folder/")
    assert (answer.status_code, answer.location) == (303, "/-/sign-in/code")
    assert browser.cookie() is None
    assert browser.go("/").location.startswith("/-/sign-in")
    answer = browser.submit("/-/sign-in/code", code=next_code(phone[0]))
    assert (answer.status_code, answer.location) == (303, "/folder/")
    assert browser.go("/").status_code == 200


def test_a_code_counts_once(phone, new_browser, email: str) -> None:
    """Whoever saw it typed cannot type it again, nor one of before."""
    code = next_code(phone[0])
    first, second = new_browser(), new_browser()
    for browser in (first, second):
        browser.sign_in(email, PASSWORD)
    assert first.submit("/-/sign-in/code", code=code).status_code == 303
    for used in (code, phone[0].now()):
        answer = second.submit("/-/sign-in/code", code=used)
        assert "wrong, or was used already" in answer.text
    assert second.cookie() is None


def test_a_recovery_code_lets_in_once(phone, new_browser, email: str) -> None:
    """Without the phone; the others stay good."""
    _, codes = phone
    for code, status in ((codes[0], 303), (codes[0], 200), (codes[1].upper(), 303)):
        browser = new_browser()
        browser.sign_in(email, PASSWORD)
        assert browser.submit("/-/sign-in/code", code=code).status_code == status


def test_codes_are_not_guessed(phone, new_browser, email: str) -> None:
    """After ten wrong ones the account waits, from whatever address they come."""
    statuses = []
    for number in range(12):
        browser = new_browser()
        browser.sign_in(email, PASSWORD)
        answer = browser.submit("/-/sign-in/code", code=f"{number:06}")
        statuses.append(answer.status_code)
    assert statuses[0] == 200
    assert statuses[-1] == 429


def test_the_code_page_is_only_for_who_typed_the_password(browser: Browser, phone) -> None:
    """Nobody else gets as far."""
    assert browser.go("/-/sign-in/code").location == "/-/sign-in"


def test_a_new_password_begins_again(phone, services, new_browser, email: str) -> None:
    """Who typed the old one a moment ago does not get in with it."""
    browser = new_browser()
    browser.sign_in(email, PASSWORD)
    services.accounts.set_password(email, "another password")
    assert browser.go("/-/sign-in/code").location == "/-/sign-in"


def test_the_password_alone_mounts_nothing_any_more(phone, signed_in, services, email) -> None:
    """Or the second step could be walked around; a device's own password still mounts."""
    assert as_device(signed_in, email, PASSWORD, "GET", "/").status_code == 401
    _, password = services.accounts.devices.add(services.accounts.get(email), "laptop")
    assert as_device(signed_in, email, password, "GET", "/").status_code == 200


def test_turning_it_on_signs_out_other_browsers(signed_in, new_browser, email: str) -> None:
    """Whoever was in without a code is out."""
    other = new_browser()
    other.sign_in(email, PASSWORD)
    turn_on(signed_in)
    assert other.go("/").status_code == 303
    assert signed_in.go("/").status_code == 200


@pytest.mark.parametrize("wrong", ["code", "password"])
def test_it_is_not_turned_on_by_mistake(signed_in: Browser, wrong: str) -> None:
    """The phone must have the secret, and the password must be right."""
    shown = signed_in.go("/-/account/two-step").text
    secret = re.search(r'<code class="key">([A-Z2-7]{32})</code>', shown)
    assert secret
    fields = {"code": pyotp.TOTP(secret[1]).now(), "password": PASSWORD} | {wrong: "000"}
    sent = fields | {"csrf_token": _token(shown)}
    page = signed_in.post("/-/account/two-step", sent, Sec_Fetch_Site="same-origin").text
    assert "This is not" in page
    assert secret[1] in page
    assert "Off, " in signed_in.go("/-/account").text


def test_it_is_turned_off_with_the_password(phone, signed_in, new_browser, email: str) -> None:
    """Then the password is enough again."""
    off = "/-/account/two-step/off"
    assert "not your password" in signed_in.submit(off, password="wrong password").text
    assert signed_in.submit(off, password=PASSWORD).status_code == 303
    assert new_browser().sign_in(email, PASSWORD).location == "/"


def test_the_administrator_turns_it_off(phone, services, new_browser, email: str) -> None:
    """For who lost the phone and the codes."""
    services.accounts.two_step.turn_off(services.accounts.get(email))
    assert new_browser().sign_in(email, PASSWORD).location == "/"


def _token(page: str) -> str:
    return page.partition('name="csrf_token" value="')[2].partition('"')[0]
