"""Who holds how much, for administrators."""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from davhost.accounts.storage import Report
from davhost.bootstrap.services import Services
from davhost.bootstrap.wsgi import build_app
from davhost.catalogue.storage import DayUse, Use
from davhost.web.storage import HEIGHT, chart
from tests.web.browser import Browser
from tests.web.conftest import PASSWORD, running

BOSS, ADA = "boss@example.org", "ada@example.org"
URL = "/-/admin/storage"
DAY_US = 86_400_000_000


class World:
    """A server with an administrator and one more person, who have signed in."""

    def __init__(self, services: Services) -> None:
        self.services = services
        app = build_app(services)
        self.boss, self.ada = Browser(app), Browser(app)
        for browser, email in ((self.boss, BOSS), (self.ada, ADA)):
            quota_bytes = 10_000 if email == ADA else None
            services.accounts.register(
                email, PASSWORD, quota_bytes=quota_bytes, admin=email == BOSS
            )
            assert browser.sign_in(email, PASSWORD).status_code == 303

    def write(self, days_ago: int, used_bytes: int) -> None:
        """Write down what Ada held some days ago, and that the other one held nothing."""
        today = self.services.clock.now_us() // DAY_US
        accounts = (self.services.accounts.get(email) for email in (ADA, BOSS))
        uses = [
            Use(account.space_id, used_bytes if account.email == ADA else 0, 0, 1)
            for account in accounts
        ]
        with self.services.catalogue.upkeep(writes=True) as upkeep:
            upkeep.storage.write(today - days_ago, uses)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A server."""
    with running(tmp_path / "instance") as services:
        yield World(services)


def test_administrators_see_what_everybody_holds(world: World) -> None:
    """In all and for each, who holds most first, with the growth as far as it is known."""
    world.write(10, 400)
    world.write(7, 500)
    world.write(1, 6000)
    world.ada.fetch("PUT", "/a.txt", b"x" * 2000)
    world.ada.fetch("PUT", "/a.txt", b"x" * 3000)
    page = world.boss.go(URL).text
    assert "3 kB in 1 file" in page
    assert "10 kB promised; 1 account has no limit" in page
    rows = _rows(page.rpartition("<tbody>")[2])
    assert rows[0][1:] == ["1", "3 kB", "10 kB", "2 kB", "−1 kB", "+4.5 kB", "+5 kB"]
    assert rows[1][1:] == ["0", "0 B", "no limit", "0 B", "0 B", "0 B", "0 B"]
    days = _rows(page.partition("<tbody>")[2].partition("</tbody>")[0])
    assert len(days) == 12  # one for each day, also for those on which nothing was written
    assert days[0] == ["now", "1", "3 kB", "2 kB"]
    assert days[-1][1:] == ["2", "400 B", "0 B"]


def test_nobody_else_sees_it(world: World) -> None:
    """Neither what others hold nor how much room there is."""
    assert world.ada.go(URL).status_code == 403


def test_before_the_first_day_there_is_no_chart(world: World) -> None:
    """But how much there is now; growth is not guessed."""
    before = world.services.clock.now_us() - 5 * DAY_US
    for email in (BOSS, ADA):
        account = world.services.accounts.get(email)
        with world.services.catalogue.people(writes=True) as people:
            people.change(account.id, created_us=before)
    page = world.boss.go(URL).text
    assert "has not been yet" in page
    assert "<svg" not in page
    assert "not known yet" in page


def test_bars_stand_on_the_ground_and_fill_the_height(world: World) -> None:
    """The highest is as high as the chart, and none is negative."""
    report: Report = world.services.accounts.storage.report(30)
    history = report.histories[0]
    space_id = history.account.space_id
    days = [DayUse(report.today - 1, Use(space_id, 100, 100, 1))]
    days.append(DayUse(report.today, Use(space_id, 300, 100, 1)))
    old = history.account._replace(created_us=0)
    history = replace(history, account=old, days=days, now=Use(space_id, 0, 0, 0))
    bars = chart(replace(report, histories=[history])).bars
    assert [(bar.used_y, bar.used_height, bar.kept_y, bar.kept_height) for bar in bars] == [
        (HEIGHT * 3 / 4, HEIGHT / 4, HEIGHT / 2, HEIGHT / 4),
        (HEIGHT / 4, HEIGHT * 3 / 4, 0, HEIGHT / 4),
        (HEIGHT, 0, HEIGHT, 0),
    ]
    assert [second.x - first.x for first, second in itertools.pairwise(bars)] == [20, 20]


def _rows(body: str) -> list[list[str]]:
    """Read the cells of a table as people see them."""
    rows = []
    for row in body.split("<tr>")[1:]:
        cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)
        rows.append([html.unescape(re.sub(r"<[^>]*>", "", cell)).strip() for cell in cells])
    return rows
