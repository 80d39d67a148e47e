"""Small pictures of pictures: made when a page asks, a few at once, and kept in memory.

What is in a picture is somebody's, and may be made to harm: only formats that
are read without other programs, bounded in pixels and bytes, and whatever goes
wrong in reading means that there is none.
"""

from __future__ import annotations

import threading
import warnings
from collections import OrderedDict
from collections.abc import Callable
from io import BytesIO
from typing import BinaryIO

from flask import Blueprint, Flask, Response, current_app
from PIL import Image, ImageOps

from ..errors import NotFound, Unavailable
from .context import get_path_below, get_tree, signed_in_only

pages = Blueprint("thumbnails", __name__, url_prefix="/-")

_EXTENSION = "davhost.thumbnails"
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP")

#: Twice the 32 pixels at which they are shown, and a little, for fine screens.
_EDGE_PIXELS = 96
_SOURCE_BYTES_MAX = 64 << 20
#: A camera of today makes 50 million; unpacked that is 200 MB for a moment.
_SOURCE_PIXELS_MAX = 60_000_000
_KEPT_BYTES_MAX = 32 << 20
_WAIT_SECONDS = 2

#: For the URL has the ETag in it.
_FOR_EVER = "private, max-age=31536000, immutable"

Image.MAX_IMAGE_PIXELS = _SOURCE_PIXELS_MAX
warnings.simplefilter("error", Image.DecompressionBombWarning)


class Thumbnails:
    """Makes and keeps thumbnails.

    Args:
        at_once: how many are made at the same time, of all that are asked for.
        kept_bytes_max: how much of them is kept; those asked for last stay.
    """

    def __init__(self, *, at_once: int = 1, kept_bytes_max: int = _KEPT_BYTES_MAX) -> None:
        self._making = threading.BoundedSemaphore(at_once)
        self._kept_bytes_max = kept_bytes_max
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._kept_bytes = 0
        self._lock = threading.Lock()

    def get(self, key: str, open_: Callable[[], BinaryIO | None]) -> bytes:
        """Give the thumbnail of content; empty when it cannot have one.

        Args:
            key: of the blob, whose bytes never change.
            open_: opens the content, if it must be read.

        Raises:
            Unavailable: as many as may be are being made now.
        """
        found = self._find(key)
        if found is not None:
            return found
        if not self._making.acquire(timeout=_WAIT_SECONDS):
            raise Unavailable("Thumbnails are being made. Ask again.", retry_after_seconds=2)
        try:
            found = self._find(key)
            if found is None:
                found = _draw(open_)
                self._keep(key, found)
            return found
        finally:
            self._making.release()

    def _find(self, key: str) -> bytes | None:
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key]

    def _keep(self, key: str, drawn: bytes) -> None:
        with self._lock:
            self._kept[key] = drawn
            self._kept_bytes += _cost_bytes(drawn)
            while self._kept_bytes > self._kept_bytes_max:
                _, oldest = self._kept.popitem(last=False)
                self._kept_bytes -= _cost_bytes(oldest)


def _cost_bytes(drawn: bytes) -> int:
    """Count what an entry takes, also one that says that there is none."""
    return len(drawn) + 200


def _draw(open_: Callable[[], BinaryIO | None]) -> bytes:
    content = open_()
    if content is None:
        return b""
    with content:
        try:
            return _draw_from(content)
        except Exception:  # decoders raise nearly everything on bytes that are made up
            return b""


def _draw_from(content: BinaryIO) -> bytes:
    edges = (_EDGE_PIXELS, _EDGE_PIXELS)
    with Image.open(content, formats=_FORMATS) as source:
        source.draft("RGB", (2 * _EDGE_PIXELS, 2 * _EDGE_PIXELS))
        small: Image.Image = ImageOps.fit(source, edges)
        # Phones store pictures as the sensor lies, and say which way is up.
        small.getexif().update(source.getexif())
        small = ImageOps.exif_transpose(small)
    drawn = BytesIO()
    mode = "RGBA" if small.has_transparency_data else "RGB"
    small.convert(mode).save(drawn, "WEBP", quality=80, exif=b"")
    return drawn.getvalue()


def add_to(app: Flask) -> None:
    """Keep thumbnails for the pages of *app*."""
    app.extensions[_EXTENSION] = Thumbnails()


@pages.get("/thumbnail/<version>/<path:rest>")
@signed_in_only
def thumbnail(version: str, rest: str) -> Response:  # noqa: ARG001 - the path was parsed already
    """Send the thumbnail of a file.

    Raises:
        NotFound: there is no such file, or nothing can be drawn of it.
        Unavailable: too many are being made now.
    """
    tree = get_tree()
    resource = tree.find(get_path_below(3))
    if resource is None or resource.blob_key is None or resource.size_bytes > _SOURCE_BYTES_MAX:
        raise NotFound("There is no picture of this.")
    made: Thumbnails = current_app.extensions[_EXTENSION]
    drawn = made.get(resource.blob_key, lambda: tree.open_listed(resource))
    if not drawn:
        raise NotFound("There is no picture of this.")
    response = Response(drawn, mimetype="image/webp")
    fresh = version == resource.etag
    response.headers["Cache-Control"] = _FOR_EVER if fresh else "private, no-cache"
    return response
