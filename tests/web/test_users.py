"""Administration of accounts: the list, one account, and what can be done to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from davhost.bootstrap.services import Services
from davhost.bootstrap.wsgi import build_app
from davhost.catalogue import Account
from davhost.model import Rules
from tests.web.browser import Browser
from tests.web.conftest import PASSWORD, running
from tests.web.mailbox import Mailbox, link_in, serving

BOSS = "boss@example.org"
ADA = "ada@example.org"
USERS = "/-/admin/users"
EVIL = "<b>{{7*7}}&eve@example.org"


class World:
    """A server with one administrator who has signed in."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.accounts = services.accounts
        self._app = build_app(services)
        self.accounts.register(BOSS, PASSWORD, admin=True)
        self.boss = self.browser(BOSS)

    def browser(self, email: str | None = None, password: str = PASSWORD) -> Browser:
        """Open a browser, and sign in if *email* says who."""
        browser = Browser(self._app)
        if email is not None:
            assert browser.sign_in(email, password).status_code == 303
        return browser

    def add(self, email: str = ADA, **values: object) -> Account:
        """Make an account."""
        return self.accounts.register(email, PASSWORD, **values)  # type: ignore[arg-type]

    def do(self, account: Account, action: str) -> int:
        """Press a button of the page of *account*; return the status."""
        page = f"{USERS}/{account.id}"
        return self.boss.submit(f"{page}/do/{action}", page=page).status_code

    def page(self, account: Account) -> str:
        """The page of *account*."""
        return self.boss.go(f"{USERS}/{account.id}").text


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Make a server with settings."""
    open_: list[object] = []

    def make(**settings: object) -> World:
        instance = running(tmp_path / "instance", **settings)
        open_.append(instance)
        return World(instance.__enter__())

    yield make
    for instance in open_:
        instance.__exit__(None, None, None)  # type: ignore[attr-defined]


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A server."""
    return make_world()


def test_all_accounts_are_listed_with_their_state(world: World) -> None:
    """Use and quota, file types, who is disabled, stopped or has a second step."""
    ada = world.add(quota_bytes=10**9, rules=Rules.parse("odt,txt"))
    world.add("off@example.org")
    world.accounts.disable("off@example.org")
    with world.services.catalogue.people(writes=True) as people:
        people.change_space(ada.space_id, used_bytes=5 * 10**8, braked_us=1)
        people.codes.turn_on(ada.id, "SECRET", 0, ["hash"])
    rows = _rows(world.boss.go(USERS).text)
    assert list(rows) == [ADA, BOSS, "off@example.org"]
    assert "500 MB" in rows[ADA]
    assert "1 GB" in rows[ADA]
    assert 'max="1000000000"' in rows[ADA]
    assert 'value="500000000"' in rows[ADA]
    assert "odt,txt" in rows[ADA]
    assert _tags(rows[ADA]) == ["stopped by the brake", "second step"]
    assert _tags(rows[BOSS]) == ["administrator"]
    assert _tags(rows["off@example.org"]) == ["disabled"]
    assert "no limit" in rows[BOSS]
    assert "server’s list" in rows[BOSS]


def test_the_last_use_is_shown_where_it_is_known(world: World) -> None:
    """By a browser, or a device."""
    world.add()
    rows = _rows(world.boss.go(USERS).text)
    assert "not known" in rows[ADA]
    assert "<time" in rows[BOSS]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["a@x.org", "B@x.org", BOSS, "c@x.org"]),
        ("?sort=used", ["c@x.org", "B@x.org", "a@x.org", BOSS]),
        ("?sort=full", ["B@x.org", "c@x.org", "a@x.org", BOSS]),
        ("?sort=nonsense", ["a@x.org", "B@x.org", BOSS, "c@x.org"]),
        ("?q=b", ["B@x.org", BOSS]),
        ("?q=X.ORG&sort=used", ["c@x.org", "B@x.org", "a@x.org"]),
        ("?state=administrators", [BOSS]),
        ("?state=disabled", ["a@x.org"]),
        ("?state=stopped", []),
    ],
)
def test_the_list_is_sorted_and_filtered(world: World, query: str, shown: list[str]) -> None:
    """By links and a form that change nothing."""
    sizes = {"a@x.org": (10, None), "B@x.org": (20, 20), "c@x.org": (30, 300)}
    for email, (used, quota) in sizes.items():
        account = world.add(email, quota_bytes=quota)
        with world.services.catalogue.people(writes=True) as people:
            people.change_space(account.space_id, used_bytes=used)
    world.accounts.disable("a@x.org")
    assert list(_rows(world.boss.go(USERS + query).text)) == shown


