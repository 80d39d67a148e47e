"""What happened, in plain words."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client

from davhost.accounts import activity
from davhost.bootstrap.services import Services
from davhost.bootstrap.wsgi import build_app
from tests.web.browser import Browser, Wsgi
from tests.web.conftest import PASSWORD, running

BOSS, ADA = "boss@example.org", "ada@example.org"
ORIGIN = "https://drive.example.org"


class World:
    """A server with an administrator and one more person, who have signed in."""

    def __init__(self, services: Services, app: Wsgi) -> None:
        self.services = services
        self._app = app
        self.boss, self.ada = self._browser(BOSS), self._browser(ADA)

    def _browser(self, email: str) -> Browser:
        self.services.accounts.register(email, PASSWORD, admin=email == BOSS)
        browser = Browser(self._app)
        assert browser.sign_in(email, PASSWORD).status_code == 303
        return browser

    def dav(self, method: str, url: str, password: str, **headers: str) -> int:
        """Ask as a program does that has mounted the home of Ada."""
        client = Client(self._app)
        answer = client.open(
            url, method=method, base_url=ORIGIN, auth=(ADA, password), headers=headers, data=b"new"
        )
        return answer.status_code


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A server."""
    with running(tmp_path / "instance") as services:
        yield World(services, build_app(services))


def test_every_change_is_a_sentence(world: World) -> None:
    """The newest first, with where it was."""
    ada = world.ada
    ada.fetch("MKCOL", "/Work/")
    ada.fetch("PUT", "/plan.txt", b"one")
    ada.fetch("PUT", "/plan.txt", b"two")
    ada.fetch("MOVE", "/plan.txt", Destination=f"{ORIGIN}/list.txt")
    ada.fetch("MOVE", "/list.txt", Destination=f"{ORIGIN}/Work/list.txt")
    ada.fetch("DELETE", "/Work/list.txt")
    rows = _rows(ada.go("/-/activity").text)
    assert [row[1] for row in rows] == [
        "list.txt was deleted; it is in the trash",
        "list.txt was moved from / to /Work",
        "plan.txt was renamed to list.txt",
        "plan.txt was replaced; the previous version is kept",
        "plan.txt was added",
        "Work was made",
    ]
    assert [row[2] for row in rows] == ["/Work", "/Work", "/", "/", "/", "/"]


def test_it_says_which_device_it_was(world: World) -> None:
    """The label of its password, a browser, or nothing where it is not known."""
    account = world.services.accounts.get(ADA)
    _, secret = world.services.accounts.devices.add(account, "Ada's <b>laptop")
    assert world.dav("PUT", "/a.txt", PASSWORD) == 201
    assert world.dav("PUT", "/a.txt", secret) == 204
    world.ada.fetch("DELETE", "/a.txt")
    page = world.ada.go("/-/activity").text
    assert [row[-1] for row in _rows(page)] == ["a browser", "Ada's <b>laptop", "not known"]
    assert "<b>" not in page


def test_the_steps_of_saving_are_one_change(world: World) -> None:
    """Word writes beside the document, renames both, and deletes the old one."""
    ada = world.ada
    ada.fetch("PUT", "/plan.txt", b"one")
    ada.fetch("PUT", "/~WRD0000.tmp", b"two")
    ada.fetch("MOVE", "/plan.txt", Destination=f"{ORIGIN}/~WRL0001.tmp")
    ada.fetch("MOVE", "/~WRD0000.tmp", Destination=f"{ORIGIN}/plan.txt")
    ada.fetch("DELETE", "/~WRL0001.tmp")
    assert ada.go("/plan.txt").data == b"two"
    assert [row[1] for row in _rows(ada.go("/-/activity").text)] == [
        "plan.txt was replaced; the previous version is kept",
        "plan.txt was added",
    ]


def test_people_see_only_their_own(world: World) -> None:
    """And administrators the last of all, with whose it is."""
    world.ada.fetch("PUT", "/diary.txt", b"secret words")
    world.boss.fetch("PUT", "/boss.txt", b"x")
    assert "boss.txt" not in world.ada.go("/-/activity").text
    assert "diary.txt" not in world.boss.go("/-/activity").text
    page = world.boss.go("/-/admin/activity").text
    assert [row[1:3] for row in _rows(page)] == [
        [BOSS, "boss.txt was added"],
        [ADA, "diary.txt was added"],
    ]
    assert "secret words" not in page
    assert world.ada.go("/-/admin/activity").status_code == 403


@pytest.mark.parametrize("url", ["/-/activity", "/-/admin/activity"])
def test_the_older_ones_are_on_the_next_page(
    world: World, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """Each once, also when most entries tell nothing."""
    monkeypatch.setattr(activity, "_BATCH", 4)
    monkeypatch.setattr(activity, "_ENOUGH", 3)
    for number in range(10):
        world.boss.fetch("PUT", f"/{number}.txt", b"x")
        world.boss.fetch("PUT", f"/~WRD{number:04}.tmp", b"x")
    names: list[str] = []
    next_: str | None = url
    pages = 0
    while next_ is not None:
        page = world.boss.go(next_).text
        names += [row[-3].partition(" ")[0] for row in _rows(page)]
        found = re.search(r'rel="next" href="([^"]*)"', page)
        next_ = html.unescape(found[1]) if found else None
        pages += 1
    assert names == [f"{number}.txt" for number in range(9, -1, -1)]
    assert pages > 1


@pytest.mark.parametrize("before", ["x", "-1", "9" * 30, "1.5", "\u0663"])
def test_a_wrong_number_is_no_error(world: World, before: str) -> None:
    """Whoever types one gets a page."""
    assert world.ada.go(f"/-/activity?before={before}").status_code == 200
    assert world.boss.go(f"/-/admin/activity?before={before}").status_code == 200


def test_names_in_it_are_just_names(world: World) -> None:
    """Also those that something was renamed to."""
    world.ada.fetch("PUT", "/%3Cb%3E%7B%7B7*7%7D%7D.txt", b"x")
    world.ada.fetch("MOVE", "/%3Cb%3E%7B%7B7*7%7D%7D.txt", Destination=f"{ORIGIN}/%3Ci%3E.txt")
    page = world.ada.go("/-/activity").text
    assert "<b>{" not in page
    assert "<i>" not in page
    assert _rows(page)[0][1] == "<b>{{7*7}}.txt was renamed to <i>.txt"


def _rows(page: str) -> list[list[str]]:
    """Read the cells of the table as people see them."""
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    rows = []
    for row in body.split("<tr>")[1:]:
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)
        rows.append([html.unescape(re.sub(r"<[^>]*>", "", cell)).strip() for cell in cells])
    return rows
