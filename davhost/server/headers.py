"""Read a request head strictly: bytes in, a ``Head`` or a refusal out.

Pure functions without any I/O. Whatever two parties could read in two ways is
refused, because a proxy in front may have read it the other way: that is how
requests are smuggled (RFC 9112 section 11.2). Where cheroot folds, strips,
lets the last header win or reads ``1_0`` as ten, this module says 400.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple

from davhost.server.errors import BadRequest

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # a token, RFC 9110 section 5.6.2
_REQUEST_LINE = re.compile(
    rf"(?P<method>{_NAME.pattern}) (?P<target>[^\x00-\x20\x7f]+) HTTP/(?P<version>[0-9]\.[0-9])"
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ABSOLUTE = re.compile(r"https?://(?P<authority>[^/?#]*)(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_HOST = re.compile(
    r"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)(?::[0-9]*)?"
)
_DIGITS = re.compile(r"[0-9]+")
_CONTENT_LENGTH_DIGITS_MAX = 18  # below 2**63

#: Fields of which a second line changes what the request means.
_ONCE = frozenset({"HTTP_HOST", "CONTENT_LENGTH"})
#: Fields that decide where a request ends, and what is refused before anybody sees it.
_JUDGED = (
    "HTTP_HOST",
    "CONTENT_LENGTH",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_CONNECTION",
    "HTTP_EXPECT",
)
#: Those whose variable has no prefix (RFC 3875 section 4.1).
_UNPREFIXED = frozenset({"CONTENT_LENGTH", "CONTENT_TYPE"})


class Framing(NamedTuple):
    """What a head says of the connection and of the body that follows."""

    chunked: bool
    #: In bytes; 0 when the request has no body or a chunked one.
    content_length: int
    #: Whether the client leaves the connection open (RFC 9112 section 9.3).
    keeps_alive: bool
    #: Whether the client waits for ``100 Continue`` (RFC 9110 section 10.1.1).
    expects_continue: bool


class Head(NamedTuple):
    """A request head that has been found correct.

    Its octets are characters here, one each, as WSGI wants them (PEP 3333).
    """

    method: str
    #: As sent, octet for octet.
    target: str
    #: Still percent-encoded, without the query; ``*`` for OPTIONS.
    path: str
    query: str
    http11: bool
    #: The header fields by the names that an environ has for them.
    variables: dict[str, str]
    framing: Framing
    #: The header fields as they were sent; None if the target has changed one of them.
    section: bytes | None
    #: What each of their lines says: the name of its variable and the value.
    fields: dict[str, tuple[str, str]]


def tokens(value: str) -> list[str]:
    """Split a comma-separated field value into lower-case members."""
    if not value:
        return []
    return [member for part in value.split(",") if (member := part.strip(" \t").lower())]


def end_of_head(buffer: bytearray, start: int = 0) -> int:
    """Return the position after the head in *buffer*, or -1.

    One blank line ends a head. A bare LF counts too, so that it is refused at
    once instead of being waited on.

    Args:
        start: where to begin looking, so that slow heads are not searched
            from the beginning with each byte.
    """
    start = max(0, start - 3)
    end, bare_end = buffer.find(b"\n\r\n", start), buffer.find(b"\n\n", start)
    if bare_end >= 0 and not 0 <= end < bare_end:
        return bare_end + 2
    return end + 3 if end >= 0 else -1


def parse_head(data: bytes, before: Head | None = None) -> Head:
    """Read a complete head, from the request line to the blank line.

    Args:
        before: the head of the request before, on the same connection: most
            clients send the same fields again, or most of them, which are not
            read twice.

    Raises:
        BadRequest: 400, 413, 417, 501 or 505.
    """
    line, _, section = data.removesuffix(b"\r\n\r\n").partition(b"\r\n")
    method, target, version = _request_line(line.decode("latin-1"))
    http11 = version != "1.0"
    authority, path, query = _split_target(method, target)
    if (
        before is not None
        and before.section == section
        and before.http11 == http11
        and authority is None
    ):
        return Head(method, target, path, query, *before[4:])
    lines = _lines(section)
    known = before.fields if before is not None else {}
    fields = {line: known.get(line) or _field(line) for line in lines}
    variables = _variables(lines, fields)
    if before is not None and authority is None and _is_judged(variables, before, http11):
        framing = before.framing
    else:
        _check_host(variables, authority, http11=http11)
        framing = _framing(variables, http11=http11)
    repeatable = section if authority is None else None
    return Head(method, target, path, query, http11, variables, framing, repeatable, fields)


def parse_field(line: str) -> tuple[str, str]:
    """Split one field line into its name and its value.

    Raises:
        BadRequest: a space before the colon, a folded line, a control character.
    """
    name, colon, value = line.partition(":")
    if not colon or not _NAME.fullmatch(name):
        raise _bad("malformed header line")
    if _CONTROL.search(value):
        raise _bad("control character in a header value")
    return name, value.strip(" \t")


def _bad(reason: str) -> BadRequest:
    return BadRequest(HTTPStatus.BAD_REQUEST, reason)


def _request_line(line: str) -> tuple[str, str, str]:
    if "\n" in line:
        raise _bad("lines end in CRLF")
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise _bad("malformed request line")
    method, target, version = match.group("method", "target", "version")
    if not version.startswith("1."):
        raise BadRequest(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "HTTP/1.1 is spoken here")
    if method == "CONNECT" or method != method.upper():
        # Method names are case-sensitive; one that differs only in case from
        # a known one must not slip past a rule about that one.
        raise BadRequest(HTTPStatus.NOT_IMPLEMENTED, "unknown method")
    return method, target, version


def _lines(section: bytes) -> list[str]:
    """Split the field lines of a head, without the blank line at its end."""
    lines = section.decode("latin-1").split("\r\n") if section else []
    if not section.count(b"\n") == section.count(b"\r") == max(0, len(lines) - 1):
        raise _bad("lines end in CRLF")
    return lines


def _field(line: str) -> tuple[str, str]:
    """Read a field line as a variable; its name is empty if there is none for it."""
    name, value = parse_field(line)
    if "_" in name:
        # "Content_Length" and "Content-Length" are the same CGI variable.
        return "", value
    variable = name.upper().replace("-", "_")
    return variable if variable in _UNPREFIXED else f"HTTP_{variable}", value


def _variables(lines: Sequence[str], fields: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Put together what the *lines* of a head say of each variable."""
    variables = dict(fields.values())
    if len(variables) == len(lines) and "" not in variables:
        return variables  # as nearly always: each says something of another one
    variables.clear()
    for line in lines:
        variable, value = fields[line]
        if not variable:
            continue
        if variable not in variables:
            variables[variable] = value
        elif variable in _ONCE:
            raise _bad(f"more than one {line.partition(':')[0].title()}")
        else:
            joint = "; " if variable == "HTTP_COOKIE" else ", "
            variables[variable] += joint + value
    return variables


