"""Sign in, sign out, and the life of a session."""

from __future__ import annotations

import pytest

from davhost.bootstrap.services import Services
from tests.web.browser import Browser
from tests.web.conftest import PASSWORD


def test_a_browser_is_sent_to_sign_in_and_back(browser: Browser, email: str) -> None:
    """Whoever opens a link first signs in, and then is where the link leads."""
    answer = browser.go("/Letters%20%26%20more/?a=b")
    assert answer.status_code == 303
    page = browser.go(answer.location)
    assert "Sign in" in page.text
    answer = browser.submit("/-/sign-in", page=answer.location, email=email, password=PASSWORD)
    assert (answer.status_code, answer.location) == (303, "/Letters%20%26%20more/?a=b")


def test_the_top_folder_is_shown_after_signing_in(signed_in: Browser, email: str) -> None:
    """The page says who one is."""
    page = signed_in.go("/")
    assert page.status_code == 200
    assert email in page.text
    assert "This folder is empty." in page.text


@pytest.mark.parametrize(
    "next_",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "/\t/evil.example/",
        "\\\\evil.example",
        "javascript:alert(1)",
        "evil",
        "/a\r\nSet-Cookie: x=y",
    ],
)
def test_signing_in_leads_nowhere_else(browser: Browser, email: str, next_: str) -> None:
    """A link to the sign-in page cannot send people to another site afterwards."""
    answer = browser.sign_in(email, PASSWORD, next_)
    assert (answer.status_code, answer.location) == (303, "/")


def test_a_wrong_password_and_an_unknown_account_are_answered_alike(
    browser: Browser, email: str
) -> None:
    """Nobody learns which addresses have an account."""
    wrong = browser.sign_in(email, "wrong password")
    unknown = browser.sign_in("nobody@example.org", "wrong password")
    assert wrong.status_code == unknown.status_code == 403
    told = "The e-mail address or the password is wrong."
    assert told in wrong.text
    assert told in unknown.text
    assert browser.cookie() is None


def test_guessing_is_slowed_down_as_over_webdav(browser: Browser, email: str) -> None:
    """After ten wrong tries the right password is not looked at either."""
    for _ in range(10):
        browser.sign_in(email, "wrong password")
    answer = browser.sign_in(email, PASSWORD)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "Too many wrong passwords" in answer.text
    assert browser.fetch("PROPFIND", "/", token="x", Authorization="Basic YTpi").status_code == 429


def test_signing_out_ends_the_session_on_the_server(signed_in: Browser) -> None:
    """Whoever has the cookie still gets nothing."""
    token = signed_in.cookie()
    assert token
    answer = signed_in.submit("/-/sign-out", page="/")
    assert answer.status_code == 303
    assert signed_in.cookie() is None
    signed_in.client.set_cookie("__Host-davhost", token, domain="drive.example.org")
    assert signed_in.go("/").location.startswith("/-/sign-in")


def test_every_sign_in_has_a_token_of_its_own(signed_in: Browser, email: str) -> None:
    """A token that was there before does not become the session's (session fixation)."""
    before = signed_in.cookie()
    signed_in.submit("/-/sign-out", page="/")
    signed_in.client.set_cookie("__Host-davhost", "chosen-by-me", domain="drive.example.org")
    signed_in.sign_in(email, PASSWORD)
    assert signed_in.cookie() not in (before, "chosen-by-me", None)


@pytest.mark.parametrize("end", ["set_password", "disable", "remove"])
def test_a_session_ends_with_what_it_was_opened_by(
    services: Services, signed_in: Browser, email: str, end: str
) -> None:
    """A new password, a disabled and a removed account count at the next request."""
    more = ["another password"] if end == "set_password" else []
    assert signed_in.go("/").status_code == 200
    getattr(services.accounts, end)(email, *more)
    assert signed_in.go("/").location.startswith("/-/sign-in")
    assert signed_in.fetch("PUT", "/a.txt", b"x", token="x").status_code == 401


def test_enabling_an_account_does_not_bring_its_sessions_back(
    services: Services, signed_in: Browser, email: str
) -> None:
    """Disabling is how a stolen browser is locked out."""
    services.accounts.disable(email)
    services.accounts.enable(email)
    assert signed_in.go("/").status_code == 303


def test_the_cookie_is_kept_from_scripts_and_from_plain_http(browser: Browser, email: str) -> None:
    """Over https nobody else can set it, read it or make the browser send it in the clear."""
    answer = browser.sign_in(email, PASSWORD)
    cookie = next(
        c for c in answer.headers.getlist("Set-Cookie") if c.startswith("__Host-davhost=")
    )
    attributes = {part.strip() for part in cookie.split(";")[1:]}
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= attributes
    assert not any(part.startswith("Domain") for part in attributes)


def test_signing_in_works_without_https(new_browser, email: str) -> None:
    """At home, over plain http, the cookie has no prefix that would need https."""
    browser = new_browser(origin="http://nas.local:8080")
    assert browser.sign_in(email, PASSWORD).status_code == 303
    assert browser.go("/").status_code == 200


def test_the_token_is_not_in_the_database(services: Services, signed_in: Browser) -> None:
    """Whoever reads the database cannot act as anybody."""
    token = signed_in.cookie()
    assert token
    for file in services.settings.data_dir.glob("davhost.sqlite*"):
        assert token.encode() not in file.read_bytes()
