"""GET and HEAD: files whole and in parts, collections as a plain list of links."""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import BinaryIO

from ..browsing import attachment
from ..errors import ContentLost
from ..model import Resource
from ..tree import Opened
from . import media_types, ranges
from .dates import http_date, iso_date, seconds
from .escaping import attribute, text
from .exchange import Exchange, Headers, Response, close, empty, streamed
from .ranges import ByteRange

_INDEX_TYPE = "text/html; charset=utf-8"

#: A page that shows the names and can do nothing, not even load a style.
_INDEX_POLICY = ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")

#: What is shorter goes out together with its head.
_LONG_BYTES = 65_536

#: How much of a long file is sent before it is counted, for the log.
_PIECE_BYTES = 16 << 20


def head(exchange: Exchange) -> Response:
    """HEAD: what GET would say; Range means nothing here (RFC 9110 section 14.2)."""
    looked = exchange.tree.look(exchange.path, exchange.conditions)
    resource = looked.resource
    if resource.is_collection:
        return Response(200, (("Content-Type", _INDEX_TYPE), *_validators(resource)))
    if looked.not_modified:
        return _not_modified(resource)
    length = ("Content-Length", str(resource.size_bytes))
    return Response(200, (length, *_description(resource), *_type_of(resource)))


def get(exchange: Exchange) -> Response:
    """GET: the content, as much of it as the ranges say."""
    opened = exchange.tree.open(exchange.path, exchange.conditions)
    try:
        return _answer(exchange, opened)
    except BaseException:
        close(opened.content)
        raise


def _answer(exchange: Exchange, opened: Opened) -> Response:
    resource = opened.resource
    if resource.is_collection:
        # Never 304: the date of a collection says nothing of its members.
        return _index(exchange, resource)
    if opened.not_modified:
        close(opened.content)
        return _not_modified(resource)
    if opened.content is None:
        length = ("Content-Length", "0")
        return Response(200, (length, *_description(resource), *_type_of(resource)))
    return _content(exchange, resource, opened.content)


def _content(exchange: Exchange, resource: Resource, content: BinaryIO) -> Response:
    """Answer with a file that has at least one byte."""
    chosen = _ranges(exchange, resource)
    if not chosen:
        length = ("Content-Length", str(resource.size_bytes))
        headers = (length, *_type_of(resource), *_description(resource))
        if resource.size_bytes < _LONG_BYTES:
            return Response(200, headers, _short(content, resource.size_bytes))
        parts = _parts(exchange, content, (ByteRange(0, resource.size_bytes - 1),))
        return Response(200, headers, parts)
    parts = _parts(exchange, content, chosen)
    if len(chosen) == 1:
        headers = (
            ("Content-Range", chosen[0].content_range(resource.size_bytes)),
            ("Content-Length", str(chosen[0].size_bytes)),
            *_type_of(resource),
            *_description(resource),
        )
        return Response(206, headers, parts)
    return _multipart(resource, parts)


def _short(content: BinaryIO, size_bytes: int) -> tuple[bytes]:
    """Read and close a whole file that is short.

    Raises:
        ContentLost: the blob is shorter than the catalogue says.
    """
    with content:
        whole = content.read(size_bytes)
    if len(whole) < size_bytes:
        raise ContentLost("The content of this file is damaged.")
    return (whole,)


def _ranges(exchange: Exchange, resource: Resource) -> Sequence[ByteRange]:
    wanted = exchange.header("Range")
    if wanted is None:
        return ()
    if_range = exchange.header("If-Range")
    if not ranges.if_range_holds(if_range, resource.etag, seconds(resource.modified_us)):
        return ()
    return ranges.select(wanted, resource.size_bytes)


def _multipart(resource: Resource, parts: FileParts) -> Response:
    """Answer with several parts (RFC 9110 section 14.6)."""
    boundary = secrets.token_hex(16)
    media_type = media_types.of(resource)
    parts.heads = [
        f"\r\n--{boundary}\r\nContent-Type: {media_type}\r\n"
        f"Content-Range: {part.content_range(resource.size_bytes)}\r\n\r\n".encode("latin-1")
        for part in parts.ranges
    ]
    parts.tail = f"\r\n--{boundary}--\r\n".encode()
    kind = ("Content-Type", f"multipart/byteranges; boundary={boundary}")
    length = ("Content-Length", str(parts.size_bytes))
    disposition = _type_of(resource)[1:]
    return Response(206, (kind, length, *disposition, *_description(resource)), parts)


