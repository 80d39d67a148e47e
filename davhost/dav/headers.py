"""Header fields of requests, parsed into values; malformed ones are refused with 400.

Nothing here decides what a field means for a resource: `conditions` and the
tree do.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from decimal import Decimal, InvalidOperation

from ..conditions import NO_CONDITIONS, Conditions, Etags
from ..errors import BadRequest, OtherServer, UnsupportedMedia
from ..paths import DavPath
from . import if_header
from .dates import parse_http_date
from .origin import Environ, Site

#: An entity tag and what may stand between two (RFC 9110 sections 5.6.1, 8.8.3).
_ETAG = re.compile(r'[ \t,]*(?P<weak>W/)?"(?P<etag>[\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?=,|$)')
_DEPTHS: dict[str, int | None] = {"0": 0, "1": 1, "infinity": None}
_SECOND = re.compile(r"second-([0-9]{1,10})", re.IGNORECASE)
_CODED_URL = re.compile(r"[ \t]*<([A-Za-z][A-Za-z0-9+.-]*:[^<>\s]+)>[ \t]*")
_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?")

_CONDITIONAL = frozenset(
    {
        "HTTP_IF",
        "HTTP_IF_MATCH",
        "HTTP_IF_MODIFIED_SINCE",
        "HTTP_IF_NONE_MATCH",
        "HTTP_IF_UNMODIFIED_SINCE",
    }
)

INFINITE_SECONDS = 2**32 - 1  # RFC 4918 section 10.7: the longest that can be said
ETAGS_MAX = 1000

#: RFC 8144: leave out properties that are not there; leave out the collection itself.
MINIMAL = "return=minimal"
NO_ROOT = "depth-noroot"


def conditions(environ: Environ, site: Site) -> Conditions:
    """Collect every condition of the request.

    Dates that are none are ignored, as RFC 9110 sections 13.1.3 and 13.1.4 ask.

    Raises:
        BadRequest: If-Match, If-None-Match or If is malformed.
    """
    if environ.keys().isdisjoint(_CONDITIONAL):
        return NO_CONDITIONS
    value = environ.get("HTTP_IF")
    return Conditions(
        if_match=etags(environ.get("HTTP_IF_MATCH"), "If-Match"),
        if_none_match=etags(environ.get("HTTP_IF_NONE_MATCH"), "If-None-Match"),
        if_modified_since=_date(environ.get("HTTP_IF_MODIFIED_SINCE")),
        if_unmodified_since=_date(environ.get("HTTP_IF_UNMODIFIED_SINCE")),
        lists=() if value is None else if_header.parse(value, site),
    )


def etags(value: str | None, header: str) -> Etags | None:
    """Parse a list of entity tags, or ``*``.

    Raises:
        BadRequest: a tag is not quoted, or there are more than a thousand.
    """
    if value is None:
        return None
    if value.strip() == "*":
        return Etags(any=True)
    found: dict[bool, set[str]] = {True: set(), False: set()}
    position = count = 0
    while position < len(value.rstrip(" \t,")):
        match = _ETAG.match(value, position)
        count += 1
        if match is None or count > ETAGS_MAX:
            raise BadRequest(f"{header} is neither * nor a list of quoted entity tags.")
        found[match["weak"] is not None].add(match["etag"])
        position = match.end()
    if not count:
        raise BadRequest(f"{header} is empty.")
    return Etags(strong=frozenset(found[False]), weak=frozenset(found[True]))


def depth(environ: Environ, *, default: int | None, allowed: tuple[int | None, ...]) -> int | None:
    """Read Depth: 0, 1, or None for infinity (RFC 4918 section 10.2).

    Raises:
        BadRequest: another value, or one that the method does not allow.
    """
    value = environ.get("HTTP_DEPTH")
    if value is None:
        return default
    text = str(value).strip().lower()
    if text not in _DEPTHS or _DEPTHS[text] not in allowed:
        said = " or ".join("infinity" if d is None else str(d) for d in allowed)
        raise BadRequest(f"The Depth header may only be {said} here.")
    return _DEPTHS[text]


def overwrite(environ: Environ) -> bool:
    """Read Overwrite; T when it is not there (RFC 4918 section 10.6).

    Raises:
        BadRequest: neither T nor F.
    """
    value = str(environ.get("HTTP_OVERWRITE") or "T").strip().upper()
    if value not in ("T", "F"):
        raise BadRequest("The Overwrite header is neither T nor F.")
    return value == "T"


def destination(environ: Environ, site: Site) -> DavPath:
    """Read where COPY or MOVE is to go (RFC 4918 section 10.3).

    Raises:
        BadRequest: missing or malformed.
        BadPath: it names nothing that could ever be a resource.
        OtherServer: on another host, or not below the mount prefix.
    """
    value = environ.get("HTTP_DESTINATION")
    if not value:
        raise BadRequest("The Destination header is missing.")
    path = site.find(str(value).strip())
    if path is None:
        raise OtherServer("The Destination is on another server. Its host must be this server's.")
    return path


def timeout_seconds(environ: Environ) -> int | None:
    """Read how long a lock is wanted; the first value that makes sense counts.

    Returns:
        Seconds, at least 1; None when nothing was asked for or understood.

    Source: RFC 4918 section 10.7.
    """
    for part in str(environ.get("HTTP_TIMEOUT") or "").split(","):
        if part.strip().lower() == "infinite":
            return INFINITE_SECONDS
        match = _SECOND.fullmatch(part.strip())
        if match:
            return max(1, min(int(match[1]), INFINITE_SECONDS))
    return None


def lock_token(environ: Environ) -> str:
    """Read the Lock-Token header of UNLOCK (RFC 4918 section 10.5).

    Raises:
        BadRequest: missing, or no URI in angle brackets.
    """
    match = _CODED_URL.fullmatch(str(environ.get("HTTP_LOCK_TOKEN") or ""))
    if match is None:
        raise BadRequest("The Lock-Token header is missing or not a URI in angle brackets.")
    return match[1]


def modified_us(environ: Environ) -> int | None:
    """Read X-OC-Mtime, the time at which the client's own file was modified.

    rclone sends a decimal fraction, Nextcloud's clients whole seconds.

    Returns:
        Microseconds since 1970 UTC; None when it is missing.

    Raises:
        BadRequest: not a number, or outside of the years 1970 to 9999.
    """
    value = environ.get("HTTP_X_OC_MTIME")
    if value is None:
        return None
    text = str(value).strip()
    try:
        time_us = int(Decimal(text) * 1_000_000) if _DECIMAL.fullmatch(text) else -1
    except InvalidOperation:
        time_us = -1
    if not 0 <= time_us < 253_402_300_800_000_000:
        raise BadRequest("X-OC-Mtime is not a time in seconds since 1970.")
    return time_us


def preferences(environ: Environ) -> frozenset[str]:
    """Read what the client would like, of what there is (RFC 7240, RFC 8144).

    Returns:
        Of ``return=minimal`` and ``depth-noroot`` those that it asks for;
        anything else is a wish that may be ignored.
    """
    value = environ.get("HTTP_PREFER")
    if not value:
        return frozenset()
    asked = (re.sub(r'[ \t"]', "", w.partition(";")[0]) for w in str(value).lower().split(","))
    return frozenset(asked) & {MINIMAL, NO_ROOT}


def applied(preferences: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Tell the client which of its wishes were granted (RFC 7240 section 3)."""
    return (("Preference-Applied", ", ".join(sorted(preferences))),) if preferences else ()


def media_type(environ: Environ) -> str | None:
    """Read the declared type of a body; None when it says nothing useful."""
    value = str(environ.get("CONTENT_TYPE") or "").strip()
    if not value or len(value) > 255 or not value.isascii() or not value.isprintable():
        return None
    return value


def refuse_partial_content(environ: Environ) -> None:
    """Refuse a PUT that is not the whole, plain content.

    A partial PUT taken for a whole one would cut the file (RFC 9110 section
    14.5 asks for 400); one that is applied can be repeated by no client
    safely, and none that mounts drives sends it.

    Raises:
        BadRequest: with Content-Range.
        UnsupportedMedia: with a Content-Encoding, which would be lost.
    """
    if environ.get("HTTP_CONTENT_RANGE"):
        raise BadRequest("A part of a file cannot be written: send the whole file.")
    coding = str(environ.get("HTTP_CONTENT_ENCODING") or "identity").strip().lower()
    if coding != "identity":
        raise UnsupportedMedia("Send the file as it is, without a Content-Encoding.")


def _date(value: str | None) -> int | None:
    return None if value is None else parse_http_date(value)
