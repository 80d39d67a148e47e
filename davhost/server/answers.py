"""Frame an answer: its head, and how its body is delimited.

Pure functions without any I/O. The server owns the fields that concern the
connection; an application only says what it wants to send.
"""

import re
import time
from dataclasses import dataclass
from email.utils import formatdate
from enum import Enum, auto

from davhost.server.errors import BadAnswer
from davhost.server.headers import tokens

Fields = list[tuple[str, str]]

_STATUS = re.compile(r"[2-5][0-9]{2} [\t\x20-\x7e\x80-\xff]*")
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FORBIDDEN_IN_VALUE = re.compile(r"[\x00\r\n]|[^\x00-\xff]")

#: Fields that belong to the connection, not to the answer (PEP 3333, RFC 9110
#: section 7.6.1). What an application says in them is not sent.
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade", "trailer"})

#: A browser must not run, frame or keep what the server says by itself.
_SAFE = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)

_BODILESS = frozenset({"204", "304"})


class Delimiter(Enum):
    """How the client learns where the answer ends (RFC 9112 section 6.3)."""

    NO_BODY = auto()
    LENGTH = auto()
    CHUNKS = auto()
    CLOSE = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """A head that is ready to be sent, and what must follow it."""

    head: bytes
    delimiter: Delimiter
    #: Declared by the application, in bytes; None if it declared nothing.
    length: int | None
    closes: bool


def check_answer(status: str, fields: Fields) -> None:
    """Refuse what would break the head or let a value become a new field.

    Raises:
        BadAnswer: a malformed status, name or value. cheroot sends them.
    """
    if not isinstance(status, str) or not _STATUS.fullmatch(status):
        raise BadAnswer(f"malformed status {status!r}")
    for name, value in fields:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise BadAnswer(f"malformed header name {name!r}")
        if not isinstance(value, str) or _FORBIDDEN_IN_VALUE.search(value):
            raise BadAnswer(f"malformed value of header {name}")


def frame(
    status: str,
    fields: Fields,
    *,
    method: bytes,
    http11: bool,
    keeps_alive: bool,
    body_length: int | None = None,
) -> Answer:
    """Complete *fields* to a head.

    Args:
        keeps_alive: the client, the request body and the server allow it.
        body_length: in bytes, if the whole body is at hand already.

    Raises:
        BadAnswer: Content-Length is not a number.
    """
    lengths = {value for name, value in fields if name.lower() == "content-length"}
    length = _declared_length(lengths)
    bodiless = status[:3] in _BODILESS
    if length is None and not bodiless:
        length = body_length
    delimiter = _delimiter(method, bodiless=bodiless, length=length, http11=http11)
    closes = not keeps_alive or delimiter is Delimiter.CLOSE or _wants_close(fields)
    head = _head(status, fields, None if bodiless else length, delimiter)
    head += _connection_field(closes=closes, http11=http11)
    return Answer((head + "\r\n").encode("latin-1"), delimiter, length, closes)


def plain_answer(
    status: str, text: str, *, method: bytes = b"GET", request_id: str | None = None
) -> bytes:
    """Return a whole answer with a line of text, after which the server closes.

    To HEAD only its head is sent.
    """
    body = f"{text}\n".encode()
    fields = [("Content-Type", "text/plain; charset=utf-8"), *_SAFE]
    if request_id is not None:
        fields.append(("X-Request-Id", request_id))
    answer = frame(
        status, fields, method=method, http11=True, keeps_alive=False, body_length=len(body)
    )
    return answer.head if answer.delimiter is Delimiter.NO_BODY else answer.head + body


def _declared_length(values: set[str]) -> int | None:
    if not values:
        return None
    value = values.pop()
    if values or not (value.isascii() and value.isdigit()):
        raise BadAnswer("malformed Content-Length")
    return int(value)


def _delimiter(method: bytes, *, bodiless: bool, length: int | None, http11: bool) -> Delimiter:
    if bodiless or method == b"HEAD":
        return Delimiter.NO_BODY
    if length is not None:
        return Delimiter.LENGTH
    return Delimiter.CHUNKS if http11 else Delimiter.CLOSE


def _wants_close(fields: Fields) -> bool:
    return any(
        name.lower() == "connection" and b"close" in tokens(value.encode("latin-1"))
        for name, value in fields
    )


def _head(status: str, fields: Fields, length: int | None, delimiter: Delimiter) -> str:
    names = {name.lower() for name, _ in fields}
    lines = [f"HTTP/1.1 {status}\r\n"]
    lines += [
        f"{name}: {value}\r\n"
        for name, value in fields
        if (lower := name.lower()) not in _HOP_BY_HOP and lower != "content-length"
    ]
    if length is not None:
        # 204 has none (RFC 9110 section 8.6); in a 304 it would be the length
        # of the 200, which applications get wrong.
        lines.append(f"Content-Length: {length}\r\n")
    if delimiter is Delimiter.CHUNKS:
        lines.append("Transfer-Encoding: chunked\r\n")
    if "date" not in names:
        lines.append(f"Date: {_date(int(time.time()))}\r\n")
    if "server" not in names:
        lines.append("Server: davhost\r\n")
    return "".join(lines)


def _connection_field(*, closes: bool, http11: bool) -> str:
    if closes:
        return "Connection: close\r\n"
    return "" if http11 else "Connection: keep-alive\r\n"


_last_date = (0, "")


def _date(second: int) -> str:
    """Format a date, which is the same for all answers of one second."""
    global _last_date
    known, text = _last_date
    if known != second:
        text = formatdate(second, usegmt=True)
        _last_date = (second, text)
    return text
