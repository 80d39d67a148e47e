"""Sign up, invitations, and a new password by mail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from davhost.bootstrap.services import Services
from davhost.bootstrap.wsgi import build_app
from tests.web.browser import Browser, Wsgi
from tests.web.conftest import PASSWORD, running
from tests.web.mailbox import Mailbox, link_in, serving, settle

NEW = "a new password"


@dataclass
class World:
    """A server, and browsers for it."""

    services: Services
    app: Wsgi
    mailbox: Mailbox
    _count: int = 0

    def browser(self) -> Browser:
        """Open a browser at an address of its own."""
        self._count += 1
        return Browser(self.app, address=f"203.0.113.{self._count}")

    def admin(self) -> Browser:
        """Open a browser in which an administrator is signed in."""
        self.services.accounts.register(f"admin{self._count}@example.org", PASSWORD, admin=True)
        browser = self.browser()
        browser.sign_in(f"admin{self._count - 1}@example.org", PASSWORD)
        return browser


@pytest.fixture
def make_world(tmp_path, request) -> Iterator:
    """Make a server with settings of its own; a mail server is there when it is asked for."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def make(*, mail: bool = False, **settings: object) -> World:
            mailbox = Mailbox()
            if mail:
                settings |= {
                    "smtp_host": "127.0.0.1",
                    "smtp_port": stack.enter_context(serving(mailbox)),
                    "smtp_security": "none",
                    "mail_from": "Our drive <drive@example.org>",
                }
            services = stack.enter_context(
                running(tmp_path, public_url="https://drive.example.org/", **settings)
            )
            return World(services, build_app(services), mailbox)

        yield make
        settle()  # before what the mails are made of is closed


def test_nobody_signs_up_where_registration_is_closed(make_world) -> None:
    """Closed is the default; also an invitation of before is of no use."""
    world = make_world()
    token = world.services.accounts.invite()
    for query in ("", f"?invitation={token}"):
        assert world.browser().go(f"/-/sign-up{query}").status_code == 403
    assert "Sign up" not in world.browser().go("/-/sign-in").text


def test_anybody_signs_up_where_registration_is_open(make_world) -> None:
    """One is signed in at once, and has the server's default quota."""
    world = make_world(registration="open", quota_default=5_000_000)
    browser = world.browser()
    assert "/-/sign-up" in browser.go("/-/sign-in").text
    answer = browser.submit("/-/sign-up", email="ada@example.org", password=NEW)
    assert (answer.status_code, answer.location) == (303, "/")
    assert "ada@example.org" in browser.go("/").text
    assert world.services.accounts.get("ada@example.org").quota_bytes == 5_000_000


