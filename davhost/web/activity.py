"""What happened, in plain words: in one's own home, and for administrators in all."""

from __future__ import annotations

from dataclasses import dataclass

import flask
from flask import Blueprint, request

from ..accounts.activity import Page
from ..catalogue.activity import Deed
from ..model import Kind
from ..paths import DavPath
from . import shown
from .context import admin_only, get_server_rules, get_signed_in, parts, signed_in_only

pages = Blueprint("activity", __name__, url_prefix="/-")

#: No number of an entry is longer.
_DIGITS_MAX = 18


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened, as people read it.

    Args:
        name: of what it happened to; *rest* goes on with the sentence.
        where: the folder that it was in.
        device: what it came from.
    """

    at_us: int
    owner: str
    name: str
    rest: str
    where: DavPath
    device: str


@pages.get("/activity")
@signed_in_only
def mine() -> str:
    """Show what happened in one's own home."""
    account = get_signed_in().account
    page = parts().accounts.activity.of(account, get_server_rules(), _number("before"))
    return _show("activity.html", page)


@pages.get("/admin/activity")
@admin_only
def overview() -> str:
    """Show what happened last in all homes: names, and nothing of what is in files."""
    skip = _number("before") or 0
    return _show("all_activity.html", parts().accounts.activity.latest(get_server_rules(), skip))


def _show(template: str, page: Page) -> str:
    lines = [_line(deed) for deed in page.deeds]
    return flask.render_template(template, lines=lines, older=page.next)


def _number(name: str) -> int | None:
    """Read a number of the URL; None for what is none."""
    text = request.args.get(name, "")
    return int(text) if text.isdecimal() and len(text) <= _DIGITS_MAX else None


def _line(deed: Deed) -> Line:
    path = DavPath.from_text(deed.path)
    name, rest = _words(deed, path)
    device = shown.device(deed.via)
    if deed.user_id == 0:
        device = "the server, tidying up"
    elif deed.user_id != deed.owner_id:
        device = "an administrator"
    return Line(deed.at_us, deed.owner, name, rest, path.parent, device)


def _words(deed: Deed, path: DavPath) -> tuple[str, str]:
    """Say what happened: to what, and the rest of the sentence."""
    if deed.verb == "unlock":
        name = "The top folder" if path.is_root else path.name
        return name, "was unlocked: its lock was broken"
    kept = "; the previous version is kept" if deed.kept else ""
    if deed.verb == "bind":
        made = "was made" if deed.kind is Kind.COLLECTION else "was added"
        return path.name, made
    if deed.verb == "unbind":
        return path.name, "was deleted" + ("; it is in the trash" if deed.departed else "")
    if deed.verb == "rebind":
        source = DavPath.from_text(deed.detail)
        if source.parent == path.parent:
            return source.name, f"was renamed to {path.name}"
        renamed = "" if source.name == path.name else f", as {path.name}"
        return source.name, f"was moved from {source.parent} to {path.parent}{renamed}"
    return path.name, f"was replaced{kept}" if kept else "was saved"
