"""The way back, for people: what was deleted, and what a file held before."""

from __future__ import annotations

from collections.abc import Sequence

import flask
from flask import Blueprint, request
from werkzeug.wrappers import Response

from ..errors import NotFound, Refused
from ..model import Departed
from ..paths import DavPath
from ..tree import Tree
from . import file_types
from .context import get_path_below, get_tree, path_url, signed_in_only

pages = Blueprint("trash", __name__, url_prefix="/-")

#: Thousands of rows help nobody; what was deleted last comes first.
_ROWS_MAX = 500


@pages.get("/trash")
@signed_in_only
def page() -> str:
    """Show what was deleted and can come back."""
    departed = get_tree().trash()
    return flask.render_template(
        "trash.html",
        departed=departed[:_ROWS_MAX],
        total=len(departed),
        type_of=file_types.type_of,
    )


@pages.post("/trash")
@signed_in_only
def restore() -> Response:
    """Put one thing back."""
    path = get_tree().restore_departed(request.form.get("id", 0, type=int))
    flask.flash(f"“{path.name}” is back in {_called(path.parent)}.")
    return flask.redirect(flask.url_for("trash.page"), 303)


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
    for departed in tree.trash():
        last.setdefault(departed.place.child(departed.name), departed)
    missing = [path for path in paths if path not in last]
    if missing:
        raise NotFound(f"“{missing[0].name}” is not in the trash any more.")
    return [last[path] for path in paths]


def _called(path: DavPath) -> str:
    return "Files" if path.is_root else f"“{path.name}”"
