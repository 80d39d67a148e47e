"""Content that has no URL of its own: of before, and of the trash."""

from __future__ import annotations

from io import BytesIO

from flask import request
from werkzeug.wrappers import Response
from werkzeug.wsgi import FileWrapper

from .. import browsing
from ..model import Resource
from ..paths import Name
from ..tree import Tree
from .safety import FILE_POLICY

_BLOCK_BYTES = 1 << 18


def saved_as(tree: Tree, content: Resource, name: Name) -> Response:
    """Send content for the browser to save, or the part of it that is still missing.

    Raises:
        ContentLost: the bytes are gone for good.
    """
    opened = tree.open_listed(content) or BytesIO()
    response = Response(
        FileWrapper(opened, _BLOCK_BYTES),
        mimetype="application/octet-stream",
        headers={
            "Content-Disposition": browsing.attachment(name),
            "Content-Security-Policy": FILE_POLICY,
        },
        direct_passthrough=True,
    )
    response.content_length = content.size_bytes
    response.set_etag(content.etag)
    try:
        return response.make_conditional(
            request.environ, accept_ranges=True, complete_length=content.size_bytes
        )
    except BaseException:
        opened.close()
        raise
