"""Frame an answer: its head, and how its body is delimited.

Pure functions without any I/O. The server owns the fields that concern the
connection; an application only says what it wants to send.
"""

import re
import time
from email.utils import formatdate
from enum import Enum, auto
from functools import lru_cache
from typing import NamedTuple

from davhost.server.errors import BadAnswer
from davhost.server.headers import tokens

Fields = list[tuple[str, str]]

_STATUS = re.compile(r"[2-5][0-9]{2} [\t\x20-\x7e\x80-\xff]*")
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FORBIDDEN_IN_VALUE = re.compile(r"[^\x01-\x09\x0b\x0c\x0e-\xff]")

_LENGTH = "content-length"

#: Fields that belong to the connection, not to the answer (PEP 3333, RFC 9110
#: section 7.6.1). What an application says in them is not sent.
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade", "trailer"})
#: The length is sent as what it comes to be.
_NOT_SENT = _HOP_BY_HOP | {_LENGTH}
_UNDERSTOOD = frozenset({"connection", _LENGTH, "date", "server"})

#: Fields, as they are usually written, that say something else in each answer, or
#: something that must not be remembered.
_VARYING = frozenset(
    {
        "Content-Disposition",
        "Content-Range",
        "ETag",
        "Last-Modified",
        "Location",
        "Lock-Token",
        "Set-Cookie",
        "X-Request-Id",
    }
)

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


class Answer(NamedTuple):
    """A head that is ready to be sent, and what must follow it."""

    head: bytes
    delimiter: Delimiter
    #: Declared by the application, in bytes; None if it declared nothing.
    length: int | None
    closes: bool


class Checked(NamedTuple):
    """The status and the fields that an application answers with, fit to be sent."""

    status: str
    #: Lines that are sent as they are.
    lines: list[str]
    #: The values of fields that mean something here, by their names in lower case.
    understood: dict[str, set[str]]


def check_answer(status: str, fields: Fields) -> Checked:
    """Refuse what would break the head or let a value become a new field.

    Raises:
        BadAnswer: a malformed status, name or value. cheroot sends them.
    """
    _check_status(status)
    lines: list[str] = []
    understood: dict[str, set[str]] = {}
    for name, value in fields:
        if name in _VARYING:
            _check_value(name, value)
            lines.append(f"{name}: {value}\r\n")
            continue
        lower, line = _line(name, value)
        if line:
            lines.append(line)
        if lower in _UNDERSTOOD:
            understood.setdefault(lower, set()).add(value)
    return Checked(status, lines, understood)


def frame(
    checked: Checked,
    *,
    method: str,
    http11: bool,
    keeps_alive: bool,
    body_length: int | None = None,
) -> Answer:
    """Complete what an application answers with to a head.

    Args:
        keeps_alive: the client, the request body and the server allow it.
        body_length: in bytes, if the whole body is at hand already.

    Raises:
        BadAnswer: Content-Length is not a number.
    """
    status, own_lines, understood = checked
    lines = own_lines.copy()
    bodiless = status[:3] in _BODILESS
    length = _declared_length(understood[_LENGTH]) if _LENGTH in understood else None
    if length is None and not bodiless:
        length = body_length
    delimiter = _delimiter(method, bodiless=bodiless, length=length, http11=http11)
    closes = not keeps_alive or delimiter is Delimiter.CLOSE or _wants_close(understood)
    if length is not None and not bodiless:
        # 204 has none (RFC 9110 section 8.6); in a 304 it would be the length
        # of the 200, which applications get wrong.
        lines.append(f"Content-Length: {length}\r\n")
    if delimiter is Delimiter.CHUNKS:
        lines.append("Transfer-Encoding: chunked\r\n")
    if "date" not in understood:
        lines.append(_date(int(time.time())))
    if "server" not in understood:
        lines.append("Server: davhost\r\n")
    if closes:
        lines.append("Connection: close\r\n")
    elif not http11:
        lines.append("Connection: keep-alive\r\n")
    head = f"HTTP/1.1 {status}\r\n{''.join(lines)}\r\n"
    return Answer(head.encode("latin-1"), delimiter, length, closes)


def plain_answer(
    status: str, text: str, *, method: str = "GET", request_id: str | None = None
) -> bytes:
    """Return a whole answer with a line of text, after which the server closes.

    To HEAD only its head is sent.
    """
    body = f"{text}\n".encode()
    fields = [("Content-Type", "text/plain; charset=utf-8"), *_SAFE]
    if request_id is not None:
        fields.append(("X-Request-Id", request_id))
    checked = check_answer(status, fields)
    answer = frame(checked, method=method, http11=True, keeps_alive=False, body_length=len(body))
    return answer.head if answer.delimiter is Delimiter.NO_BODY else answer.head + body


@lru_cache(maxsize=64)
def _check_status(status: str) -> None:
    if not isinstance(status, str) or not _STATUS.fullmatch(status):
        raise BadAnswer(f"malformed status {status!r}")


@lru_cache(maxsize=512)
def _line(name: str, value: str) -> tuple[str, str]:
    """Write a field; most of an answer stand in every answer.

    Returns:
        Its name in lower case, and its line; empty if it is not sent.

    Raises:
        BadAnswer: it is none.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadAnswer(f"malformed header name {name!r}")
    _check_value(name, value)
    lower = name.lower()
    return lower, "" if lower in _NOT_SENT else f"{name}: {value}\r\n"


def _check_value(name: str, value: str) -> None:
    if not isinstance(value, str) or _FORBIDDEN_IN_VALUE.search(value):
        raise BadAnswer(f"malformed value of header {name}")


def _declared_length(values: set[str]) -> int:
    value, *others = values
    if others or not (value.isascii() and value.isdigit()):
        raise BadAnswer("malformed Content-Length")
    return int(value)


def _delimiter(method: str, *, bodiless: bool, length: int | None, http11: bool) -> Delimiter:
    if bodiless or method == "HEAD":
        return Delimiter.NO_BODY
    if length is not None:
        return Delimiter.LENGTH
    return Delimiter.CHUNKS if http11 else Delimiter.CLOSE


def _wants_close(understood: dict[str, set[str]]) -> bool:
    values = understood.get("connection")
    return values is not None and any("close" in tokens(value) for value in values)


_last_date = (0, "")


def _date(second: int) -> str:
    """Write the field with the date, which is the same for all answers of one second."""
    global _last_date
    known, line = _last_date
    if known != second:
        line = f"Date: {formatdate(second, usegmt=True)}\r\n"
        _last_date = (second, line)
    return line
