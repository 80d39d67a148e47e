"""Byte ranges: parsed, bounded and coalesced (RFC 9110 section 14). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ..errors import RangeNotSatisfiable
from .dates import parse_http_date

#: More ranges than this are answered by the whole file: no honest client sends
#: them, and each would cost a part (RFC 9110 section 14.2, last paragraphs).
RANGES_MAX = 32
#: Gaps that are shorter than the headers of a part are sent along.
_GAP_BYTES = 80

_SPEC = re.compile(r"[ \t]*(?P<first>[0-9]{0,18})-(?P<last>[0-9]{0,18})[ \t]*")
_STRONG = re.compile(r'"(?P<etag>[\x21\x23-\x7e\x80-\xff]*)"')


class ByteRange(NamedTuple):
    """Bytes *first* to *last*, both counted from 0 and both included."""

    first: int
    last: int

    @property
    def size_bytes(self) -> int:
        """How many bytes it has; at least one."""
        return self.last - self.first + 1

    def content_range(self, size_bytes: int) -> str:
        """Write the Content-Range of a file of *size_bytes*."""
        return f"bytes {self.first}-{self.last}/{size_bytes}"


def select(value: str | None, size_bytes: int) -> Sequence[ByteRange]:
    """Choose which parts of a file to send.

    A header in another unit, malformed, or with too many ranges is ignored.
    So is every range of an empty file: clients that add ``bytes=0-`` to all
    their requests want it empty, not an error.

    Returns:
        The ranges in the order to send them; empty for the whole file.

    Raises:
        RangeNotSatisfiable: no range has a byte in the file.
    """
    unit, _, specs = (value or "").partition("=")
    if unit.strip().lower() != "bytes" or not size_bytes:
        return ()
    parts = [part for part in specs.split(",") if part.strip()]
    if not parts or len(parts) > RANGES_MAX:
        return ()
    found: list[ByteRange] = []
    for part in parts:
        match = _SPEC.fullmatch(part)
        if match is None or not (match["first"] or match["last"]):
            return ()
        if match["first"] and match["last"] and int(match["first"]) > int(match["last"]):
            return ()
        found += _resolve(match["first"], match["last"], size_bytes)
    if not found:
        raise RangeNotSatisfiable(size_bytes)
    return _coalesce(found)


def if_range_holds(value: str | None, etag: str, modified_seconds: int) -> bool:
    """Whether Range counts: If-Range names this very content, or is not there.

    A date counts only when it is exactly the Last-Modified (RFC 9110 section
    13.1.5); weak entity tags never do.
    """
    if value is None:
        return True
    match = _STRONG.fullmatch(value.strip())
    if match is not None:
        return match["etag"] == etag
    return parse_http_date(value) == modified_seconds


def _resolve(first: str, last: str, size_bytes: int) -> list[ByteRange]:
    """Resolve one range against the size; an unsatisfiable one is left out."""
    if not first:
        length = min(int(last), size_bytes)
        return [ByteRange(size_bytes - length, size_bytes - 1)] if length else []
    if int(first) >= size_bytes:
        return []
    return [ByteRange(int(first), min(int(last) if last else size_bytes - 1, size_bytes - 1))]


def _coalesce(ranges: list[ByteRange]) -> Sequence[ByteRange]:
    """Join ranges that overlap or nearly touch; otherwise keep their order."""
    joined: list[ByteRange] = []
    for current in sorted(ranges, key=lambda r: r.first):
        if joined and current.first <= joined[-1].last + 1 + _GAP_BYTES:
            last = max(joined[-1].last, current.last)
            joined[-1] = ByteRange(joined[-1].first, last)
        else:
            joined.append(current)
    return ranges if len(joined) == len(ranges) else joined
