"""The pages of an account in a real browser: joining, signing in, devices, leaving."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.live.chromium import CHROMIUM, VIEWS, Visitor, browser, folder_for_screenshots
from tests.live.dav import Account
from tests.live.server import Server

__all__ = ["browser"]

pytestmark = pytest.mark.needs(CHROMIUM)

PASSWORD = "a few words in a row"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on which invitations are taken."""
    home = tmp_path_factory.mktemp("web")
    settings = {"DAVHOST_REGISTRATION": "invitation", "DAVHOST_DURABILITY": "fast"}
    with Server(home / "data", home, workers=2, settings=settings) as running:
        yield running


@pytest.fixture
def visit(browser: Browser, web: Server) -> Iterator[Callable[..., Visitor]]:
    """Send people to the server; at the end none of them may have seen a fault."""
    visitors: list[Visitor] = []

    def make(**view: object) -> Visitor:
        visitors.append(Visitor(browser, web.url, **view))
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.leave()


def test_somebody_is_invited_and_joins(web: Server, visit: Callable[..., Visitor]) -> None:
    """An administrator makes a link on the page, a guest follows it and is in."""
    boss = web.add_user("boss")
    web.administer("user", "add", f"x{boss.email}", "--admin", "--password-stdin", stdin=PASSWORD)
    admin = visit()
    admin.sign_in(f"x{boss.email}", PASSWORD)
    admin.page.get_by_role("link", name="Administration").click()
    admin.page.get_by_role("link", name="Invitations").click()
    admin.page.get_by_role("button", name="Make a link").click()
    link = admin.page.locator("#link").inner_text()
    guest = visit()
    guest.page.goto(link)
    expect(guest.page.get_by_role("heading", level=1)).to_have_text("You are invited")
    guest.page.get_by_label("E-mail address").fill(f"guest-{boss.email}")
    guest.page.get_by_label("New password").fill(PASSWORD)
    guest.page.get_by_role("button", name="Make the account").click()
    expect(guest.page.get_by_role("heading", level=1)).to_have_text("Files")
    expect(guest.page.locator("header.top")).to_contain_text(f"guest-{boss.email}")


def test_a_link_leads_on_after_signing_in_by_keyboard(
    web: Server, visit: Callable[..., Visitor]
) -> None:
    """Nothing but keys, from the address to the folder that was asked for."""
    box = web.new_user("keys")
    assert box.account
    box.request("MKCOL", "/Letters/")
    visitor = visit()
    page = visitor.page
    page.goto("/Letters/")
    expect(page.get_by_label("E-mail address")).to_be_focused()
    page.keyboard.type(box.account.email)
    page.keyboard.press("Tab")
    page.keyboard.type(box.account.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Letters")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_a_device_gets_its_password_and_loses_it(
    web: Server, visit: Callable[..., Visitor], tmp_path: Path
) -> None:
    """The password that the page shows mounts the one folder, until it is removed."""
    box = web.new_user("device")
    assert box.account
    box.request("MKCOL", "/Films/")
    box.request("PUT", "/Films/a.txt", b"a film")
    visitor = visit()
    visitor.sign_in(box.account.email, box.account.password)
    page = visitor.page
    page.get_by_role("link", name="Devices").click()
    page.get_by_label("Name of the device").fill("Living room")
    page.get_by_label("What it is").select_option("rclone")
    page.get_by_label("What it sees").select_option("/Films")
    page.get_by_label("Only read").check()
    page.get_by_role("button", name="Make a password").click()
    password = page.locator("#secret").inner_text()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download rclone.conf").click()
    file = tmp_path / "rclone.conf"
    download.value.save_as(file)
    assert "[living-room]" in file.read_text()
    tv = web.dav(Account(box.account.email, password))
    assert tv.request("GET", "/a.txt").body == b"a film"
    assert tv.request("DELETE", "/a.txt").status == 403
    page.get_by_role("link", name="Devices", exact=True).click()
    expect(page.get_by_text("only /Films")).to_be_visible()
    page.get_by_role("button", name="Remove Living room").click()
    expect(page.get_by_role("status")).to_contain_text("signed out")
    assert tv.request("GET", "/a.txt").status == 401


