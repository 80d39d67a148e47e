"""Administration and locks in a real browser, while real programs use the drive."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from davhost.catalogue import Catalogue
from tests.live.chromium import CHROMIUM, VIEWS, Visitor, browser, folder_for_screenshots
from tests.live.dav import Account, Dav
from tests.live.files_page import accessibility_faults
from tests.live.programs import run_program
from tests.live.server import Server, clean_environment

__all__ = ["browser"]

pytestmark = pytest.mark.needs(CHROMIUM, "curl")

LOCKINFO = (
    '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
    "<D:locktype><D:write/></D:locktype><D:owner>Ada at work</D:owner></D:lockinfo>"
)

#: Every page for administrators, and those of their own that look like them.
PAGES = {
    "users": "/-/admin/users",
    "new-user": "/-/admin/users/new",
    "requests": "/-/admin/requests",
    "all-activity": "/-/admin/activity",
    "all-locks": "/-/admin/locks",
    "storage": "/-/admin/storage",
    "health": "/-/admin/health",
    "invitations": "/-/invitations",
    "locks": "/-/locks",
    "activity": "/-/activity",
    "refused": "/-/refused",
    "account": "/-/account",
}


PASSWORD = "a few words in a row"

#: The two views that have nothing in common.
LOOKS = ("desktop-light", "phone-dark")


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on which invitations are taken."""
    home = tmp_path_factory.mktemp("web")
    settings = {"DAVHOST_REGISTRATION": "invitation", "DAVHOST_DURABILITY": "fast"}
    with Server(home / "data", home, settings=settings) as running:
        yield running


@pytest.fixture
def visit(browser: Browser, web: Server) -> Iterator[Callable[..., Visitor]]:
    """Have people sign in; at the end none of them may have seen a fault."""
    visitors: list[Visitor] = []

    def make(email: str, password: str, **view: object) -> Visitor:
        visitors.append(Visitor(browser, web.url, **view))
        visitors[-1].sign_in(email, password)
        expect(visitors[-1].page.get_by_role("heading", level=1)).to_have_text("Files")
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.leave()


@pytest.fixture(scope="module")
def boss(web: Server) -> str:
    """The address of an administrator."""
    web.administer("user", "add", "boss@example.org", "--admin", "--password-stdin", stdin=PASSWORD)
    return "boss@example.org"


def test_a_lock_that_a_program_left_is_broken(
    web: Server, boss: str, visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    """By who owns the file, by an administrator: the program's token is refused from then on."""
    ada = web.new_user("ada")
    assert ada.account is not None
    secret = web.administer("user", "app-password", "add", ada.account.email, "--label", "Laptop")
    curl = Curl(ada, Account(ada.account.email, secret.strip()), tmp_path)
    page = visit(ada.account.email, ada.account.password).page
    token = curl.lock("/plan.txt")
    page.get_by_role("link", name="Account").click()
    page.get_by_role("link", name="See what programs have locked").click()
    row = page.get_by_role("listitem").filter(has_text="plan.txt")
    expect(row).to_contain_text("Locked by “Ada at work”, through Laptop.")
    break_it(page)
    expect(page.get_by_role("main")).to_contain_text("Nothing is locked.")
    assert curl.save("/plan.txt", token) == 412
    token = curl.lock("/plan.txt")
    assert curl.save("/plan.txt", token) == 204
    page = visit(boss, PASSWORD).page
    page.get_by_role("link", name="Administration").click()
    page.get_by_role("link", name="Locks").click()
    expect(page.get_by_role("listitem").filter(has_text="plan.txt")).to_contain_text(
        f"Of {ada.account.email}."
    )
    break_it(page)
    assert curl.save("/plan.txt", token) == 412


def test_every_page_of_administrators_is_for_everybody(
    web: Server, boss: str, visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    """Axe finds nothing, no page is wider than its screen, light and dark; with pictures."""
    ada = web.new_user("somebody-with-a-long-address", quota="10GB", allow="txt")
    fill(web, ada)
    pictures = folder_for_screenshots(tmp_path)
    for look in LOOKS:
        page = visit(boss, PASSWORD, **VIEWS[look]).page
        page.goto("/-/admin/users")
        one = page.get_by_role("link", name="somebody").get_attribute("href")
        assert one is not None
        for name, url in (PAGES | {"user": one, "delete-user": f"{one}/delete"}).items():
            page.goto(url)
            for details in page.locator("summary").all()[:1]:
                details.click()
            page.screenshot(path=pictures / f"{name}-{look}.png", full_page=True)
            widths = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
            needed, there = page.evaluate(widths)
            assert needed <= there, f"{url} needs {needed} pixels of {there}"
            assert accessibility_faults(page) == [], url


class Curl:
    """curl as a program that locks files and saves to them."""

    def __init__(self, box: Dav, account: Account, home: Path) -> None:
        self._box = box
        self._home = home
        self._common = ["curl", "--silent", "--show-error", "--output", "/dev/null"]
        self._common += ["--user", f"{account.email}:{account.password}"]

    def lock(self, path: str) -> str:
        """Lock a file; return the token."""
        asked = ("-X", "LOCK", "-H", "Depth: 0", "--data", LOCKINFO)
        return self._ask(path, "%header{lock-token}", *asked).strip("<>")

    def save(self, path: str, token: str) -> int:
        """Save to a file with the token of its lock; return the status."""
        asked = ("-X", "PUT", "-H", f"If: (<{token}>)", "--data", "new")
        return int(self._ask(path, "%{http_code}", *asked))

    def _ask(self, path: str, written: str, *options: str) -> str:
        command = [*self._common, "--write-out", written, *options, self._box.url(path)]
        environment = clean_environment(self._home)
        return run_program(*command, home=self._home, environment=environment).stdout.decode()


def break_it(page: Page) -> None:
    """Break the one lock that is listed, after the question."""
    page.get_by_text("Break this lock…").click()
    page.get_by_role("button", name="Break the lock on").click()
    expect(page.get_by_role("status")).to_contain_text("The lock is broken.")


def fill(web: Server, box: Dav) -> None:
    """Let there be something on every page: files, a past, locks, refusals, requests."""
    box.make_collection("/Work/")
    box.put("/Work/Budget%20for%20the%20whole%20family%2C%20second%20try.txt", b"x" * 40_000)
    box.put("/a.txt", b"x" * 999)
    box.put("/a.txt", b"y" * 9_999)
    box.request("DELETE", "/a.txt")
    box.lock("/Work/Budget%20for%20the%20whole%20family%2C%20second%20try.txt")
    box.lock("/Work/shared.txt", "shared")
    box.request("PUT", "/list.csv", b"1,2")
    account = box.account
    assert account is not None
    web.administer("user", "app-password", "add", account.email, "--label", "Living room")
    today = int(time.time()) // 86_400
    catalogue = Catalogue(f"sqlite:///{web.data}/davhost.sqlite")
    with catalogue.people(writes=True) as people:
        person = people.find(account.email)
        assert person is not None
        asked = {"extension": "csv", "asked_us": person.created_us, "path": "/list.csv"}
        people.requests.add(user_id=person.id, **asked)
        for ago in range(1, 40):
            uses = [
                replace(use, used_bytes=1_000_000 // ago, kept_bytes=70_000 + 9_000 * (ago % 7))
                for use in people.storage.now()
            ]
            people.storage.write(today - ago, uses)
    catalogue.close()
