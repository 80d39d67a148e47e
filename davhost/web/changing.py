"""New folders, renaming, moving and deleting by forms, for browsers without scripts."""

from __future__ import annotations

from functools import partial

import flask
from flask import Blueprint, request
from werkzeug.wrappers import Response

from ..errors import NotFound, PreconditionFailed
from ..paths import DavPath, Name
from .context import get_path_below, get_tree, href, signed_in_only
from .outcomes import Answer, attempt, tell

pages = Blueprint("changing", __name__, url_prefix="/-")


@pages.post("/new-folder/", defaults={"rest": ""})
@pages.post("/new-folder/<path:rest>")
@signed_in_only
def new_folder(rest: str) -> Response:  # noqa: ARG001 - the path was parsed already
    """Make a collection in another."""
    folder = get_path_below()
    path = folder.child(Name(request.form.get("name", "")))
    get_tree().make_collection(path)
    flask.flash(f"The folder “{path.name}” is there.")
    return flask.redirect(href(folder, collection=True), 303)


@pages.get("/details/<path:rest>")
@signed_in_only
def details(rest: str) -> str:  # noqa: ARG001 - the path was parsed already
    """Show one resource, and what can be done with it.

    Raises:
        NotFound: nothing is there.
    """
    tree, path = get_tree(), get_path_below()
    resource = tree.find(path)
    if resource is None or path.is_root:
        raise NotFound("It is not there any more. It may have been moved or deleted.")
    beside = tree.listing(path.parent, depth=1, dead=False, locks=False).entries[1:]
    folders = [e.path for e in beside if e.resource.is_collection and e.path != path]
    return flask.render_template(
        "details.html",
        path=path,
        resource=resource,
        places=[*path.parent.lineage(), *folders],
    )


@pages.post("/details/<path:rest>")
@signed_in_only
def move(rest: str) -> Response:  # noqa: ARG001 - the path was parsed already
    """Give a resource another name, or another place.

    Raises:
        PreconditionFailed: there is something already.
    """
    path = get_path_below()
    folder = DavPath.from_text(request.form.get("folder", ""))
    to = folder.child(Name(request.form.get("name", "")))
    try:
        get_tree().move(path, to, overwrite=False)
    except PreconditionFailed:
        raise PreconditionFailed(f"There is something called “{to.name}” already.") from None
    place = "" if folder == path.parent else f" in {'Files' if folder.is_root else folder.text[1:]}"
    flask.flash(f"“{path.name}” is “{to.name}”{place} now.")
    return flask.redirect(href(folder, collection=True), 303)


@pages.post("/delete/", defaults={"rest": ""})
@pages.post("/delete/<path:rest>")
@signed_in_only
def delete(rest: str) -> Answer | str:  # noqa: ARG001 - the path was parsed already
    """Ask whether members of a collection are to be deleted, and delete them."""
    folder, tree = get_path_below(), get_tree()
    paths = [folder.child(Name(name)) for name in request.form.getlist("name")]
    if paths and "sure" not in request.form:
        return flask.render_template("delete.html", folder=folder, paths=paths)
    return tell(folder, [attempt(p.name, partial(tree.unbind, p)) for p in paths], "deleted")