def test_two_step_sign_in(web: Server, visit: Callable[..., Visitor]) -> None:
    """Turned on with a phone, asked for at the next browser."""
    account = web.add_user("phone")
    visitor = visit()
    visitor.sign_in(account.email, account.password)
    page = visitor.page
    page.goto("/-/account/two-step")
    phone = pyotp.TOTP(page.locator(".key").inner_text())
    page.get_by_role("textbox", name="Code").fill(phone.now())
    page.get_by_label("Your password").fill(account.password)
    page.get_by_role("button", name="Turn it on").click()
    recovery = page.locator(".recovery li").first.inner_text()
    elsewhere = visit()
    elsewhere.sign_in(account.email, account.password)
    elsewhere.page.get_by_role("textbox", name="Code").fill(recovery)
    elsewhere.page.get_by_role("button", name="Go on").click()
    expect(elsewhere.page.get_by_role("heading", level=1)).to_have_text("Files")


def test_somebody_leaves_with_everything(web: Server, visit: Callable[..., Visitor]) -> None:
    """After the question, account and files are gone."""
    box = web.new_user("leaver")
    assert box.account
    box.request("PUT", "/a.txt", b"x")
    visitor = visit()
    visitor.sign_in(box.account.email, box.account.password)
    page = visitor.page
    page.goto("/-/account/delete")
    expect(page.locator("main")).to_contain_text("1 file")
    page.get_by_label("E-mail address").fill(box.account.email)
    page.get_by_label("Password").fill(box.account.password)
    page.get_by_role("button", name="Delete everything").click()
    expect(page.get_by_role("status")).to_contain_text("is deleted")
    assert box.request("GET", "/a.txt").status == 401


def test_pages_fit_every_screen(web: Server, visit: Callable[..., Visitor], tmp_path: Path) -> None:
    """On phone and desktop, light and dark, no page is wider than its screen; with pictures."""
    box = web.new_user("looks", quota="10GB")
    assert box.account
    web.administer(
        "user", "add", f"x{box.account.email}", "--admin", "--password-stdin", stdin=PASSWORD
    )
    for url in ("/Letters/", "/Photos 2026/", "/Work/"):
        box.request("MKCOL", url.replace(" ", "%20"))
    names = ("Report.docx", "Budget for the whole family, second try.xlsx", "plan.pdf", "a" * 120)
    for name in names:
        box.request("PUT", "/" + name.replace(" ", "%20").replace(",", "%2C"), name.encode() * 999)
    web.administer("user", "app-password", "add", box.account.email, "--label", "Laptop")
    tv = ("--label", "Living room", "--folder", "/Photos 2026", "--read-only")
    web.administer("user", "app-password", "add", box.account.email, *tv)
    pictures = folder_for_screenshots(tmp_path)
    for name, view in VIEWS.items():
        visitor = visit(**view)
        visitor.page.goto("/-/sign-in")
        look(visitor.page, pictures / f"sign-in-{name}.png")
        visitor.sign_in(box.account.email, box.account.password)
        for title, url in PAGES.items():
            visitor.page.goto(url)
            look(visitor.page, pictures / f"{title}-{name}.png")
        visitor.page.goto("/-/devices")
        visitor.page.get_by_label("Name of the device").fill(f"Phone {name}")
        visitor.page.get_by_label("What it is").select_option(
            "phone" if "phone" in name else "davfs2"
        )
        visitor.page.get_by_role("button", name="Make a password").click()
        look(visitor.page, pictures / f"device-{name}.png")
    admin = visit()
    admin.sign_in(f"x{box.account.email}", PASSWORD)
    admin.page.goto("/-/invitations")
    admin.page.get_by_role("button", name="Make a link").click()
    look(admin.page, pictures / "invitations-desktop-light.png")


PAGES = {
    "files": "/",
    "account": "/-/account",
    "password": "/-/account/password",
    "two-step": "/-/account/two-step",
    "devices": "/-/devices",
    "delete": "/-/account/delete",
    "nothing": "/nothing",
}


def look(page: Page, picture: Path) -> None:
    """Take a picture, and see that nothing sticks out to the side."""
    page.screenshot(path=picture, full_page=True)
    widths = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    needed, there = page.evaluate(widths)
    assert needed <= there, f"{page.url} needs {needed} pixels of {there}"
    assert re.search(r"\S", page.title())
