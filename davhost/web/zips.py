"""A folder, or some of what is in it, as one zip that is made while it is sent."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from flask import Blueprint, Response, request
from stream_zip import ZIP_AUTO, MemberFile, stream_zip

from .. import browsing, names
from ..errors import NotFound
from ..model import Resource
from ..paths import DavPath, Name
from ..tree import Entry, Tree
from .context import get_path_below, get_signed_in, get_tree, signed_in_only
from .files import is_other_page
from .safety import FILE_POLICY

pages = Blueprint("zips", __name__, url_prefix="/-")

_BLOCK_BYTES = 1 << 18

#: Most of what people keep is compressed already: a zip only holds it together.
_LEVEL = 0

_FILE = stat.S_IFREG | 0o644
_FOLDER = stat.S_IFDIR | 0o755

#: What the dates of a zip can say.
_FIRST_DAY = datetime(1980, 1, 1, tzinfo=UTC)
_LAST_DAY = datetime(2107, 12, 31, tzinfo=UTC)


@pages.route("/zip/", methods=["GET", "POST"], defaults={"rest": ""})
@pages.route("/zip/<path:rest>", methods=["GET", "POST"])
@signed_in_only
def download(rest: str) -> Response:  # noqa: ARG001 - the path was parsed already
    """Send the collection at a path, or those of its members that are named.

    Raises:
        NotFound: there is no such collection, or not a member of that name.
    """
    tree, path = get_tree(), get_path_below()
    listing = tree.listing(path, depth=1, dead=False, locks=False)
    if not listing.entries[0].resource.is_collection:
        raise NotFound("There is no such folder. It may have been moved or deleted.")
    members = [entry for entry in listing.entries if not is_other_page(path, entry.path)]
    picked = request.values.getlist("name")
    whole = members if path.is_root else listing.entries[:1]
    chosen = _chosen(members, picked) if picked else whole
    called = path.name if not path.is_root else get_signed_in().principal.email
    # Inside the zip of a folder stands the folder, as people expect of it.
    top = path if picked or path.is_root else path.parent
    body = stream_zip(_members(tree, chosen, top), chunk_size=_BLOCK_BYTES)
    headers = {
        "Content-Disposition": browsing.attachment(f"{called}.zip"),
        "Content-Security-Policy": FILE_POLICY,
    }
    return Response(_closing(body), mimetype="application/zip", headers=headers)


def _chosen(members: Iterable[Entry], names: Iterable[str]) -> list[Entry]:
    by_name = {entry.name: entry for entry in members}
    chosen = [by_name.get(Name(name)) for name in names]
    found = [entry for entry in chosen if entry is not None]
    if len(found) < len(chosen):
        raise NotFound("Some of it is not there any more. Load the page again.")
    return found


def _members(tree: Tree, entries: Iterable[Entry], top: DavPath) -> Iterator[MemberFile]:
    """Walk down, one listing at a time, so that memory does not grow with the tree.

    What the pages do not show of a collection is not in its zip either.
    """
    for entry in entries:
        resource = entry.resource
        if names.is_for_programs(resource.name, resource.kind):
            continue
        name = "/".join(entry.path.names[len(top.names) :])
        at = _date(resource)
        if not resource.is_collection:
            yield name, at, _FILE, ZIP_AUTO(resource.size_bytes, level=_LEVEL), _blocks(tree, entry)
            continue
        yield f"{name}/", at, _FOLDER, ZIP_AUTO(0, level=_LEVEL), ()
        yield from _members(tree, _listed(tree, entry), top)


def _listed(tree: Tree, collection: Entry) -> list[Entry]:
    """List a collection; one that was deleted since it was listed has nothing in it."""
    try:
        listing = tree.listing(collection.path, depth=1, dead=False, locks=False)
    except NotFound:
        return []
    return [entry for entry in listing.entries if entry.path != collection.path]


def _blocks(tree: Tree, entry: Entry) -> Iterator[bytes]:
    """Read the bytes that were listed, though the file may have others by now."""
    content = tree.open_listed(entry.resource)
    if content is None:
        return
    with content:
        while block := content.read(_BLOCK_BYTES):
            yield block


def _date(resource: Resource) -> datetime:
    at = datetime.fromtimestamp(resource.modified_us // 1_000_000, UTC)
    return min(max(at, _FIRST_DAY), _LAST_DAY)


def _closing(body: Iterable[bytes]) -> Iterator[bytes]:
    """Pass *body* on; a client that goes away ends it, and closes the file that is read."""
    yield from body
