"""The way back, for people: what was deleted, and what a file held before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import flask
from flask import Blueprint, request
from werkzeug.wrappers import Response

from ..errors import NotFound, Refused
from ..model import Departed
from ..paths import DavPath
from ..tree import Tree
from . import file_types
from .context import get_path_below, get_tree, path_url, signed_in_only
from .downloads import saved_as

pages = Blueprint("trash", __name__, url_prefix="/-")

ROWS_MAX = 100


@pages.get("/trash")
@signed_in_only
def page() -> str:
    """Show some of what was deleted and can come back, the last one first."""
    first = max(0, request.args.get("first", 0, type=int))
    departed = get_tree().trash(first, ROWS_MAX + 1)
    return flask.render_template(
        "trash.html",
        departed=departed[:ROWS_MAX],
        first=first,
        newer=max(0, first - ROWS_MAX) if first else None,
        older=first + ROWS_MAX if len(departed) > ROWS_MAX else None,
        type_of=file_types.type_of,
    )


@pages.get("/trash/<int:number>")
@signed_in_only
def download(number: int) -> Response:
    """Send a file of the trash, to be saved.

    Raises:
        NotFound: it is not there any more, or is a folder.
    """
    departed = get_tree().get_departed(number)
    if departed.resource.is_collection:
        raise NotFound("A folder of the trash can only be restored.")
    return saved_as(get_tree(), departed.resource, departed.name)


@pages.post("/trash")
@signed_in_only
def restore() -> Response:
    """Put one thing back."""
    path = get_tree().restore_departed(request.form.get("id", 0, type=int))
    flask.flash(f"“{path.name}” is back in {_called(path.parent)}.")
    first = request.args.get("first", 0, type=int)
    return flask.redirect(flask.url_for("trash.page", first=first or None), 303)


@pages.post("/restore")
@signed_in_only
def undo() -> tuple[str, int] | str:
    """Put back what was deleted last at some paths: the page's own undo.

    Answers one sentence of plain text, for the page to show.
    """
    tree = get_tree()
    try:
        wanted = [DavPath.from_text(text) for text in request.form.getlist("path")]
        for departed in _last_at(tree, wanted):
            tree.restore_departed(departed.resource.id)
    except Refused as refused:
        return refused.sentence or refused.phrase, refused.status
    return "Restored."


@pages.get("/versions/<path:rest>")
@signed_in_only
def versions(rest: str) -> str:  # noqa: ARG001 - the path was parsed already
    """Show what a file held before."""
    tree, path = get_tree(), get_path_below()
    resource = tree.find(path)
    if resource is None or resource.is_collection:
        raise NotFound("There is no such file. It may have been moved or deleted.")
    return flask.render_template(
        "versions.html", path=path, resource=resource, versions=tree.versions(path)
    )


@pages.get("/version/<int:number>/<path:rest>")
@signed_in_only
def download_version(number: int, rest: str) -> Response:  # noqa: ARG001 - see get_path_below
    """Send what a file held before, to be saved under a name that says when it was written."""
    tree, path = get_tree(), get_path_below(3)
    content = tree.get_version(path, number)
    at = datetime.fromtimestamp(content.modified_us // 1_000_000, UTC)
    return saved_as(tree, content, path.name.marked(f" {at:%Y-%m-%d %H.%M.%S}"))


@pages.post("/versions/<path:rest>")
@signed_in_only
def restore_version(rest: str) -> Response:  # noqa: ARG001 - the path was parsed already
    """Give a file content of before; what it has now becomes a version."""
    path = get_path_below()
    get_tree().restore_version(path, request.form.get("id", 0, type=int))
    flask.flash("The file holds this content again. What it held until now is kept below.")
    return flask.redirect(path_url("trash.versions", path), 303)


def _last_at(tree: Tree, paths: Sequence[DavPath]) -> list[Departed]:
    """Find what was deleted last at each of *paths*.

    Raises:
        NotFound: nothing that was there is in the trash.
    """
    last: dict[DavPath, Departed] = {}
    missing, batch = list(paths), 0
    while missing:
        found = tree.trash(batch * ROWS_MAX, ROWS_MAX)
        for departed in found:
            last.setdefault(departed.place.child(departed.name), departed)
        missing = [path for path in paths if path not in last]
        batch += 1
        if len(found) < ROWS_MAX:
            break
    if missing:
        raise NotFound(f"“{missing[0].name}” is not in the trash any more.")
    return [last[path] for path in paths]


def _called(path: DavPath) -> str:
    return "Files" if path.is_root else f"“{path.name}”"
