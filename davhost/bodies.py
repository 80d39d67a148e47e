"""Request bodies: read in blocks, and never taken for whole when they are not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .browsing import Environ
from .errors import BadRequest, BodyStalled, IncompleteBody, TooLarge

_DIGITS = re.compile(r"[0-9]{1,18}")


def declared_length(environ: Environ) -> int | None:
    """Read how many bytes the body has; None when it is chunked.

    A request without both headers has no body (RFC 9112 section 6.3).

    Raises:
        BadRequest: Content-Length is not a number.
    """
    if environ.get("HTTP_TRANSFER_ENCODING"):
        return None
    declared = str(environ.get("CONTENT_LENGTH") or "0")
    if not _DIGITS.fullmatch(declared):
        raise BadRequest("Content-Length is not a number.")
    return int(declared)


def blocks(environ: Environ, block_bytes: int) -> Iterator[bytes]:
    """Yield the body in blocks; nothing is read before the first is asked for.

    Raises:
        IncompleteBody: the client went, or broke the chunked coding.
        BodyStalled: it stopped sending.
    """
    left = declared_length(environ)
    stream = environ["wsgi.input"]
    while left is None or left > 0:
        block = _read(stream, block_bytes if left is None else min(block_bytes, left))
        if not block:
            break
        if left is not None:
            left -= len(block)
        yield block
    if left:
        raise IncompleteBody(f"The body ended {left} bytes early. Nothing was changed.")


def whole(environ: Environ, limit_bytes: int) -> bytes:
    """Read a small body whole, chunked or not.

    Raises:
        TooLarge: it has more than *limit_bytes*; at most one byte more is read.
        IncompleteBody, BodyStalled: as `blocks` does.
    """
    declared = declared_length(environ)
    if declared == 0:
        return b""
    if declared is not None and declared > limit_bytes:
        raise TooLarge(f"The body may have at most {limit_bytes} bytes here.")
    pieces: list[bytes] = []
    size = 0
    for piece in blocks(environ, min(limit_bytes + 1, 65536)):
        size += len(piece)
        if size > limit_bytes:
            raise TooLarge(f"The body may have at most {limit_bytes} bytes here.")
        pieces.append(piece)
    return b"".join(pieces)


def _read(stream: Any, size: int) -> bytes:
    try:
        block: bytes = stream.read(size)
    except TimeoutError:
        raise BodyStalled("The body stopped arriving. Nothing was changed.") from None
    except (OSError, ValueError):
        # The client's connection broke, or its chunked coding is malformed.
        raise IncompleteBody("The body did not arrive whole. Nothing was changed.") from None
    return block