@pytest.mark.parametrize("page", ["", "/new", "/1", "/1/delete"])
def test_only_administrators_see_it(world: World, page: str) -> None:
    """Others are told so, and have no link to it; strangers sign in first."""
    world.add()
    ada = world.browser(ADA)
    answer = ada.go(USERS + page)
    assert answer.status_code == 403
    assert "for the administrators" in answer.text
    assert BOSS not in answer.text
    assert "Administration" not in ada.go("/").text
    assert "Administration" in world.boss.go("/").text
    assert world.browser().go(USERS + page).status_code == 303


@pytest.mark.parametrize(
    "action", ["disable", "make-admin", "end-admin", "sign-out", "end-devices", "two-step-off"]
)
def test_nobody_else_does_anything(world: World, action: str) -> None:
    """Not with a token of their own forms either."""
    ada = world.add()
    before = world.accounts.list_()
    browser = world.browser(ADA)
    token = {"csrf_token": _form_token(browser.go("/-/account").text)}
    for target in (ada.id, world.accounts.get(BOSS).id):
        url = f"{USERS}/{target}/do/{action}"
        assert browser.post(url, token, Sec_Fetch_Site="same-origin").status_code == 403
        assert browser.post(f"{USERS}/{target}/link", token).status_code == 403
        assert browser.post(f"{USERS}/{target}/delete", token).status_code == 403
    assert world.accounts.list_() == before


def test_no_other_site_makes_an_administrator_do_it(world: World) -> None:
    """A form without the token of the page is refused."""
    ada = world.add()
    answer = world.boss.post(f"{USERS}/{ada.id}/do/disable", Sec_Fetch_Site="same-origin")
    assert answer.status_code == 400
    assert not world.accounts.get(ADA).disabled


def test_a_user_is_added_with_a_password_that_is_shown_once(world: World) -> None:
    """It lets them in, and is on no page afterwards."""
    answer = world.boss.submit(f"{USERS}/new", email=ADA, quota="2 GB", allow="txt, ODT")
    password = re.search(r'<code id="secret">([^<]+)</code>', answer.text)
    assert password
    account = world.accounts.get(ADA)
    assert (account.quota_bytes, str(account.rules), account.admin) == (2 * 10**9, "odt,txt", False)
    world.browser(ADA, password[1])
    assert password[1] not in world.page(account)


def test_a_user_is_added_with_a_chosen_password(world: World) -> None:
    """And with the role, if it is ticked."""
    fields = {"email": ADA, "password": "chosen by boss", "admin": "y"}
    assert world.boss.submit(f"{USERS}/new", **fields).status_code == 303
    assert world.accounts.get(ADA).admin
    assert world.browser(ADA, "chosen by boss").go(USERS).status_code == 200


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"email": BOSS}, "has an account already"),
        ({"email": "no address"}, "is not an e-mail address"),
        ({"email": ADA, "password": "short"}, "8 characters"),
        ({"email": ADA, "quota": "much"}, "must be a size"),
        ({"email": ADA, "quota": "9" * 19}, "less than"),
        ({"email": ADA, "allow": "a/b"}, "is not a file name extension"),
    ],
)
def test_what_cannot_be_is_said_below_its_field(
    world: World, fields: dict[str, str], said: str
) -> None:
    """Nothing is made."""
    answer = world.boss.submit(f"{USERS}/new", **fields)
    assert answer.status_code == 200
    assert said in answer.text
    assert [account.email for account in world.accounts.list_()] == [BOSS]


def test_the_server_default_quota_is_proposed(make_world) -> None:
    """It can be changed before the account is made."""
    page = make_world(quota_default="3 GB").boss.go(f"{USERS}/new").text
    assert 'value="3 GB"' in page


def test_limits_are_changed_and_taken_back(world: World) -> None:
    """Empty fields mean no quota, and the server's list."""
    ada = world.add()
    url = f"{USERS}/{ada.id}"
    assert world.boss.submit(url, quota="1.5 GB", allow="*").status_code == 303
    changed = world.accounts.get(ADA)
    assert (changed.quota_bytes, changed.rules) == (1_500_000_000, Rules(None))
    assert 'value="*"' in world.page(ada)
    world.boss.submit(url, quota="", allow="")
    changed = world.accounts.get(ADA)
    assert (changed.quota_bytes, changed.rules) == (None, None)
    assert "must be a size" in world.boss.submit(url, quota="x", allow="").text


