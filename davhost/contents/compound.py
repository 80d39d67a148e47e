"""The names in the directory of a compound file (OLE2), read with bounds.

Source: MS-CFB, sections 2.2 (header), 2.3 (sector chains) and 2.6 (directory).
"""

from __future__ import annotations

import struct

from .budget import Reader, TooCostly, Unreadable

BEGINNING = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_HEADER_BYTES = 512
_ENTRY_BYTES = 128
_IN_HEADER = 109  # places of allocation sectors that stand in the header
_SECTORS_MAX = 0xFFFFFFFA
#: The most sectors of the directory that are read: 4,096 names and more.
_DIRECTORY_SECTORS_MAX = 1024
#: The longest chain of sectors that say where the allocation table is.
_HOPS_MAX = 4096


def is_compound(reader: Reader) -> bool:
    """Whether the content begins as a compound file does."""
    return reader.read(0, len(BEGINNING)) == BEGINNING


def names(reader: Reader) -> frozenset[str]:
    """List the names of all storages and streams, case-folded.

    Raises:
        Unreadable: it is no compound file, or is damaged.
        TooCostly: it has more names than any document.
    """
    if not is_compound(reader):
        raise Unreadable("it does not begin as a compound file")
    return frozenset(_File(reader).names())


class _File:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._header = reader.read_whole(0, _HEADER_BYTES)
        (shift,) = struct.unpack_from("<H", self._header, 30)
        if shift not in (9, 12):
            raise Unreadable("its sectors have an impossible size")
        self._sector_bytes = 1 << shift
        self._tables: dict[int, bytes] = {}
        self._hops: list[int] = list(struct.unpack_from("<L", self._header, 68))

    def names(self) -> set[str]:
        (sector,) = struct.unpack_from("<L", self._header, 48)
        found: set[str] = set()
        for _ in range(_DIRECTORY_SECTORS_MAX):
            if sector >= _SECTORS_MAX:
                return found
            data = self._sector(sector)
            for place in range(0, len(data) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
                found.add(_name(data[place : place + _ENTRY_BYTES]))
            sector = self._after(sector)
        raise TooCostly("its directory is too long, or runs in a circle")

    def _sector(self, number: int) -> bytes:
        """Read one sector; the last one may be cut short."""
        data = self._reader.read((number + 1) * self._sector_bytes, self._sector_bytes)
        if not data:
            raise Unreadable("a sector is missing")
        return data

    def _after(self, number: int) -> int:
        """Look up the sector that follows in a chain."""
        index, place = divmod(number, self._sector_bytes // 4)
        if index not in self._tables:
            self._tables[index] = self._sector(self._allocation_sector(index))
        table = self._tables[index]
        if len(table) < place * 4 + 4:
            raise Unreadable("a sector is cut short")
        return int(struct.unpack_from("<L", table, place * 4)[0])

    def _allocation_sector(self, index: int) -> int:
        """Find where the allocation table goes on, in the header or in a chain of its own."""
        if index < _IN_HEADER:
            return self._checked(struct.unpack_from("<L", self._header, 76 + index * 4)[0])
        per_sector = self._sector_bytes // 4 - 1
        hops, place = divmod(index - _IN_HEADER, per_sector)
        if hops >= _HOPS_MAX:
            raise TooCostly("its allocation table is too long")
        while len(self._hops) <= hops:
            last = self._sector(self._checked(self._hops[-1]))
            self._hops.append(self._number(last, per_sector))
        return self._checked(self._number(self._sector(self._checked(self._hops[hops])), place))

    def _number(self, sector: bytes, place: int) -> int:
        if len(sector) < place * 4 + 4:
            raise Unreadable("a sector is cut short")
        return int(struct.unpack_from("<L", sector, place * 4)[0])

    def _checked(self, number: int) -> int:
        if number >= _SECTORS_MAX:
            raise Unreadable("its allocation table ends too early")
        return number


def _name(entry: bytes) -> str:
    """Read the name of a directory entry; empty when the entry is not in use."""
    (length,) = struct.unpack_from("<H", entry, 64)
    if entry[66] == 0 or not 2 <= length <= 64:
        return ""
    return entry[: length - 2].decode("utf-16-le", "replace").casefold()
