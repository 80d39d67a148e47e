"""The page of a collection: what is in it.

Whoever has no scripts can look, sort and download. The modules in
``static/files`` take the page from there, and speak WebDAV.
"""

from __future__ import annotations

from collections.abc import Callable

import flask
from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as AnyResponse

from .. import browsing, names
from ..errors import NotFound
from ..paths import DavPath
from ..tree import Entry
from . import file_types, safety
from .context import get_path, get_tree, signed_in_only
from .shown import SENTENCES

pages = Blueprint("files", __name__)

#: A page of thousands takes long to send and to lay out: scripts fetch the rest
#: by PROPFIND, and who has none asks for all of them.
ROWS_MAX = 200

#: What programs see of versions and trash; people have pages for both.
_HIDDEN_AT_TOP = ".davhost"

#: As ``static/files/listing.js`` sorts.
_KEYS: dict[str, Callable[[Entry], object]] = {
    "name": lambda entry: entry.name.casefold(),
    "size": lambda entry: entry.resource.size_bytes,
    "modified": lambda entry: entry.resource.modified_us,
}

#: Our own scripts may show a document that they fetched, in the browser's viewer.
_POLICY = f"{safety.POLICY}; frame-src blob:"


@pages.get("/", defaults={"rest": ""})
@pages.get("/<path:rest>")
@signed_in_only
def collection(rest: str) -> Response | AnyResponse:  # noqa: ARG001 - the path was parsed already
    """Show what is in a collection.

    Raises:
        NotFound: nothing is there.
    """
    path = get_path()
    if path.names[:1] == (browsing.PAGES,):
        raise NotFound(SENTENCES[404])
    tree = get_tree()
    listing = tree.listing(path, depth=1, dead=False, locks=False)
    sort, down = _order()
    below = [entry for entry in listing.entries if not is_other_page(path, entry.path)]
    members = _sorted([entry for entry in below if not _is_for_programs(entry)], sort, down)
    shown = members if request.args.get("show") == "all" else members[:ROWS_MAX]
    page = flask.render_template(
        "files.html",
        path=path,
        members=shown,
        total=len(members),
        hidden=len(below) - len(members),
        sort=sort,
        down=down,
        space=listing.space,
        rules=tree.rules(listing.space),
        type_of=file_types.type_of,
        types=file_types.EXTENSIONS,
    )
    return Response(page, headers={"Content-Security-Policy": _POLICY})


def _order() -> tuple[str, bool]:
    """Read from the query what to sort by, and whether the other way round."""
    sort = request.args.get("sort", "name")
    return sort if sort in _KEYS else "name", request.args.get("order") == "down"


def _sorted(members: list[Entry], sort: str, down: bool) -> list[Entry]:
    """Sort, folders first whichever way."""
    members.sort(key=_KEYS["name"])  # type: ignore[arg-type]
    members.sort(key=_KEYS[sort], reverse=down)  # type: ignore[arg-type]
    members.sort(key=lambda entry: not entry.resource.is_collection)
    return members


def is_other_page(collection_path: DavPath, path: DavPath) -> bool:
    """Whether what the listing of a collection has at *path* is shown by another page."""
    if path == collection_path:
        return True
    return collection_path.is_root and path.name == _HIDDEN_AT_TOP


def _is_for_programs(entry: Entry) -> bool:
    return names.is_for_programs(entry.resource.name, entry.resource.kind)
