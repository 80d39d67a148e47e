"""What programs have locked, in one's own home and for administrators in all; breaking it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from html.parser import HTMLParser

import flask
from flask import Blueprint, request
from werkzeug.wrappers import Response

from ..accounts import NoSuchAccount
from ..errors import LockTokenMismatch, NotFound
from ..model import BROWSER, Principal
from .context import admin_only, get_signed_in, parts, signed_in_only

log = logging.getLogger("davhost.web")

pages = Blueprint("locks", __name__, url_prefix="/-")

#: How many locks a page shows.
_SHOWN_MAX = 200

#: How much is shown of what a program calls its user.
_OWNER_CHARACTERS_MAX = 100


@pages.get("/locks")
@signed_in_only
def mine() -> str:
    """Show what is locked in one's own home."""
    account = get_signed_in().account
    open_ = parts().accounts.locks.of(account, _SHOWN_MAX)
    return flask.render_template("locks.html", open=open_, words=words)


@pages.post("/locks/break")
@signed_in_only
def break_mine() -> Response:
    """Break a lock in one's own home."""
    return _break(get_signed_in().principal, "locks.mine")


@pages.get("/admin/locks")
@admin_only
def overview() -> str:
    """Show administrators what is locked in all homes: names, and nothing of what is in files."""
    open_ = parts().accounts.locks.everywhere(_SHOWN_MAX)
    return flask.render_template("all_locks.html", open=open_, words=words)


@pages.post("/admin/locks/break")
@admin_only
def break_any() -> Response:
    """Break a lock in the home of an account.

    Raises:
        NotFound: there is no such account.
    """
    admin = get_signed_in().account
    try:
        owner = parts().accounts.principal(request.form.get("owner", ""))
    except NoSuchAccount:
        raise NotFound("There is no such account. It may have been deleted.") from None
    log.info("administrator %s breaks a lock of %s", admin.email, owner.email)
    return _break(owner._replace(user_id=admin.id, via=BROWSER), "locks.overview")


def _break(principal: Principal, page: str) -> Response:
    token = request.form.get("token", "").replace("\0", "")  # PostgreSQL cannot compare it
    try:
        parts().tree_of(principal).break_lock(token)
    except LockTokenMismatch:
        flask.flash("That lock has ended already.")
    else:
        flask.flash("The lock is broken. Others can change the file now.")
    return flask.redirect(flask.url_for(page), 303)


def words(owner_xml: str) -> str:
    """Read what a program wrote about who locks, without its markup; it may be empty.

    Source: DAV:owner, RFC 4918 section 14.17.
    """
    found: list[str] = []
    reader = _Text(found.append)
    reader.feed(owner_xml)
    reader.close()
    text = " ".join(" ".join(found).split())
    longer = len(text) > _OWNER_CHARACTERS_MAX
    return text[: _OWNER_CHARACTERS_MAX - 1] + "…" if longer else text


class _Text(HTMLParser):
    """Tells the text between tags, whatever they are."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__()
        self._tell = tell

    def handle_data(self, data: str) -> None:
        """Tell it."""
        self._tell(data)
