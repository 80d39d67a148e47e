"""What programs have locked, and breaking it."""

from __future__ import annotations

import html
import itertools
import re

import pytest
from werkzeug.test import Client, TestResponse

from davhost.bootstrap.services import Services
from davhost.web.locks import words
from tests.web.browser import Browser, Wsgi
from tests.web.conftest import PASSWORD

ORIGIN = "https://drive.example.org"
MINE, ALL = "/-/locks", "/-/admin/locks"
_numbers = itertools.count(1)


class World:
    """A server with an administrator and two others, and programs that lock."""

    def __init__(self, services: Services, app: Wsgi) -> None:
        self.services = services
        self._app = app
        self.email = f"ada{next(_numbers)}@locks.example.org"
        self.ada = self._browser(self.email)
        self.bob = self._browser(f"bob-{self.email}")
        self.boss = self._browser(f"boss-{self.email}", admin=True)

    def _browser(self, email: str, *, admin: bool = False) -> Browser:
        self.services.accounts.register(email, PASSWORD, admin=admin)
        browser = Browser(self._app)
        assert browser.sign_in(email, PASSWORD).status_code == 303
        return browser

    def dav(
        self, method: str, url: str, body: str = "", *, password: str = PASSWORD, **headers: str
    ) -> TestResponse:
        """Ask as a program does that has mounted the home of Ada."""
        return Client(self._app).open(
            url,
            method=method,
            base_url=ORIGIN,
            auth=(self.email, password),
            headers=headers,
            data=body.encode(),
        )

    def listed(self, browser: Browser, url: str) -> list[str]:
        """Read the locks of a page as people see them."""
        body = browser.go(url).text.partition('rows locks">')[2].partition("</ul>")[0]
        texts = (html.unescape(re.sub(r"<[^>]*>", "", row)) for row in body.split("<li>")[1:])
        return [" ".join(text.split()) for text in texts]

    def lock(
        self,
        url: str,
        *,
        owner: str = "<D:owner>Ada</D:owner>",
        scope: str = "exclusive",
        password: str = PASSWORD,
        depth: str = "0",
    ) -> str:
        """Have a program lock something of Ada's; return the token."""
        body = (
            f'<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:{scope}/></D:lockscope>'
            f"<D:locktype><D:write/></D:locktype>{owner}</D:lockinfo>"
        )
        answer = self.dav("LOCK", url, body, password=password, Depth=depth, Timeout="Second-3600")
        assert answer.status_code in (200, 201)
        return answer.headers["Lock-Token"].strip("<>")


@pytest.fixture
def world(services: Services, app: Wsgi) -> World:
    """People of whom nobody has been there before."""
    return World(services, app)


def test_people_see_what_is_locked_and_how(world: World) -> None:
    """By whom, through which device, and what is not the usual about it."""
    _, secret = world.services.accounts.devices.add(
        world.services.accounts.get(world.email), "Laptop"
    )
    world.dav("MKCOL", "/Work/")
    world.lock("/Work/plan.txt", password=secret)
    world.lock("/b.txt", owner="", scope="shared")
    rows = world.listed(world.ada, MINE)
    assert re.fullmatch(
        r"b.txt shared Locked by a program that gives no name. "
        r"Since [-\d: ]+, until [-\d: ]+ if it is not renewed. Break .*",
        rows[0],
    )
    assert rows[1].startswith("plan.txt In /Work. Locked by “Ada”, through Laptop. Since ")


def test_a_locked_folder_says_that_all_in_it_is_locked(world: World) -> None:
    """A file that was locked with the same Depth does not."""
    world.dav("MKCOL", "/Work/")
    world.lock("/Work", depth="infinity")
    world.lock("/plan.txt", depth="infinity")
    rows = sorted(world.listed(world.ada, MINE))
    assert rows[0].startswith("Work with everything in it Locked by")
    assert rows[1].startswith("plan.txt Locked by")


def test_a_broken_lock_lets_others_save(world: World) -> None:
    """The program that held it is told with its next request, and the activity says it."""
    token = world.lock("/plan.txt")
    assert world.ada.fetch("PUT", "/plan.txt", b"x").status_code == 423
    assert world.ada.submit(f"{MINE}/break", MINE, token=token).location == MINE
    page = world.ada.go(MINE).text
    assert "The lock is broken." in page
    assert "Nothing is locked." in page
    assert world.ada.fetch("PUT", "/plan.txt", b"x").status_code == 204
    assert world.dav("PUT", "/plan.txt", "y", If=f"(<{token}>)").status_code == 412
    activity = html.unescape(world.ada.go("/-/activity").text)
    assert "<strong>plan.txt</strong> was unlocked: its lock was broken" in activity


