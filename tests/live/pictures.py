"""The pictures of README, taken anew: ``python -m tests.live.pictures docs/pictures``."""

from __future__ import annotations

import io
import math
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.live.chromium import Visitor, chromium
from tests.live.dav import Account, href
from tests.live.server import Server

_PASSWORD = "correct horse battery staple"
_DESKTOP = {"width": 1120, "height": 770}
_PHONE = {"width": 390, "height": 780}

#: Who else is on the server: the address, the quota, how much is used.
_PEOPLE = (
    ("grace@example.org", "20GB", 14_000_000),
    ("alan@example.org", "20MB", 18_700_000),
    ("katherine@example.org", None, 3_400_000),
)


def main(folder: Path) -> None:
    """Take all of them on a server of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, chromium() as browser:
        address = {"DAVHOST_PUBLIC_URL": "https://drive.example.org/"}
        with Server(Path(home) / "data", Path(home), settings=address) as server:
            ada = _add(server, "ada@example.org", "10MB", "--admin")
            _fill(server, ada)
            for email, quota, used_bytes in _PEOPLE:
                account = _add(server, email, quota)
                server.dav(account).put("/Archive.zip", b"x" * used_bytes)

            def take(name: str, url: str, then: Callable[[Page], object], **view: Any) -> None:
                _take(browser, server, ada, folder / f"{name}.png", url, then, **view)

            take("files", "/", _see_thumbnails, viewport=_DESKTOP)
            take("files-phone", "/", _see_thumbnails, viewport=_PHONE, color_scheme="dark")
            take("device", "/-/devices", _make_kit, viewport=_DESKTOP)
            take("administration", "/-/admin/users", lambda _: None, viewport=_DESKTOP)


def _add(server: Server, email: str, quota: str | None, *more: str) -> Account:
    command = ["user", "add", email, "--password-stdin", "--allow", "*", *more]
    server.administer(*command, *(("--quota", quota) if quota else ()), stdin=_PASSWORD + "\n")
    return Account(email, _PASSWORD)


def _fill(server: Server, account: Account) -> None:
    dav = server.dav(account)
    for name in ("Invoices", "Letters", "Photos 2026"):
        dav.make_collection(href(name) + "/")
    files = {
        "Budget.xlsx": b"x" * 48_213,
        "Contract.pdf": b"%PDF-1.4" + b"x" * 320_400,
        "Minutes of the meeting.docx": b"x" * 91_000,
        "Morning by the lake.jpg": _landscape((255, 196, 140), (86, 122, 168), (38, 62, 74)),
        "Notes.txt": b"Milk\nBread\n" * 300,
        "Song.mp3": b"x" * 4_100_000,
        "The hills.jpg": _landscape((206, 228, 242), (120, 168, 196), (52, 94, 62)),
    }
    for name, content in files.items():
        dav.put(href(name), content)


def _landscape(high: tuple[int, ...], low: tuple[int, ...], ground: tuple[int, ...]) -> bytes:
    """Paint a sky above hills."""
    width, height = 480, 320
    image = Image.new("RGB", (width, height))
    for x in range(width):
        edge = int(height * (0.62 + 0.1 * math.sin(x / 60) + 0.03 * math.sin(x / 17)))
        for y in range(height):
            part = y / edge
            sky = tuple(int(a + (b - a) * part) for a, b in zip(low, high, strict=True))
            image.putpixel((x, y), ground if y > edge else sky)
    written = io.BytesIO()
    image.save(written, "JPEG", quality=90)
    return written.getvalue()


def _see_thumbnails(page: Page) -> None:
    page.wait_for_selector("#files[data-ready]")
    for image in page.locator("img.thumbnail").all():
        expect(image).to_have_js_property("naturalWidth", 96)


def _make_kit(page: Page) -> None:
    page.get_by_label("Name of the device").fill("Laptop")
    page.get_by_label("What it is").select_option("windows")
    page.get_by_role("button", name="Make a password").click()
    page.get_by_role("heading", level=1, name="Laptop").wait_for()


def _take(
    browser: Browser,
    server: Server,
    account: Account,
    picture: Path,
    url: str,
    then: Callable[[Page], object],
    **view: Any,
) -> None:
    where = {"locale": "en-GB", "timezone_id": "Europe/Berlin", "device_scale_factor": 1.5}
    visitor = Visitor(browser, server.url, **(where | view))
    visitor.sign_in(account.email, account.password)
    visitor.page.goto(url)
    then(visitor.page)
    shot = Image.open(io.BytesIO(visitor.page.screenshot()))
    visitor.leave()
    # 128 colours are enough for pages, and a quarter of the bytes.
    shot.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(picture, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
