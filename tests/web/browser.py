"""What a browser does, without one: cookies, navigations, forms, fetches of a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from html.parser import HTMLParser
from typing import Any

from werkzeug.test import Client, TestResponse

Wsgi = Callable[..., Iterable[bytes]]

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
NAVIGATION = {
    "User-Agent": FIREFOX,
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "none",
}
FETCH = {
    "User-Agent": FIREFOX,
    "Accept": "*/*",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Site": "same-origin",
}


class Browser:
    """One browser with its cookies.

    Args:
        origin: the address of the server as it is typed.
        address: where the browser's requests come from.
    """

    def __init__(
        self, app: Wsgi, *, origin: str = "https://drive.example.org", address: str = "192.0.2.9"
    ) -> None:
        self.client = Client(app)
        self.origin = origin
        self._environ = {"REMOTE_ADDR": address}

    def go(self, url: str, **headers: str) -> TestResponse:
        """Navigate to *url*, without following redirects."""
        return self._send("GET", url, NAVIGATION | _spelled(headers))

    def submit(self, url: str, /, page: str | None = None, **fields: Any) -> TestResponse:
        """Fill in the form of *page* (*url* if it is not said) and send it to *url*.

        A field of files is a list of their contents and names.
        """
        shown = self.go(page or url)
        hidden = hidden_fields(shown.text, url)
        sent = NAVIGATION | {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        return self._send("POST", url, sent, data=hidden | fields)

    def post(self, url: str, /, data: dict[str, str] | None = None, **headers: str) -> TestResponse:
        """Send a form that no page of this browser has shown."""
        return self._send("POST", url, NAVIGATION | _spelled(headers), data=data or {})

    def fetch(
        self, method: str, url: str, body: bytes = b"", *, token: str | None = None, **headers: str
    ) -> TestResponse:
        """Ask as a script of a page does; *token* is the page's own if it is not said."""
        if token is None:
            token = self.csrf_token()
        marked = FETCH | ({"X-CSRF-Token": token} if token else {})
        return self._send(method, url, marked | _spelled(headers), data=body)

    def csrf_token(self) -> str:
        """The token that pages of the session carry."""
        found = re.search(r'<meta name="csrf-token" content="([^"]*)">', self.go("/").text)
        assert found, "no page of a session"
        return found[1]

    def sign_in(self, email: str, password: str, next_: str = "") -> TestResponse:
        """Fill in the form for it."""
        return self.submit("/-/sign-in", email=email, password=password, next=next_)

    def cookie(self) -> str | None:
        """The token of the session."""
        for name in ("__Host-davhost", "davhost"):
            found = self.client.get_cookie(name, self.origin.partition("://")[2].partition(":")[0])
            if found is not None:
                return found.value
        return None

    def _send(self, method: str, url: str, headers: dict[str, str], **how: Any) -> TestResponse:
        return self.client.open(
            url,
            method=method,
            base_url=self.origin,
            headers=headers,
            environ_overrides=self._environ,
            buffered=True,
            **how,
        )


def hidden_fields(html: str, action: str) -> dict[str, str]:
    """Read the hidden fields of the form that is sent to *action*."""
    reader = _Forms()
    reader.feed(html)
    path = action.partition("?")[0]
    assert path in reader.forms, f"no form for {path} among {list(reader.forms)}"
    return reader.forms[path]


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self._open: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = self.forms.setdefault(given.get("action", "").partition("?")[0], {})
        elif tag == "input" and given.get("type") == "hidden":
            self._open[given["name"]] = given.get("value", "")


def _spelled(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
