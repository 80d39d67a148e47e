"""What PROPPATCH and the body of MKCOL ask to change.

Dead properties are kept as they came. Some of them also say when the client's
own file was made or modified, and that becomes the date of the resource:
Explorer and rclone show it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ..errors import DAV, BadRequest, Conflict, ProtectedProperty, Refused
from ..model import PropertyUpdate
from .dates import parse_http_date
from .live_properties import LIVE
from .xml_bodies import Element

_WIN32 = "{urn:schemas-microsoft-com:}"


@dataclass
class Updates:
    """What is asked for, in document order.

    Attributes:
        names: every property that was named, each once.
        changes: what the tree is to do.
        refusals: why properties among *names* cannot be changed.
        modified_us: the new date of the resource, or None.
        created_us: the new creation date, or None.
    """

    names: list[str] = field(default_factory=list)
    changes: list[PropertyUpdate] = field(default_factory=list)
    refusals: dict[str, Refused] = field(default_factory=dict)
    modified_us: int | None = None
    created_us: int | None = None


def read(root: Element) -> Updates:
    """Read DAV:propertyupdate (RFC 4918 section 14.19).

    Raises:
        BadRequest: another root, or nothing to change.
    """
    if root.name != DAV + "propertyupdate":
        raise BadRequest("The body of PROPPATCH is a DAV:propertyupdate element.")
    updates = Updates()
    for element, is_set in instructions(root):
        take(updates, element, is_set=is_set)
    if not updates.names:
        raise BadRequest("The body of PROPPATCH changes no property.")
    return updates


def instructions(root: Element) -> Iterator[tuple[Element, bool]]:
    """Yield every property to change, and whether it is to be set."""
    for instruction in root.members:
        if instruction.name in (DAV + "set", DAV + "remove"):
            for prop in instruction.members:
                if prop.name == DAV + "prop":
                    for element in prop.members:
                        yield element, instruction.name == DAV + "set"


def take(updates: Updates, element: Element, *, is_set: bool) -> None:
    """Add one instruction to *updates*."""
    name = element.name
    if name not in updates.names:
        updates.names.append(name)
    if name in LIVE:
        updates.refusals[name] = ProtectedProperty("Only the server sets this property.")
    elif name == _LAST_MODIFIED:
        _take_unix_time(updates, element, is_set=is_set)
    else:
        updates.changes.append(PropertyUpdate(name, element.whole() if is_set else None))
        remember = _DATES.get(name)
        if is_set and remember is not None:
            at = parse_http_date(element.text)
            # Windows says 1601 for "no date".
            if at is not None and at > 0:
                remember(updates, at * 1_000_000)


def _modified(updates: Updates, time_us: int) -> None:
    updates.modified_us = time_us


def _created(updates: Updates, time_us: int) -> None:
    updates.created_us = time_us


_DATES: dict[str, Callable[[Updates, int], None]] = {
    _WIN32 + "Win32LastModifiedTime": _modified,
    _WIN32 + "Win32CreationTime": _created,
}

#: How rclone sets the date of a file that stands there already, in Unix seconds.
_LAST_MODIFIED = DAV + "lastmodified"


def _take_unix_time(updates: Updates, element: Element, *, is_set: bool) -> None:
    digits = element.text
    if not is_set:
        return
    if digits.isascii() and digits.isdigit() and len(digits) <= 11:
        updates.modified_us = int(digits) * 1_000_000
    else:
        updates.refusals[element.name] = Conflict("The date is not a number of seconds.")
