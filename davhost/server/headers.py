"""Read a request head strictly: bytes in, a ``Head`` or a refusal out.

Pure functions without any I/O. Whatever two parties could read in two ways is
refused, because a proxy in front may have read it the other way: that is how
requests are smuggled (RFC 9112 section 11.2). Where cheroot folds, strips,
lets the last header win or reads ``1_0`` as ten, this module says 400.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus

from davhost.server.errors import BadRequest

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # RFC 9110 section 5.6.2
_REQUEST_LINE = re.compile(
    rb"(?P<method>" + _TOKEN + rb") (?P<target>[^\x00-\x20\x7f]+) HTTP/(?P<version>[0-9]\.[0-9])"
)
_FIELD_LINE = re.compile(rb"(" + _TOKEN + rb"):(.*)", re.DOTALL)
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_ABSOLUTE = re.compile(rb"https?://(?P<authority>[^/?#]*)(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_HOST = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)(?::[0-9]*)?"
)
_DIGITS = re.compile(rb"[0-9]+")
_CONTENT_LENGTH_DIGITS_MAX = 18  # below 2**63

#: One blank line ends a head. A bare LF counts too, so that it is refused at
#: once instead of being waited on.
_END = re.compile(rb"\n\r?\n")

#: Fields of which a second line changes what the request means.
_ONCE = frozenset({b"Host", b"Content-Length"})


@dataclass(frozen=True, slots=True)
class Head:
    """A request head that has been found correct."""

    method: bytes
    #: As sent, byte for byte.
    target: bytes
    #: Still percent-encoded, without the query; ``*`` for OPTIONS.
    path: bytes
    query: bytes
    http11: bool
    #: Title-Case names, as cheroot's gateway wants them.
    fields: dict[bytes, bytes]
    chunked: bool
    #: In bytes; 0 when the request has no body or a chunked one.
    content_length: int

    @property
    def keeps_alive(self) -> bool:
        """Tell if the client leaves the connection open (RFC 9112 section 9.3)."""
        options = tokens(self.fields.get(b"Connection", b""))
        if b"close" in options:
            return False
        return self.http11 or b"keep-alive" in options

    @property
    def expects_continue(self) -> bool:
        """Tell if the client waits for ``100 Continue`` (RFC 9110 section 10.1.1)."""
        if not self.http11:
            return False
        return b"100-continue" in tokens(self.fields.get(b"Expect", b""))


def tokens(value: bytes) -> list[bytes]:
    """Split a comma-separated field value into lower-case members."""
    return [member for part in value.split(b",") if (member := part.strip(b" \t").lower())]


def end_of_head(buffer: bytearray, start: int = 0) -> int:
    """Return the position after the head in *buffer*, or -1.

    Args:
        start: where to begin looking, so that slow heads are not searched
            from the beginning with each byte.
    """
    match = _END.search(buffer, max(0, start - 3))
    return match.end() if match else -1


def parse_head(data: bytes) -> Head:
    """Read a complete head, from the request line to the blank line.

    Raises:
        BadRequest: 400, 413, 417, 501 or 505.
    """
    lines = data.removesuffix(b"\r\n\r\n").split(b"\r\n")
    if any(b"\n" in line or b"\r" in line for line in lines):
        raise _bad("lines end in CRLF")
    method, target, version = _request_line(lines[0])
    http11 = version != b"1.0"
    fields = _fields(lines[1:])
    authority, path, query = _split_target(method, target)
    _check_host(fields, authority, http11=http11)
    chunked, content_length = _framing(fields, http11=http11)
    _check_expectation(fields, http11=http11)
    return Head(method, target, path, query, http11, fields, chunked, content_length)


def parse_field(line: bytes) -> tuple[bytes, bytes]:
    """Split one field line into its name and its value.

    Raises:
        BadRequest: a space before the colon, a folded line, a control character.
    """
    match = _FIELD_LINE.fullmatch(line)
    if match is None:
        raise _bad("malformed header line")
    name, value = match.groups()
    # Not by the expression: it would look for the end of the value again from
    # each of its spaces, for half a minute when there are 60,000.
    value = value.strip(b" \t")
    if _CONTROL.search(value):
        raise _bad("control character in a header value")
    return name, value


def _bad(reason: str) -> BadRequest:
    return BadRequest(HTTPStatus.BAD_REQUEST, reason)


def _request_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise _bad("malformed request line")
    method, target, version = match.group("method", "target", "version")
    if not version.startswith(b"1."):
        raise BadRequest(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "HTTP/1.1 is spoken here")
    if method == b"CONNECT" or method != method.upper():
        # Method names are case-sensitive; one that differs only in case from
        # a known one must not slip past a rule about that one.
        raise BadRequest(HTTPStatus.NOT_IMPLEMENTED, "unknown method")
    return method, target, version


def _fields(lines: list[bytes]) -> dict[bytes, bytes]:
    fields: dict[bytes, bytes] = {}
    for line in lines:
        name, value = parse_field(line)
        if b"_" in name:
            # "Content_Length" and "Content-Length" are the same CGI variable.
            continue
        name = name.title()
        if name not in fields:
            fields[name] = value
        elif name in _ONCE:
            raise _bad(f"more than one {name.decode()}")
        else:
            joint = b"; " if name == b"Cookie" else b", "
            fields[name] += joint + value
    return fields


def _split_target(method: bytes, target: bytes) -> tuple[bytes | None, bytes, bytes]:
    """Return the authority (absolute form only), the path and the query."""
    if b"#" in target:
        raise _bad("a request target has no fragment")
    if target == b"*" and method == b"OPTIONS":
        return None, target, b""
    if target.startswith(b"/"):
        # "//x/y" is a path here; read as a URI reference it would be a host.
        path, _, query = target.partition(b"?")
        return None, path, query
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        raise _bad("malformed request target")
    path, _, query = match["rest"].partition(b"?")
    return match["authority"], path or b"/", query


def _check_host(fields: dict[bytes, bytes], authority: bytes | None, *, http11: bool) -> None:
    """Refuse a missing or malformed Host; prefer the target's authority.

    Source: RFC 9112 sections 3.2 and 3.2.2.
    """
    host = fields.get(b"Host")
    if host is None and http11:
        raise _bad("Host is missing")
    if host is not None and not _HOST.fullmatch(host):
        raise _bad("malformed Host")
    if authority is not None:
        if not _HOST.fullmatch(authority):
            raise _bad("malformed authority")
        fields[b"Host"] = authority


def _framing(fields: dict[bytes, bytes], *, http11: bool) -> tuple[bool, int]:
    """Return whether the body is chunked, and its length if not.

    Source: RFC 9112 sections 6.1 to 6.3.
    """
    coding = fields.get(b"Transfer-Encoding")
    length = fields.get(b"Content-Length")
    if coding is None:
        return False, _content_length(length)
    if length is not None:
        raise _bad("Content-Length together with Transfer-Encoding")
    if not http11:
        raise _bad("Transfer-Encoding in HTTP/1.0")
    codings = tokens(coding)
    if not codings or codings.count(b"chunked") > 1:
        raise _bad("malformed Transfer-Encoding")
    if codings != [b"chunked"]:
        raise BadRequest(HTTPStatus.NOT_IMPLEMENTED, "only the chunked transfer coding is known")
    return True, 0


def _content_length(value: bytes | None) -> int:
    if value is None:
        return 0
    if not _DIGITS.fullmatch(value):
        raise _bad("malformed Content-Length")
    if len(value) > _CONTENT_LENGTH_DIGITS_MAX:
        raise BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Content-Length is too large")
    return int(value)


def _check_expectation(fields: dict[bytes, bytes], *, http11: bool) -> None:
    expected = tokens(fields.get(b"Expect", b""))
    if http11 and any(member != b"100-continue" for member in expected):
        raise BadRequest(HTTPStatus.EXPECTATION_FAILED, "only 100-continue is understood")
