"""Every way to be refused, with its HTTP status and RFC precondition code.

This module never decides anything: `policy` and `paths` raise, the edges
translate. The tree of outcomes::

    Refused
    ├── BadRequest 400 ── BadPath, BadName, IncompleteBody, DigestMismatch
    ├── NotSignedIn 401
    ├── Forbidden 403 ── NameRefused, ReadOnly, ProtectedProperty, InfiniteDepth, TooManyLocks,
    │                  InvalidSyncToken
    ├── NotFound 404
    ├── MethodNotAllowed 405 ── AlreadyMapped
    ├── BodyStalled 408
    ├── Conflict 409 ── LockTokenMismatch
    ├── PreconditionFailed 412
    ├── TooLarge 413
    ├── UnsupportedMedia 415
    ├── RangeNotSatisfiable 416
    ├── Locked 423 ── LockConflict
    ├── TooManyTries 429
    ├── ContentLost 500
    ├── NotImplementedHere 501
    ├── OtherServer 502
    ├── Unavailable 503
    └── NoRoom 507 ── QuotaExceeded, DiskFull, PropertyTooLarge
"""

from __future__ import annotations

from typing import ClassVar

DAV = "{DAV:}"


class Refused(Exception):
    """A rule said no.

    Attributes:
        status: the HTTP status code.
        condition: Clark name of the RFC precondition code, or None.
        phrase: the reason phrase of the status line, ASCII, one line.
        sentence: one plain sentence for a person; never holds a disk path.
        hrefs: URL paths that the condition element names (RFC 4918 section 16).
        retry_after_seconds: when to come back, for 429 and 503.
    """

    status: ClassVar[int] = 500
    phrase: str = "Internal Server Error"
    condition: ClassVar[str | None] = None

    def __init__(
        self,
        sentence: str = "",
        *,
        phrase: str | None = None,
        hrefs: tuple[str, ...] = (),
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(sentence or self.phrase)
        self.sentence = sentence
        self.hrefs = hrefs
        self.retry_after_seconds = retry_after_seconds
        if phrase is not None:
            self.phrase = phrase


class BadRequest(Refused):
    """The request is not well formed."""

    status = 400
    phrase = "Bad Request"


class BadPath(BadRequest):
    """The request target names nothing that could ever be a resource."""


class BadName(BadRequest):
    """A name that some client could never open: refused where it would be born."""


class IncompleteBody(BadRequest):
    """Fewer bytes arrived than were announced; nothing was changed."""


class DigestMismatch(BadRequest):
    """The body is not the one that its checksum was made from; nothing was changed."""


class NotSignedIn(Refused):
    """No valid credentials came with the request."""

    status = 401
    phrase = "Unauthorized"


class Forbidden(Refused):
    """The principal may not do this, signed in or not."""

    status = 403
    phrase = "Forbidden"


class NameRefused(Forbidden):
    """The allow-list of the space has no room for this file name."""

    condition = "{https://davhost.example/ns}allowed-file-type"


class ContentRefused(Forbidden):
    """The bytes are not what the file name says, or bring macros along."""

    condition = "{https://davhost.example/ns}content-fits-type"


class ReadOnly(Forbidden):
    """The principal may read here, and nothing else."""

    condition = DAV + "need-privileges"  # RFC 3744 section 7.1.1


class Braked(ReadOnly):
    """Too much of a space was changed at once, so that now it can only be read."""

    condition = "{https://davhost.example/ns}too-many-changes"


class ProtectedProperty(Forbidden):
    """A live property that only the server may set (RFC 4918 section 16)."""

    condition = DAV + "cannot-modify-protected-property"


class InfiniteDepth(Forbidden):
    """PROPFIND with Depth infinity is not served (RFC 4918 section 9.1)."""

    condition = DAV + "propfind-finite-depth"


class InvalidSyncToken(Forbidden):
    """The server never gave out this sync-token (RFC 6578 section 3.2)."""

    condition = DAV + "valid-sync-token"


class TooManyLocks(Forbidden):
    """The user holds as many locks as one may."""


class NotFound(Refused):
    """The URL is not mapped to a resource."""

    status = 404
    phrase = "Not Found"


class MethodNotAllowed(Refused):
    """The resource exists and does not support the method."""

    status = 405
    phrase = "Method Not Allowed"


class AlreadyMapped(MethodNotAllowed):
    """MKCOL on a mapped URL (RFC 4918 section 9.3.1)."""

    condition = DAV + "resource-must-be-null"  # RFC 5689 section 3


class BodyStalled(Refused):
    """The client stopped sending in the middle of its body."""

    status = 408
    phrase = "Request Timeout"


class Conflict(Refused):
    """The parent is missing or is not a collection."""

    status = 409
    phrase = "Conflict"


class LockTokenMismatch(Conflict):
    """The submitted token locks something else (RFC 4918 section 9.11.1)."""

    condition = DAV + "lock-token-matches-request-uri"


class PreconditionFailed(Refused):
    """A condition in the request does not hold (RFC 9110 section 13)."""

    status = 412
    phrase = "Precondition Failed"


class TooLarge(Refused):
    """The body or one of its parts is larger than a limit."""

    status = 413
    phrase = "Content Too Large"


class UnsupportedMedia(Refused):
    """The method has no meaning for this body."""

    status = 415
    phrase = "Unsupported Media Type"


class RangeNotSatisfiable(Refused):
    """No byte of any requested range exists.

    Args:
        size_bytes: the length of the representation, for Content-Range.
    """

    status = 416
    phrase = "Range Not Satisfiable"

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"The file has {size_bytes} bytes.")
        self.size_bytes = size_bytes


class Locked(Refused):
    """A lock protects the resource and its token was not submitted."""

    status = 423
    phrase = "Locked"
    condition = DAV + "lock-token-submitted"


class LockConflict(Locked):
    """Another lock stands in the way of the requested one."""

    condition = DAV + "no-conflicting-lock"


class TooManyTries(Refused):
    """Too many wrong passwords came from this address."""

    status = 429
    phrase = "Too Many Requests"


class ContentLost(Refused):
    """The catalogue knows the file, and its bytes are gone from the blob store."""

    status = 500
    phrase = "File Content Is Lost"


class NotImplementedHere(Refused):
    """The server does not know the method or the coding."""

    status = 501
    phrase = "Not Implemented"


class OtherServer(Refused):
    """The Destination is on another server (RFC 4918 section 9.8.5)."""

    status = 502
    phrase = "Bad Gateway"


class Unavailable(Refused):
    """The catalogue or the blob store cannot be reached now."""

    status = 503
    phrase = "Service Unavailable"


class NoRoom(Refused):
    """There is no place for the bytes."""

    status = 507
    phrase = "Insufficient Storage"


class QuotaExceeded(NoRoom):
    """The space would hold more bytes than its quota."""

    condition = DAV + "quota-not-exceeded"  # RFC 4331 section 6


class DiskFull(NoRoom):
    """The machine's disk is full."""

    condition = DAV + "sufficient-disk-space"  # RFC 4331 section 6


class PropertyTooLarge(NoRoom):
    """A dead property is larger, or there are more of them, than a limit (RFC 4918 section 9.2)."""