@pytest.mark.parametrize(
    ("email", "password", "said"),
    [
        ("ada@example.org", "short", "8 characters"),
        ("ada@example.org", "Password123!", "anybody would try"),
        ("ada@example.org", "12345678", "anybody would try"),
        ("ada@example.org", "aaaaaaaaaa", "anybody would try"),
        ("ada@example.org", "ADA@example.org", "anybody would try"),
        ("nobody", NEW, "not an e-mail address"),
        ("TAKEN@example.org", NEW, "has an account already"),
        ("", NEW, "Type your e-mail address."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(make_world, email, password, said) -> None:
    """Nothing is made, and what was typed is still there."""
    world = make_world(registration="open")
    world.services.accounts.register("taken@example.org", PASSWORD)
    answer = world.browser().submit("/-/sign-up", email=email, password=password)
    assert answer.status_code == 200
    assert said in answer.text
    assert password not in answer.text
    assert len(world.services.accounts.list_()) == 1


def test_signing_up_is_not_for_machines(make_world) -> None:
    """One address makes a handful of accounts, then it waits."""
    world = make_world(registration="open")
    browser = world.browser()
    made = [
        browser.submit("/-/sign-up", email=f"a{n}@example.org", password=NEW).status_code
        for n in range(7)
    ]
    assert made.count(303) <= 5
    assert made[-1] == 429


def test_an_invitation_makes_one_account(make_world) -> None:
    """The administrator gets a link once; it works once."""
    world = make_world(registration="invitation")
    admin = world.admin()
    page = admin.submit("/-/invitations", email="")
    link = _code(page.text)
    assert link.startswith("https://drive.example.org/-/sign-up?invitation=")
    path = link.removeprefix("https://drive.example.org")
    assert path.partition("=")[2] not in admin.go("/-/invitations").text
    guest = world.browser()
    answer = guest.submit("/-/sign-up", page=path, email="ada@example.org", password=NEW)
    assert (answer.status_code, answer.location) == (303, "/")
    again = world.browser().go(path)
    assert again.status_code == 403
    assert "used already" in again.text


def test_an_invitation_for_an_address_is_for_no_other(make_world) -> None:
    """Whatever the form says."""
    world = make_world(registration="invitation")
    token = world.services.accounts.invite("ada@example.org")
    path = f"/-/sign-up?invitation={token}"
    world.browser().submit("/-/sign-up", page=path, email="eve@example.org", password=NEW)
    assert [a.email for a in world.services.accounts.list_()] == ["ada@example.org"]


def test_an_invitation_ends(make_world) -> None:
    """By being withdrawn, or by its time."""
    world = make_world(registration="invitation")
    admin = world.admin()
    withdrawn = world.services.accounts.invite()
    ticket = world.services.accounts.invitations()[0]
    url = f"/-/invitations/{ticket.id}/withdraw"
    assert admin.submit(url, page="/-/invitations").status_code == 303
    late = world.services.accounts.invite(seconds=-1)
    for token in (withdrawn, late, "invented", ""):
        assert world.browser().go(f"/-/sign-up?invitation={token}").status_code == 403


def test_only_administrators_invite(make_world) -> None:
    """Others are told that it is not for them."""
    world = make_world(registration="invitation")
    world.services.accounts.register("ada@example.org", PASSWORD)
    ada = world.browser()
    ada.sign_in("ada@example.org", PASSWORD)
    assert ada.go("/-/invitations").status_code == 403
    token = {"csrf_token": _form_token(ada.go("/").text)}
    assert ada.post("/-/invitations", token, Sec_Fetch_Site="same-origin").status_code == 403
    assert world.services.accounts.invitations() == []


def test_open_registration_with_mail_asks_the_address(make_world) -> None:
    """Only who reads mail there gets the account, and nobody learns who has one."""
    world = make_world(registration="open", mail=True)
    browser = world.browser()
    told = browser.submit("/-/sign-up", email="ada@example.org").text
    path = link_in(world.mailbox.wait(1))
    answer = browser.submit("/-/sign-up", page=path, email="ada@example.org", password=NEW)
    assert answer.status_code == 303
    again = world.browser().submit("/-/sign-up", email="ada@example.org").text
    assert again == told
    assert "You have one already" in world.mailbox.wait(2).get_content()


def test_a_forgotten_password_is_set_by_mail(make_world) -> None:
    """The link works once, and the new password ends every session."""
    world = make_world(mail=True)
    world.services.accounts.register("Ada@example.org", PASSWORD)
    signed_in = world.browser()
    signed_in.sign_in("ada@example.org", PASSWORD)
    browser = world.browser()
    browser.submit("/-/forgot", email="ada@EXAMPLE.org")
    mail = world.mailbox.wait(1)
    assert mail["To"] == "Ada@example.org"
    assert mail["From"] == "Our drive <drive@example.org>"
    path = link_in(mail)
    assert browser.submit("/-/reset", page=path, password=NEW).status_code == 303
    assert signed_in.go("/").status_code == 303
    assert browser.go(path).status_code == 403
    assert world.browser().sign_in("ada@example.org", PASSWORD).status_code == 403
    assert world.browser().sign_in("ada@example.org", NEW).status_code == 303


def test_nobody_learns_by_forgetting_who_has_an_account(make_world) -> None:
    """The answer is the same word for word; mail goes only to accounts."""
    world = make_world(mail=True)
    world.services.accounts.register("ada@example.org", PASSWORD)
    world.services.accounts.register("off@example.org", PASSWORD)
    world.services.accounts.disable("off@example.org")
    browser = world.browser()
    texts = {
        browser.submit("/-/forgot", email=email).text.replace(email, "X")
        for email in ("nobody@example.org", "off@example.org", "ada@example.org")
    }
    assert len(texts) == 1
    # One postman, one after the other: the last one's mail is the first to come.
    assert world.mailbox.wait(1)["To"] == "ada@example.org"
    assert len(world.mailbox.mails) == 1


def test_mails_cannot_be_ordered_by_the_hundred(make_world) -> None:
    """Nobody fills a mailbox with our mails."""
    world = make_world(mail=True)
    world.services.accounts.register("ada@example.org", PASSWORD)
    browser = world.browser()
    answers = [browser.submit("/-/forgot", email="ada@example.org").status_code for _ in range(8)]
    assert answers[0] == 200
    assert answers[-1] == 429


def test_a_link_leads_to_the_server_whatever_a_request_says(make_world) -> None:
    """A Host of somebody's own invention does not get into a mail."""
    world = make_world(mail=True)
    world.services.accounts.register("ada@example.org", PASSWORD)
    evil = Browser(world.app, origin="https://evil.example", address="203.0.113.99")
    evil.submit("/-/forgot", email="ada@example.org")
    mail = world.mailbox.wait(1)
    assert "evil" not in mail.get_content()
    assert link_in(mail)


def test_a_link_of_before_the_password_was_changed_is_dead(make_world) -> None:
    """Whoever finds the mail later cannot use it."""
    world = make_world()
    world.services.accounts.register("ada@example.org", PASSWORD)
    token = world.services.accounts.begin_reset("ada@example.org")
    assert world.browser().go(f"/-/reset?token={token}").status_code == 200
    world.services.accounts.set_password("ada@example.org", NEW)
    assert world.browser().go(f"/-/reset?token={token}").status_code == 403


def test_without_a_mail_server_people_are_told_whom_to_ask(make_world) -> None:
    """There is no form that leads nowhere."""
    page = make_world().browser().go("/-/forgot")
    assert "Ask whoever runs this server" in page.text
    assert "<form" not in page.text


def _code(html: str) -> str:
    return html.partition('<code id="link">')[2].partition("</code>")[0]


def _form_token(html: str) -> str:
    return html.partition('name="csrf_token" value="')[2].partition('"')[0]
