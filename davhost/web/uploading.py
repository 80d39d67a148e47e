"""Uploads by a form, for browsers without scripts.

With scripts the page sends each file with PUT. A form sends all of them in one
body; each goes into the tree while it arrives, as the body of a PUT does, so that
the same rules refuse it and the same limits hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from flask import Blueprint, request

from .. import bodies
from ..conditions import NO_CONDITIONS, Conditions, Etags
from ..errors import PreconditionFailed, Refused
from ..paths import DavPath, Name
from ..tree import Tree
from . import multipart, safety
from .context import get_path_below, get_tree, signed_in_only
from .multipart import Part
from .outcomes import Answer, Outcome, tell

pages = Blueprint("uploading", __name__, url_prefix="/-")
safety.checks_the_token_itself("uploading.upload")

_BLOCK_BYTES = 1 << 18
_TYPED_BYTES_MAX = 1000

_UNMAPPED_ONLY = Conditions(if_none_match=Etags(any=True))


@pages.post("/upload/", defaults={"rest": ""})
@pages.post("/upload/<path:rest>")
@signed_in_only
def upload(rest: str) -> Answer:  # noqa: ARG001 - the path was parsed already
    """Take files into a collection, each or none of it.

    Raises:
        CSRFError: the token does not stand before the files.
        BadRequest, TooLarge, UnsupportedMedia: as `multipart.parts`.
    """
    folder = get_path_below()
    body = bodies.blocks(request.environ, _BLOCK_BYTES)
    typed, files = _split(multipart.parts(request.content_type or "", body))
    safety.check_token(typed.get("csrf_token", ""))
    tree, taken = get_tree(), typed.get("taken", "keep")
    # Without a choice browsers send a file without a name.
    outcomes = [_take(tree, folder, part, taken) for part in files if part.file_name]
    return tell(folder, outcomes, "uploaded")


def _split(parts: Iterator[Part]) -> tuple[dict[str, str], Iterable[Part]]:
    """Read the fields that stand before the first file."""
    typed: dict[str, str] = {}
    for part in parts:
        if part.file_name is not None:
            return typed, chain([part], parts)
        typed[part.name] = part.text(_TYPED_BYTES_MAX)
    return typed, ()


def _take(tree: Tree, folder: DavPath, part: Part, taken: str) -> Outcome:
    """Write one file.

    Args:
        taken: what to do when there is one of its name: *replace* it, *skip* this
            one, or else keep both.
    """
    called = part.file_name or ""
    try:
        path = folder.child(Name(called))
        if taken not in ("replace", "skip"):
            path = _free(tree, path)
        conditions = NO_CONDITIONS if taken == "replace" else _UNMAPPED_ONLY
        tree.write(path, part.blocks, length=None, conditions=conditions)
    except PreconditionFailed as refused:
        return Outcome(called, skipped=True) if taken == "skip" else Outcome(called, refused)
    except Refused as refused:
        return Outcome(called, refused)
    return Outcome(called)


def _free(tree: Tree, path: DavPath) -> DavPath:
    """Find a name like that of *path* which is not taken, as the page's scripts do."""
    free, number = path, 1
    while tree.find(free) is not None:
        number += 1
        free = path.parent.child(path.name.marked(f" ({number})"))
    return free