def test_saving_a_page_as_it_is_changes_nothing(world: World) -> None:
    """A quota that is no round number stays the same to the byte."""
    ada = world.add(quota_bytes=1_234_567_891)
    url = f"{USERS}/{ada.id}"
    shown = re.search(r'name="quota"[^>]*value="([^"]*)"', world.page(ada))
    assert shown
    world.boss.submit(url, quota=shown[1], allow="txt")
    assert world.accounts.get(ADA).quota_bytes == 1_234_567_891


def test_a_disabled_account_is_out_until_it_is_enabled(world: World) -> None:
    """At once, also where it is signed in."""
    ada = world.add()
    browser = world.browser(ADA)
    assert world.do(ada, "disable") == 303
    assert browser.go("/").status_code == 303
    assert browser.sign_in(ADA, PASSWORD).status_code == 403
    assert world.do(ada, "enable") == 303
    assert browser.sign_in(ADA, PASSWORD).status_code == 303


def test_a_role_is_given_and_ended(world: World) -> None:
    """From the next request on."""
    ada = world.add()
    browser = world.browser(ADA)
    assert world.do(ada, "make-admin") == 303
    assert browser.go(USERS).status_code == 200
    assert world.do(ada, "end-admin") == 303
    assert browser.go(USERS).status_code == 403


@pytest.mark.parametrize("action", ["disable", "end-admin"])
def test_administrators_do_not_lock_themselves_out(world: World, action: str) -> None:
    """Not even while there is another one."""
    world.add(admin=True)
    boss = world.accounts.get(BOSS)
    token = {"csrf_token": _form_token(world.page(boss))}
    answer = world.boss.post(f"{USERS}/{boss.id}/do/{action}", token, Sec_Fetch_Site="same-origin")
    assert answer.status_code == 403
    assert "lock yourself out" in answer.text
    assert world.accounts.get(BOSS) == boss
    assert f"/do/{action}" not in world.page(boss)


def test_an_administrator_who_is_disabled_does_not_count_as_another(world: World) -> None:
    """Somebody who can sign in must be left."""
    world.add(admin=True)
    world.accounts.disable(ADA)
    fields = {"email": BOSS, "password": PASSWORD}
    assert "only administrator" in world.boss.submit("/-/account/delete", **fields).text
    assert world.accounts.get(BOSS).admin


def test_signing_out_ends_browsers_and_keeps_devices(world: World) -> None:
    """Unless devices are meant, too."""
    ada = world.add()
    _, secret = world.accounts.devices.add(ada, "laptop")
    browser = world.browser(ADA)
    assert world.do(ada, "sign-out") == 303
    assert browser.go("/").status_code == 303
    assert len(world.accounts.devices.list_(ada)) == 1
    assert world.do(ada, "end-devices") == 303
    assert not world.accounts.devices.owns(ada, secret)


def test_the_second_step_is_turned_off(world: World) -> None:
    """For who lost the phone."""
    ada = world.add()
    with world.services.catalogue.people(writes=True) as people:
        people.codes.turn_on(ada.id, "SECRET", 0, ["hash"])
    assert world.do(ada, "two-step-off") == 303
    assert not world.accounts.get(ADA).two_step
    world.browser(ADA)


def test_the_brake_is_released(world: World) -> None:
    """The account can be written to again."""
    ada = world.add()
    with world.services.catalogue.people(writes=True) as people:
        people.change_space(ada.space_id, braked_us=1)
    browser = world.browser(ADA)
    assert browser.fetch("PUT", "/a.txt", b"a").status_code == 403
    assert world.do(ada, "release-brake") == 303
    assert browser.fetch("PUT", "/a.txt", b"a").status_code == 201


