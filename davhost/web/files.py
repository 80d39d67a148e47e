"""The page of a collection: what is in it."""

from __future__ import annotations

import flask
from flask import Blueprint
from werkzeug.wrappers import Response

from .. import browsing
from ..errors import NotFound
from ..tree import Entry
from .context import get_path, get_tree, signed_in_only
from .shown import SENTENCES

pages = Blueprint("files", __name__)


@pages.get("/", defaults={"rest": ""})
@pages.get("/<path:rest>")
@signed_in_only
def collection(rest: str) -> str | Response:  # noqa: ARG001 - the path was parsed already
    """Show what is in a collection.

    Raises:
        NotFound: nothing is there.
    """
    path = get_path()
    if path.names[:1] == (browsing.PAGES,):
        raise NotFound(SENTENCES[404])
    listing = get_tree().listing(path, depth=1, dead=False, locks=False)
    members = sorted((e for e in listing.entries if e.path != path), key=_order)
    return flask.render_template("files.html", path=path, members=members, space=listing.space)


def _order(entry: Entry) -> tuple[bool, str]:
    """Folders first, then by name without regard to case."""
    return not entry.resource.is_collection, entry.path.name.casefold()
