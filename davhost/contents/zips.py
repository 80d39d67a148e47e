"""The table of contents of a zip container, read with bounds.

The `zipfile` module builds an object for each of a million entries before it
says anything; this reads a few MiB at most and refuses what is ambiguous.

Source: APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from .budget import Reader, TooCostly, Unreadable

#: How an archive begins: with an entry, or with the end of an empty one.
BEGINNINGS = (b"PK\x03\x04", b"PK\x05\x06")

#: The longest table of contents that is read, 30,000 entries and more.
DIRECTORY_BYTES_MAX = 4 * 2**20
#: The longest part that is decompressed.
PART_BYTES_MAX = 2**20

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")

_COMMENT_BYTES_MAX = 0xFFFF
_IN_EXTRA = 0xFFFFFFFF
_ENCRYPTED = 0x1
_STORED, _DEFLATED = 0, 8


@dataclass(frozen=True, slots=True)
class Part:
    """One entry of the table of contents.

    Args:
        name: with forward slashes, without one at the start, case-folded.
        start: where its local header is.
    """

    name: str
    flags: int
    method: int
    packed_bytes: int
    start: int


def is_zip(reader: Reader) -> bool:
    """Whether the content begins as an archive does."""
    return reader.read(0, 4).startswith(BEGINNINGS)


def parts(reader: Reader) -> Iterator[Part]:
    """List the parts of an archive, in the order of its table of contents.

    Raises:
        Unreadable: it is no archive, is damaged, or has too many parts.
    """
    if not is_zip(reader):
        raise Unreadable("it does not begin as an archive")
    start, length, shift = _find_directory(reader)
    if length > DIRECTORY_BYTES_MAX:
        raise TooCostly("it has too many parts")
    directory = reader.read_whole(start, length) if length else b""
    place = 0
    while place < len(directory):
        if len(directory) - place < _ENTRY.size:
            raise Unreadable("the table of contents is cut short")
        fields = _ENTRY.unpack_from(directory, place)
        signature, _, _, flags, method, _, _, _, packed, unpacked = fields[:10]
        name_bytes, extra_bytes, comment_bytes, _, _, _, offset = fields[10:]
        if signature != b"PK\x01\x02":
            raise Unreadable("the table of contents is damaged")
        place += _ENTRY.size
        name = directory[place : place + name_bytes]
        extra = directory[place + name_bytes : place + name_bytes + extra_bytes]
        place += name_bytes + extra_bytes + comment_bytes
        if _IN_EXTRA in (packed, unpacked, offset):
            packed, offset = _large(extra, unpacked, packed, offset)
        yield Part(_plain(name), flags, method, packed, offset + shift)


def read_part(reader: Reader, part: Part) -> bytes:
    """Read one part, decompressed.

    Raises:
        Unreadable: it is damaged, encrypted, or longer than `PART_BYTES_MAX`.
    """
    if part.flags & _ENCRYPTED or part.method not in (_STORED, _DEFLATED):
        raise Unreadable("the part is encrypted, or packed in an unusual way")
    if part.packed_bytes > PART_BYTES_MAX:
        raise Unreadable("the part is too long")
    local = _LOCAL.unpack(reader.read_whole(part.start, _LOCAL.size))
    if local[0] != b"PK\x03\x04":
        raise Unreadable("the part is not where it should be")
    name_bytes, extra_bytes = local[-2:]
    packed = reader.read_whole(
        part.start + _LOCAL.size + name_bytes + extra_bytes, part.packed_bytes
    )
    if part.method == _STORED:
        return packed
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        plain = inflate.decompress(packed, PART_BYTES_MAX)
    except zlib.error:
        raise Unreadable("the part is damaged") from None
    if not inflate.eof:
        raise Unreadable("the part is too long, or cut short")
    return plain


def _find_directory(reader: Reader) -> tuple[int, int, int]:
    """Find the table of contents: start, length, and how far all is shifted."""
    tail_start = max(0, reader.size_bytes - _END.size - _COMMENT_BYTES_MAX)
    tail = reader.read(tail_start, reader.size_bytes - tail_start)
    found = tail.rfind(b"PK\x05\x06", 0, len(tail) - _END.size + 4)
    if found < 0:
        raise Unreadable("it has no table of contents")
    *_, length, offset, _ = _END.unpack_from(tail, found)
    end = tail_start + found
    locator = reader.read(end - _LOCATOR64.size, _LOCATOR64.size)
    if locator.startswith(b"PK\x06\x07"):
        place = _LOCATOR64.unpack(locator)[2]
        fields = _END64.unpack(reader.read_whole(place, _END64.size))
        if fields[0] != b"PK\x06\x06":
            raise Unreadable("the table of contents is not where it should be")
        length, offset = fields[8:]
        end = place
    start = end - length
    if start < 0 or offset > start:
        raise Unreadable("the table of contents is not where it should be")
    return start, length, start - offset


def _large(extra: bytes, unpacked: int, packed: int, offset: int) -> tuple[int, int]:
    """Take what does not fit 32 bits from the extra field (section 4.5.3)."""
    place = 0
    while place + 4 <= len(extra):
        tag, length = struct.unpack_from("<2H", extra, place)
        if tag == 1:
            numbers = iter(
                struct.unpack_from(
                    f"<{min(length, len(extra) - place - 4) // 8}Q", extra, place + 4
                )
            )
            try:
                _, packed, offset = (
                    next(numbers) if value == _IN_EXTRA else value
                    for value in (unpacked, packed, offset)
                )
            except RuntimeError:  # the field holds fewer numbers than it should
                raise Unreadable("the table of contents is damaged") from None
            return packed, offset
        place += 4 + length
    return packed, offset


def _plain(name: bytes) -> str:
    return name.decode("utf-8", "replace").replace("\\", "/").lstrip("/").casefold()