def test_a_link_for_a_new_password_is_shown_once(world: World) -> None:
    """Whoever has it sets the password, once."""
    ada = world.add()
    url = f"{USERS}/{ada.id}"
    shown = re.search(r'<code id="link">([^<]+)</code>', world.boss.submit(f"{url}/link", url).text)
    assert shown
    assert shown[1].startswith("https://drive.example.org/-/reset?token=")
    assert "token=" not in world.page(ada)
    path = shown[1].removeprefix("https://drive.example.org")
    guest = world.browser()
    assert guest.submit("/-/reset", page=path, password="a new one").status_code == 303
    world.browser(ADA, "a new one")
    assert guest.go(path).status_code == 403


def test_a_link_is_mailed(make_world) -> None:
    """To the address of the account."""
    mailbox = Mailbox()
    with serving(mailbox) as port:
        world = make_world(
            smtp_host="127.0.0.1",
            smtp_port=port,
            smtp_security="none",
            mail_from="drive@example.org",
            public_url="https://drive.example.org/",
        )
        ada = world.add()
        assert world.do(ada, "mail-link") == 303
        mail = mailbox.wait(1)
    assert mail["To"] == ADA
    assert "token=" in link_in(mail)


def test_without_mail_no_mail_is_offered(world: World) -> None:
    """Nor sent."""
    ada = world.add()
    assert "mail-link" not in world.page(ada)
    token = {"csrf_token": _form_token(world.page(ada))}
    url = f"{USERS}/{ada.id}/do/mail-link"
    assert world.boss.post(url, token, Sec_Fetch_Site="same-origin").status_code == 403


def test_an_account_is_deleted_after_its_address(world: World) -> None:
    """With all its bytes; a wrong address deletes nothing."""
    ada = world.add()
    world.browser(ADA).fetch("PUT", "/a.txt", b"unique")
    url = f"{USERS}/{ada.id}/delete"
    assert "1 file, 6 B" in world.boss.go(url).text
    assert "not the address" in world.boss.submit(url, email=BOSS).text
    assert world.accounts.get(ADA)
    answer = world.boss.submit(url, email=ADA.upper())
    assert (answer.status_code, answer.location) == (303, USERS)
    assert [account.email for account in world.accounts.list_()] == [BOSS]
    assert not list((world.services.settings.data_dir / "blobs").rglob("*.bin"))
    assert world.boss.go(f"{USERS}/{ada.id}").status_code == 404


def test_ones_own_account_is_deleted_on_its_own_page(world: World) -> None:
    """Which asks for the password, too."""
    boss = world.accounts.get(BOSS)
    answer = world.boss.go(f"{USERS}/{boss.id}/delete")
    assert (answer.status_code, answer.location) == (303, "/-/account/delete")


@pytest.mark.parametrize("url", ["/999", "/999/delete", "/x"])
def test_what_is_not_there_is_not_found(world: World, url: str) -> None:
    """Also a moment after somebody deleted it."""
    assert world.boss.go(USERS + url).status_code == 404


def test_addresses_are_just_text(world: World) -> None:
    """Whatever an address holds, every page shows it as it is."""
    evil = world.add(EVIL)
    for url in (USERS, f"{USERS}/{evil.id}", f"{USERS}/{evil.id}/delete"):
        text = world.boss.go(url).text
        assert "<b>" not in text
        assert "49&amp;eve" not in text
        assert "&lt;b&gt;{{7*7}}&amp;eve@example.org" in text


@pytest.mark.parametrize("page", ["", "/new", "/1", "/1/delete", "?q=%22%3E%3Cb%3E"])
def test_pages_of_administrators_are_safe_and_labelled(world: World, page: str) -> None:
    """Nothing inline; every field has a label, every table a caption."""
    world.add()
    text = world.boss.go(
        USERS + page,
    ).text
    assert "<b>" not in text
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=", text)
    ids = re.findall(
        r'<(?:input|select)(?![^>]*type="(?:hidden|checkbox)")[^>]*\sid="([^"]+)"', text
    )
    assert [i for i in ids if f'for="{i}"' not in text] == []
    assert text.count("<table") == text.count("<caption")


def _rows(html: str) -> dict[str, str]:
    """Read the rows of the list by address."""
    body = html.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = {}
    for row in body.split("<tr>")[1:]:
        found = re.search(r'<th scope="row"><a [^>]*>([^<]*)</a>', row)
        assert found
        rows[found[1]] = row
    return rows


def _tags(row: str) -> list[str]:
    return re.findall(r'<span class="tag[^"]*">([^<]*)</span>', row)


def _form_token(html: str) -> str:
    return html.partition('name="csrf_token" value="')[2].partition('"')[0]
