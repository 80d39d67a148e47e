"""Names and paths of resources: parsed once, safe for ever.

A `DavPath` cannot hold a dot segment, NUL or a slash inside a segment, and
every segment is in Unicode normal form C, so no inner function checks again.
This module never touches a disk: names that people choose are never file names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from .errors import BadPath

NAME_BYTES_MAX = 255
DEPTH_MAX = 512

#: What an href must escape: not the part of RFC 3986's pchar that no client gets
#: wrong. Some take a plain "+" for a space or cut a name at ";".
_UNSAFE = re.compile(r"[^A-Za-z0-9!$'()*,@._~/ -]")


class Name(str):
    """One path segment: not empty, NFC, no slash, no NUL, at most 255 bytes.

    Raises:
        BadPath: when *text* cannot be a segment of any resource.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Name:
        """Check and normalise *text*."""
        if text.isascii():
            name = text
            length = len(text)
        else:
            name = unicodedata.normalize("NFC", text)
            try:
                length = len(name.encode())
            except UnicodeEncodeError:
                raise BadPath("The name is not valid Unicode.") from None
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise BadPath("The path holds a segment that cannot name a resource.")
        if length > NAME_BYTES_MAX:
            raise BadPath(f"The name is longer than {NAME_BYTES_MAX} bytes.")
        return super().__new__(cls, name)

    @classmethod
    def known(cls, text: str) -> Name:
        """Take a name that the catalogue holds: it was checked when it came in."""
        return super().__new__(cls, text)

    @property
    def extension(self) -> str:
        """What follows the last dot, case-folded; empty if there is no dot."""
        return self.rpartition(".")[2].casefold() if "." in self else ""

    def marked(self, mark: str) -> Name:
        """Put *mark* before the extension, so that it is still a file of the same type.

        What stands before is shortened where it has to be.
        """
        stem, dot, extension = self.rpartition(".")
        if not dot:
            stem, extension = extension, ""
        end = f"{mark}{dot}{extension}"
        room_bytes = max(0, NAME_BYTES_MAX - len(end.encode()))
        return Name((stem.encode()[:room_bytes].decode(errors="ignore") + end).lstrip())


class DavPath(NamedTuple):
    """A path below the root of one space; without names it is the root.

    Args:
        names: the segments, root first.
    """

    names: tuple[Name, ...] = ()

    @classmethod
    def of(cls, *texts: str) -> DavPath:
        """Build a path of unquoted segments.

        Raises:
            BadPath: when one of them cannot be a segment.
        """
        return cls(tuple(Name(text) for text in texts))

    @classmethod
    def from_url(cls, raw: str) -> DavPath:
        """Parse the percent-encoded path of a URL.

        Segments are split before they are unquoted (RFC 3986 section 2.4), so
        that an encoded slash cannot become a separator. Empty segments are
        skipped: ``/a//b/`` is ``/a/b``. Raw UTF-8 is taken as it is (lftp).

        Args:
            raw: the path as it came, latin-1 or str, without query.

        Raises:
            BadPath: dot segments, NUL, ``%2F``, bytes that are not UTF-8, more
                than 255 bytes in a segment, more than 512 segments.
        """
        names = tuple([_named(segment) for segment in raw.split("/") if segment])
        if len(names) > DEPTH_MAX:
            raise BadPath(f"The path has more than {DEPTH_MAX} segments.")
        return cls(names)

    @classmethod
    def from_text(cls, text: str) -> DavPath:
        """Parse an unquoted path, as a person types it: ``/Letters/a b.txt``."""
        return cls(tuple(Name(segment) for segment in text.split("/") if segment))

    @property
    def is_root(self) -> bool:
        """Whether this is the root of the space."""
        return not self.names

    @property
    def name(self) -> Name:
        """The last segment; the root has none.

        Raises:
            BadPath: for the root.
        """
        if not self.names:
            raise BadPath("The root has no name.")
        return self.names[-1]

    @property
    def parent(self) -> DavPath:
        """The path without its last segment; the root is its own parent."""
        return DavPath(self.names[:-1])

    def child(self, name: Name) -> DavPath:
        """Append one segment."""
        return DavPath((*self.names, name))

    def is_within(self, other: DavPath) -> bool:
        """Whether *other* is this path or one of its ancestors."""
        return self.names[: len(other.names)] == other.names

    def lineage(self) -> Iterator[DavPath]:
        """Yield the path and its ancestors, the root last."""
        for length in range(len(self.names), -1, -1):
            yield DavPath(self.names[:length])

    @property
    def text(self) -> str:
        """The path unquoted and without a trailing slash; the root is ``/``."""
        return "/" + "/".join(self.names)

    def href(self, *, collection: bool) -> str:
        """Percent-encode for an href; collections end in a slash (RFC 4918 section 8.3)."""
        path = href_text("/".join(self.names))
        return f"/{path}/" if collection and path else f"/{path}"

    def __str__(self) -> str:
        """Show the unquoted path."""
        return self.text


#: The path of every space's own collection.
ROOT = DavPath()


def href_text(text: str) -> str:
    """Percent-encode names for an href; most have nothing to encode but spaces."""
    if _UNSAFE.search(text) is not None:
        text = _UNSAFE.sub(_quoted, text)
    return text.replace(" ", "%20")


def at_once(write: Callable[[str], str], names: Sequence[str]) -> list[str]:
    """Write many *names* in one go.

    Args:
        write: leaves every ``/`` as it is, and makes no other; no name has one.
    """
    return write("/".join(names)).split("/")


def _quoted(match: re.Match[str]) -> str:
    return quote(match[0])


@lru_cache(maxsize=2048)
def _named(segment: str) -> Name:
    """Read one segment of a URL; those of collections come again and again."""
    return Name(_unquote(segment))


def _unquote(segment: str) -> str:
    """Decode one segment from percent-encoded or raw UTF-8."""
    if segment.isascii() and "%" not in segment:
        return segment
    try:
        octets = unquote_to_bytes(segment.encode("latin-1"))
    except UnicodeEncodeError:
        octets = unquote_to_bytes(segment)
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise BadPath("The path is not valid UTF-8.") from None
