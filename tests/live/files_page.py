"""The files page as a person sees it in Chromium, and what to look at in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.live.chromium import Visitor
from tests.live.dav import Account, Dav, href
from tests.live.server import Server

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}

#: What axe must not find: every rule of WCAG 2.2 A and AA, and what it calls best practice.
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


class Desk(Visitor):
    """Somebody who has signed in, and looks at the files."""

    def __init__(self, browser: Browser, url: str, account: Account, **view: Any) -> None:
        zone = {"locale": "en-GB", "timezone_id": "Europe/Berlin", "viewport": DESKTOP}
        super().__init__(browser, url, **(zone | view))
        self.sign_in(account.email, account.password)
        self.page.wait_for_selector("#files[data-ready]")

    def go(self, path: str) -> None:
        """Open a folder, and wait until its scripts are there."""
        self.page.goto(path)
        self.page.wait_for_selector("#files[data-ready]")

    def names(self) -> list[str]:
        """The names that are listed, in their order."""
        return self.page.locator(".listing tbody .name a").all_inner_texts()

    def row(self, name: str) -> Any:
        """The row of a name."""
        link = self.page.locator(".name bdi").get_by_text(name, exact=True)
        return self.page.locator(".listing tbody tr").filter(has=link)

    def said(self) -> Any:
        """Where the page says what happened."""
        return self.page.locator(".said")


class Home:
    """A new account with an empty home: seen by a program, and in a browser."""

    def __init__(self, dav: Dav, desk: Desk) -> None:
        self.dav = dav
        self.desk = desk
        self.page = desk.page
        self.panel = desk.page.get_by_role("region", name="Uploads")


@pytest.fixture
def open_home(server: Server, browser: Browser) -> Iterator[Callable[..., Home]]:
    """Make an account with some files and sign in; in the end no page has had a fault."""
    homes: list[Home] = []

    def make(
        files: dict[str, bytes | None] | None = None, *, on: Server | None = None, **options: Any
    ) -> Home:
        where = on or server
        limits = {key: options.pop(key) for key in ("quota", "allow") if key in options}
        dav = where.new_user("person", **limits)
        for name, content in (files or {}).items():
            if content is None:
                dav.make_collection(href(name) + "/")
            else:
                dav.put(href(name), content)
        assert dav.account is not None
        homes.append(Home(dav, Desk(browser, where.url, dav.account, **options)))
        return homes[-1]

    yield make
    for home in homes:
        home.desk.leave()


def accessibility_faults(page: Page) -> list[str]:
    """List what axe finds wrong with a page as it stands, each with where it is."""
    found = Axe().run(page, options=_RULES).response["violations"]
    return [f"{v['id']}: {[n['html'][:200] for n in v['nodes'][:3]]}" for v in found]


def shoot(page: Page, name: str) -> None:
    """Write what a page looks like, light and dark, on a desktop and on a phone.

    To the folder in DAVHOST_TEST_SCREENSHOTS; nowhere if nobody wants to look.
    """
    wanted = os.environ.get("DAVHOST_TEST_SCREENSHOTS")
    if not wanted:
        return
    target = Path(wanted)
    target.mkdir(parents=True, exist_ok=True)
    before = page.viewport_size
    for device, size in (("desktop", DESKTOP), ("phone", PHONE)):
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.screenshot(path=target / f"{name}-{device}-{scheme}.png")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(before or DESKTOP)