def test_a_lock_that_ended_meanwhile_is_no_error(world: World) -> None:
    """Whoever sends the form late is told so."""
    token = world.lock("/plan.txt")
    unlock = world.dav("UNLOCK", "/plan.txt", **{"Lock-Token": f"<{token}>"})
    assert unlock.status_code == 204
    for ended in (token, "", "\0"):
        fields = {"token": ended, "csrf_token": _csrf(world.ada)}
        answer = world.ada.post(f"{MINE}/break", fields, Sec_Fetch_Site="same-origin")
        assert answer.status_code == 303
        assert "ended already" in world.ada.go(MINE).text


def test_nobody_breaks_the_locks_of_others(world: World) -> None:
    """Nor sees them; the token alone is of no use."""
    token = world.lock("/plan.txt")
    assert "plan.txt" not in world.bob.go(MINE).text
    fields = {"token": token, "owner": world.email, "csrf_token": _csrf(world.bob)}
    world.bob.post(f"{MINE}/break", fields, Sec_Fetch_Site="same-origin")
    answer = world.bob.post(f"{ALL}/break", fields, Sec_Fetch_Site="same-origin")
    assert answer.status_code == 403
    assert world.bob.go(ALL).status_code == 403
    assert world.ada.fetch("PUT", "/plan.txt", b"x").status_code == 423


@pytest.mark.parametrize("url", [f"{MINE}/break", f"{ALL}/break"])
def test_no_other_site_breaks_a_lock(world: World, url: str) -> None:
    """Without the token of the form nothing happens."""
    token = world.lock("/plan.txt")
    for browser in (world.ada, world.boss):
        fields = {"token": token, "owner": world.email}
        answer = browser.post(url, fields, Sec_Fetch_Site="same-origin")
        assert answer.status_code == 400
    assert world.ada.fetch("PUT", "/plan.txt", b"x").status_code == 423


def test_administrators_see_and_break_the_locks_of_all(world: World) -> None:
    """The owner reads in the activity who it was."""
    token = world.lock("/plan.txt")
    (row,) = [row for row in world.listed(world.boss, ALL) if f"Of {world.email}." in row]
    assert row.startswith(f"plan.txt Of {world.email}. Locked by “Ada”. Since ")
    fields = {"token": token, "owner": world.email}
    assert world.boss.submit(f"{ALL}/break", ALL, **fields).location == ALL
    assert world.ada.fetch("PUT", "/plan.txt", b"x").status_code == 204
    activity = world.ada.go("/-/activity").text
    assert "was unlocked" in activity
    assert "an administrator" in activity
    fields = {"token": token, "owner": "nobody@example.org", "csrf_token": _csrf(world.boss)}
    gone = world.boss.post(f"{ALL}/break", fields, Sec_Fetch_Site="same-origin")
    assert gone.status_code == 404


def test_a_refreshed_lock_is_as_old_as_it_is(world: World) -> None:
    """Only its end moves."""
    token = world.lock("/plan.txt")
    account = world.services.accounts.get(world.email)
    (before,) = world.services.accounts.locks.of(account, 9).locks
    renewed = world.dav("LOCK", "/plan.txt", If=f"(<{token}>)", Timeout="Second-7200")
    assert renewed.status_code == 200
    (after,) = world.services.accounts.locks.of(account, 9).locks
    assert after.lock.made_us == before.lock.made_us
    assert after.until_us > before.until_us


def test_names_are_just_names_there(world: World) -> None:
    """Also what a program calls its user."""
    world.lock(
        "/%3Cb%3E%7B%7B7*7%7D%7D.txt", owner="<D:owner><D:href>&lt;b&gt;me</D:href></D:owner>"
    )
    for page in (world.ada.go(MINE).text, world.boss.go(ALL).text):
        assert "&lt;b&gt;{{7*7}}.txt" in page
        assert "&lt;b&gt;me" in page
        assert "<b>" not in page


@pytest.mark.parametrize(
    ("owner_xml", "said"),
    [
        ("", ""),
        ('<D:owner xmlns:D="DAV:"/>', ""),
        ('<D:owner xmlns:D="DAV:">Ada  &amp;\n Bob</D:owner>', "Ada & Bob"),
        (
            '<D:owner xmlns:D="DAV:"><D:href>mailto:a@b</D:href> on <x>PC</x></D:owner>',
            "mailto:a@b on PC",
        ),
        (f'<D:owner xmlns:D="DAV:">{"x" * 200}</D:owner>', "x" * 99 + "…"),
    ],
)
def test_what_a_program_says_is_read_without_its_markup(owner_xml: str, said: str) -> None:
    """Short enough for one line."""
    assert words(owner_xml) == said


def _csrf(browser: Browser) -> str:
    page = browser.go("/-/account").text
    return page.partition('name="csrf_token" value="')[2].partition('"')[0]
