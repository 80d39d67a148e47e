"""What every page is made with: the parts of the server, and who asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast
from urllib.parse import urlsplit

import flask
from flask import Flask, current_app, request
from werkzeug.wrappers import Response

from .. import browsing
from ..accounts import Accounts, SignedIn
from ..errors import Forbidden
from ..mail import Postman
from ..model import Principal, Rules
from ..paths import DavPath
from ..tree import Tree
from .forms import PASSWORD_HINT
from .options import PageOptions
from .vitals import Vitals

EXTENSION = "davhost"

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(frozen=True)
class Parts:
    """The parts of the server that pages ask."""

    accounts: Accounts
    tree_of: Callable[[Principal], Tree]
    options: PageOptions
    find_vitals: Callable[[], Vitals]
    postman: Postman | None


def parts() -> Parts:
    """The parts of the server that this request came to."""
    return cast(Parts, current_app.extensions[EXTENSION])


def find_signed_in() -> SignedIn | None:
    """The session of the browser that asks; None when it has not signed in."""
    return cast("SignedIn | None", request.environ[browsing.SESSION])


def get_signed_in() -> SignedIn:
    """The session of the browser that asks, on pages that `signed_in_only` guards."""
    signed_in = find_signed_in()
    if signed_in is None:
        raise LookupError("this page is not guarded by signed_in_only")
    return signed_in


def get_tree() -> Tree:
    """The home of the person who asks."""
    return parts().tree_of(get_signed_in().principal)


def get_server_rules() -> Rules:
    """The allow-list of homes that have none of their own."""
    return parts().accounts.server_rules(parts().options.rules)


def get_path() -> DavPath:
    """The path of the request."""
    return cast(DavPath, request.environ[browsing.PATH])


def get_path_below(segments: int = 2) -> DavPath:
    """The path of the resource that a page is about: what follows the page's own URL.

    Args:
        segments: how many the page's URL has.
    """
    return DavPath(get_path().names[segments:])


def get_address() -> str:
    """The address of the client."""
    return str(request.environ[browsing.ADDRESS])


def is_https() -> bool:
    """Whether the client's connection is https."""
    return bool(request.environ.get(browsing.HTTPS))


def signed_in_only(view: Callable[_P, _R]) -> Callable[_P, _R | Response]:
    """Let a page be seen by those who signed in, and send others to do so."""

    @wraps(view)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R | Response:
        if find_signed_in() is None:
            return to_sign_in()
        return view(*args, **kwargs)

    return guarded


def admin_only(view: Callable[_P, _R]) -> Callable[_P, _R | Response]:
    """Let a page be seen by administrators, and tell others that it is for them."""

    @signed_in_only
    @wraps(view)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        if not get_signed_in().account.admin:
            raise Forbidden("This page is for the administrators of this server.")
        return view(*args, **kwargs)

    return guarded


def to_sign_in() -> Response:
    """Send the browser to the sign-in, and afterwards back to where it is now."""
    here = None
    if request.method in ("GET", "HEAD"):
        here = href(get_path(), collection=request.path.endswith("/"))
        if request.query_string:
            here += "?" + request.query_string.decode("latin-1")
        here = None if here == href(DavPath(), collection=True) else here
    return flask.redirect(flask.url_for("signing_in.sign_in", next=here), 303)


def local_url(url: str | None) -> str:
    """Take *url* only if it leads to this server, else the top folder.

    Browsers read ``/\\host`` and ``//host`` as another host, and skip tabs and
    line ends before they look.
    """
    top = href(DavPath(), collection=True)
    if not url or not url.startswith("/") or url[1:2] in ("/", "\\"):
        return top
    if any(ord(c) <= 32 or ord(c) == 127 for c in url) or "\\" in url:
        return top
    parts_ = urlsplit(url)
    return top if parts_.scheme or parts_.netloc else url


def href(path: DavPath, *, collection: bool) -> str:
    """Write the URL path of a resource as the browser can ask for it."""
    return str(request.script_root) + path.href(collection=collection)


def path_url(endpoint: str, path: DavPath, **values: Any) -> str:
    """Write the URL path of a page that is about the resource at *path*."""
    page = flask.url_for(endpoint, rest="x", **values)
    return page.removesuffix("x") + path.href(collection=False)[1:]


def host() -> str:
    """The name of the server as people type it, for programs that list many."""
    return str(urlsplit(base_url()).netloc)


def base_url() -> str:
    """The address of the server as people type it, with a slash at the end."""
    if parts().options.public_url is not None:
        return str(parts().options.public_url)
    scheme = "https" if is_https() else "http"
    return f"{scheme}://{request.host}{request.script_root}/"


def page_url(endpoint: str, **values: Any) -> str:
    """Write the whole URL of a page, for a mail or to be passed on."""
    return base_url().removesuffix("/") + flask.url_for(endpoint, **values).removeprefix(
        request.script_root
    )


def add_to(app: Flask) -> None:
    """Tell templates who asks, and how to write URLs of resources."""

    @app.context_processor
    def _names() -> dict[str, Any]:
        return {
            "signed_in": find_signed_in(),
            "href": href,
            "path_url": path_url,
            "root": DavPath(),
            "options": parts().options,
            "server_rules": get_server_rules,
            "PASSWORD_HINT": PASSWORD_HINT,
        }