def _split_target(method: str, target: str) -> tuple[str | None, str, str]:
    """Return the authority (absolute form only), the path and the query."""
    if "#" in target:
        raise _bad("a request target has no fragment")
    if target == "*" and method == "OPTIONS":
        return None, target, ""
    if target.startswith("/"):
        # "//x/y" is a path here; read as a URI reference it would be a host.
        path, _, query = target.partition("?")
        return None, path, query
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        raise _bad("malformed request target")
    path, _, query = match["rest"].partition("?")
    return match["authority"], path or "/", query


def _check_host(variables: dict[str, str], authority: str | None, *, http11: bool) -> None:
    """Refuse a missing or malformed Host; prefer the target's authority.

    Source: RFC 9112 sections 3.2 and 3.2.2.
    """
    host = variables.get("HTTP_HOST")
    if host is None and http11:
        raise _bad("Host is missing")
    if host is not None and not _HOST.fullmatch(host):
        raise _bad("malformed Host")
    if authority is not None:
        if not _HOST.fullmatch(authority):
            raise _bad("malformed authority")
        variables["HTTP_HOST"] = authority


def _is_judged(variables: dict[str, str], before: Head, http11: bool) -> bool:
    """Tell if all that `_check_host` and `_framing` look at is as it was."""
    if before.section is None or before.http11 != http11:
        return False
    return [*map(variables.get, _JUDGED)] == [*map(before.variables.get, _JUDGED)]


def _framing(variables: dict[str, str], *, http11: bool) -> Framing:
    chunked, content_length = _length(variables, http11=http11)
    return Framing(
        chunked,
        content_length,
        _keeps_alive(variables, http11=http11),
        _expects_continue(variables, http11=http11),
    )


def _length(variables: dict[str, str], *, http11: bool) -> tuple[bool, int]:
    """Return whether the body is chunked, and its length if not.

    Source: RFC 9112 sections 6.1 to 6.3.
    """
    coding = variables.get("HTTP_TRANSFER_ENCODING")
    length = variables.get("CONTENT_LENGTH")
    if coding is None:
        return False, _content_length(length)
    if length is not None:
        raise _bad("Content-Length together with Transfer-Encoding")
    if not http11:
        raise _bad("Transfer-Encoding in HTTP/1.0")
    codings = tokens(coding)
    if not codings or codings.count("chunked") > 1:
        raise _bad("malformed Transfer-Encoding")
    if codings != ["chunked"]:
        raise BadRequest(HTTPStatus.NOT_IMPLEMENTED, "only the chunked transfer coding is known")
    return True, 0


def _content_length(value: str | None) -> int:
    if value is None:
        return 0
    if not _DIGITS.fullmatch(value):
        raise _bad("malformed Content-Length")
    if len(value) > _CONTENT_LENGTH_DIGITS_MAX:
        raise BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Content-Length is too large")
    return int(value)


def _keeps_alive(variables: dict[str, str], *, http11: bool) -> bool:
    options = tokens(variables.get("HTTP_CONNECTION", ""))
    if "close" in options:
        return False
    return http11 or "keep-alive" in options


def _expects_continue(variables: dict[str, str], *, http11: bool) -> bool:
    """Tell if the client waits; HTTP/1.0 has no such thing."""
    expected = tokens(variables.get("HTTP_EXPECT", ""))
    if not http11:
        return False
    if expected.count("100-continue") != len(expected):
        raise BadRequest(HTTPStatus.EXPECTATION_FAILED, "only 100-continue is understood")
    return bool(expected)
