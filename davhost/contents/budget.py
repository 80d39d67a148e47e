"""Reading at most so much of a content, whatever the content says about itself."""

from __future__ import annotations

import os
from typing import BinaryIO

#: The most that judging one content reads.
BUDGET_BYTES = 8 * 2**20

_PAGE_BYTES = 64 * 2**10


class Unreadable(ValueError):
    """The content is damaged or cut short."""


class TooCostly(Unreadable):
    """Judging it would take more than any honest content needs."""


class Reader:
    """Reads pieces of a content by their place; what was read once is kept.

    Args:
        content: seekable.
    """

    def __init__(self, content: BinaryIO, budget_bytes: int = BUDGET_BYTES) -> None:
        self._content = content
        self._pages: dict[int, bytes] = {}
        self._pages_max = budget_bytes // _PAGE_BYTES
        self.size_bytes = content.seek(0, os.SEEK_END)

    def read(self, start: int, length: int) -> bytes:
        """Read up to *length* bytes; fewer at the end, none outside of the content.

        Raises:
            TooCostly: the budget is spent.
        """
        end = min(start + length, self.size_bytes)
        if start < 0 or start >= end:
            return b""
        first, last = start // _PAGE_BYTES, (end - 1) // _PAGE_BYTES
        if last - first >= self._pages_max:
            raise TooCostly("it has a part that is too long")
        data = b"".join(map(self._page, range(first, last + 1)))
        return data[start - first * _PAGE_BYTES : end - first * _PAGE_BYTES]

    def read_whole(self, start: int, length: int) -> bytes:
        """Read exactly *length* bytes.

        Raises:
            Unreadable: they are not there.
        """
        data = self.read(start, length)
        if len(data) != length:
            raise Unreadable("it ends too early")
        return data

    def _page(self, number: int) -> bytes:
        if number not in self._pages:
            if len(self._pages) >= self._pages_max:
                raise TooCostly("its parts are scattered too far")
            self._content.seek(number * _PAGE_BYTES)
            self._pages[number] = self._content.read(_PAGE_BYTES)
        return self._pages[number]
