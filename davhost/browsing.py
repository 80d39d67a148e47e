"""What a request says of a browser: where it comes from, its session, its page.

Browsers and WebDAV programs share one URL. A program must never get a sign-in
page, and a site elsewhere must never act with a person's cookie; the questions
that decide both are asked here, and what browsers save files as. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import quote

Environ = Mapping[str, Any]

#: Keys of the environ: whether the client's connection is https, the path of the
#: request as a `DavPath`, the session of the browser, the client's address, and
#: the id under which the log has the request.
HTTPS = "davhost.https"
PATH = "davhost.path"
SESSION = "davhost.session"
ADDRESS = "davhost.client_address"
REQUEST_ID = "davhost.request_id"
#: A dict that all requests of a connection share, where the HTTP server keeps one.
CONNECTION = "davhost.connection"

#: The header in which our pages send the session's token with every request.
CSRF_HEADER = "X-CSRF-Token"
_CSRF_KEY = "HTTP_X_CSRF_TOKEN"

#: The first segment of the URLs of pages.
PAGES = "-"

#: Of the engines behind every browser. Programs that call themselves Mozilla too
#: (below), and those that do not, are asked to sign in as WebDAV programs are.
_BROWSER = re.compile(r"Mozilla/5\.0 \(.*(Gecko/|AppleWebKit/)", re.DOTALL)
_NO_BROWSER = re.compile(
    r"KIO/|Konqueror|ms-office|MSOffice|Microsoft|WebDAV|DAVfs|gvfs|compatible;", re.IGNORECASE
)

#: No browser sends one of these by itself: Windows says Translate, the others DAV.
_DAV_HEADERS = ("HTTP_DEPTH", "HTTP_TRANSLATE", "HTTP_IF", "HTTP_DESTINATION", "HTTP_LOCK_TOKEN")


def is_navigation(environ: Environ) -> bool:
    """Whether a person's browser asks for a page to show.

    Browsers say so in Sec-Fetch-Mode, but only over https and to this machine
    itself; over plain http it is their name that tells. A request with
    credentials of its own is a program's, or a browser's that once signed in
    as one.
    """
    if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
        return False
    if "HTTP_AUTHORIZATION" in environ or any(header in environ for header in _DAV_HEADERS):
        return False
    if "text/html" not in str(environ.get("HTTP_ACCEPT") or ""):
        return False
    mode = environ.get("HTTP_SEC_FETCH_MODE")
    if mode is not None:
        return str(mode) == "navigate"
    agent = str(environ.get("HTTP_USER_AGENT") or "")
    return _BROWSER.match(agent) is not None and _NO_BROWSER.search(agent) is None


def is_cross_site(environ: Environ) -> bool:
    """Whether a browser says that another site makes this request.

    Where there is no Sec-Fetch-Site, Origin is compared with Host.
    """
    site = environ.get("HTTP_SEC_FETCH_SITE")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = environ.get("HTTP_ORIGIN")
    if origin is None:
        return False
    hosts = (environ.get("HTTP_HOST"), environ.get("HTTP_X_FORWARDED_HOST"))
    return _host(str(origin).partition("://")[2]) not in {_host(str(h)) for h in hosts if h}


def is_script(environ: Environ) -> bool:
    """Whether a page waits for the answer: it must not make the browser ask for a password.

    A navigation may: a browser that once signed in as programs do would have no
    other way to forget a password that was changed.
    """
    mode = environ.get("HTTP_SEC_FETCH_MODE", "navigate")
    return _CSRF_KEY in environ or mode != "navigate"


def csrf_token(environ: Environ) -> str:
    """Read the token with which a page proves itself; empty when there is none."""
    return str(environ.get(_CSRF_KEY) or "")


def cookie_name(name: str, *, https: bool) -> str:
    """Name a cookie; over https no other host and no plain http can set it (RFC 6265bis)."""
    return f"__Host-{name}" if https else name


def session_cookie(environ: Environ) -> str:
    """The name of the cookie that holds the token of the session."""
    return cookie_name("davhost", https=bool(environ.get(HTTPS)))


def session_token(environ: Environ) -> str:
    """Read the token of the session; empty when there is none."""
    try:
        cookies = SimpleCookie(str(environ.get("HTTP_COOKIE") or ""))
    except CookieError:
        return ""
    found = cookies.get(session_cookie(environ))
    return found.value if found is not None else ""


def attachment(name: str) -> str:
    """Write the Content-Disposition that saves under *name* (RFC 6266, RFC 8187)."""
    fallback = re.sub(r"[^ !#-$&-\[\]-~]", "_", name)
    encoded = quote(name, safe="!#$&+-.^_`|~")
    return f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{encoded}"


def _host(authority: str) -> str:
    """Take the port off where it is the default: proxies leave it out."""
    return re.sub(r":(80|443)?$", "", authority.strip().lower())