class FileParts:
    """Parts of a file on their way out, each behind its head.

    Args:
        content: seekable, at its beginning; closed with the body.
    """

    def __init__(self, content: BinaryIO, parts: Sequence[ByteRange], block_bytes: int) -> None:
        self._content = content
        self._block_bytes = block_bytes
        self.ranges = parts
        self.heads: Sequence[bytes] = [b""] * len(parts)
        self.tail = b""

    @property
    def size_bytes(self) -> int:
        """The length of the whole body."""
        heads = sum(map(len, self.heads))
        return heads + sum(part.size_bytes for part in self.ranges) + len(self.tail)

    def __iter__(self) -> Iterator[bytes]:
        """Read the parts.

        Raises:
            OSError: the blob is shorter than the catalogue says; the answer
                must break off rather than look complete.
        """
        at = 0
        for head_bytes, part in zip(self.heads, self.ranges, strict=True):
            if head_bytes:
                yield head_bytes
            if part.first != at:
                self._content.seek(part.first)
            at = part.last + 1
            left = part.size_bytes
            while left:
                block = self._content.read(min(left, self._block_bytes))
                if not block:
                    raise OSError(f"a blob ends {left} bytes early")
                left -= len(block)
                yield block
        if self.tail:
            yield self.tail

    def close(self) -> None:
        """Close the file."""
        self._content.close()


class LongFileParts(FileParts):
    """Parts that a server sends without reading them, if it can.

    Args:
        content: a file of the operating system.
    """

    def send_through(
        self, write: Callable[[bytes], None], send_file: Callable[[int, int, int], None]
    ) -> None:
        """Send the whole body; see `davhost.server.gateway`.

        Raises:
            EOFError: as `__iter__` raises OSError.
        """
        for head_bytes, part in zip(self.heads, self.ranges, strict=True):
            if head_bytes:
                write(head_bytes)
            for first in range(part.first, part.last + 1, _PIECE_BYTES):
                size_bytes = min(_PIECE_BYTES, part.last + 1 - first)
                send_file(self._content.fileno(), first, size_bytes)
        if self.tail:
            write(self.tail)


def _parts(exchange: Exchange, content: BinaryIO, chosen: Sequence[ByteRange]) -> FileParts:
    is_long = sum(part.size_bytes for part in chosen) >= _LONG_BYTES
    kind = LongFileParts if is_long and isinstance(content, io.BufferedReader) else FileParts
    return kind(content, chosen, exchange.options.block_bytes)


def _description(resource: Resource) -> Headers:
    return (*_validators(resource), ("Accept-Ranges", "bytes"))


def _validators(resource: Resource) -> Headers:
    modified = ("Last-Modified", http_date(resource.modified_us))
    return (("ETag", f'"{resource.etag}"'), modified) if resource.etag else (modified,)


def _type_of(resource: Resource) -> Headers:
    media_type = media_types.of(resource)
    if media_types.is_shown(media_type):
        return (("Content-Type", media_type),)
    return (("Content-Type", media_type), ("Content-Disposition", attachment(resource.name)))


def _not_modified(resource: Resource) -> Response:
    """Answer 304: with what 200 would say of the version, without a length."""
    return empty(304, *_validators(resource))


def _index(exchange: Exchange, resource: Resource) -> Response:
    """List a collection for programs that only know HTTP.

    webdavclient3 and lftp ask for collections by GET and HEAD and take
    anything but 2xx for "not there"; lftp reads the links.
    """
    return streamed(200, _INDEX_TYPE, _lines(exchange), *_validators(resource), _INDEX_POLICY)


def _lines(exchange: Exchange) -> Iterator[str]:
    listing = exchange.tree.listing(exchange.path, depth=1, dead=False, locks=False)
    title = text(exchange.path.name if exchange.path.names else "/")
    yield f"<!doctype html>\n<html><head><title>{title}</title></head><body>\n<pre>\n"
    for entry in islice(listing.entries, 1, None):
        member = entry.resource
        slash = "/" if member.is_collection else ""
        href = attribute(exchange.href(entry.path, collection=member.is_collection))
        size = "-" if member.is_collection else str(member.size_bytes)
        at = iso_date(member.modified_us)
        when = f"{at[:10]} {at[11:16]}"
        yield f'<a href="{href}">{text(entry.name)}{slash}</a>  {when}  {size}\n'
    yield "</pre>\n</body></html>\n"
