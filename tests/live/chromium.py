"""Debian's Chromium, driven by Playwright, against a real server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 60_000

#: What people look at pages with.
VIEWS = {
    "desktop-light": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "desktop-dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "phone-light": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
    "phone-dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}

expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=["--no-sandbox"], timeout=PATIENCE_MS
        )
        try:
            yield browser
        finally:
            browser.close()


class Visitor:
    """One person at one browser, who minds every fault that a page has.

    What the console says of a page (a refused script or style, an exception) is
    a failure of the test.
    """

    def __init__(self, browser: Browser, url: str, **view: object) -> None:
        options = VIEWS["desktop-light"] | view
        self.context: BrowserContext = browser.new_context(base_url=url, **options)  # type: ignore[arg-type]
        self.context.set_default_timeout(PATIENCE_MS)
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._listen)

    def _listen(self, message: object) -> None:
        text = str(getattr(message, "text", ""))
        # A refusal that the page shows is also said here; that is no fault of the page.
        if getattr(message, "type", "") == "error" and "Failed to load resource" not in text:
            self.faults.append(text)

    def sign_in(self, email: str, password: str) -> None:
        """Fill in the form."""
        self.page.goto("/")
        self.page.get_by_label("E-mail address").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()

    def leave(self) -> None:
        """Close the browser; it must have had nothing to complain about."""
        self.context.close()
        assert self.faults == []


def folder_for_screenshots(otherwise: Path) -> Path:
    """Where pictures go: DAVHOST_TEST_SCREENSHOTS, or where nobody keeps them."""
    folder = Path(os.environ.get("DAVHOST_TEST_SCREENSHOTS") or otherwise)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the tests of a module."""
    with chromium() as started:
        yield started
