"""What the body of a PROPFIND asks for (RFC 4918 sections 9.1 and 14.20)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..errors import DAV, BadRequest, TooLarge
from .xml_bodies import Element

NAMES_MAX = 1000


class Mode(Enum):
    """The three kinds of PROPFIND."""

    ALL = DAV + "allprop"
    NAMES = DAV + "propname"
    NAMED = DAV + "prop"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of each resource.

    Args:
        names: with NAMED, the properties; with ALL, what DAV:include adds.
    """

    mode: Mode
    names: tuple[str, ...] = ()


EVERYTHING = Wanted(Mode.ALL)


def read(root: Element) -> Wanted:
    """Read DAV:propfind; elements that are not known are skipped (RFC 4918 section 17).

    Raises:
        BadRequest: another root, or not exactly one kind of request.
        TooLarge: too many properties are named.
    """
    if root.name != DAV + "propfind":
        raise BadRequest("The body of PROPFIND is a DAV:propfind element.")
    kinds = [member for member in root.members if member.name in _MODES]
    if len(kinds) != 1:
        raise BadRequest("DAV:propfind holds one of DAV:allprop, DAV:propname and DAV:prop.")
    mode = _MODES[kinds[0].name]
    if mode is Mode.NAMED:
        return Wanted(mode, names_in(kinds[0]))
    include = root.find(DAV + "include")
    if mode is Mode.ALL and include is not None:
        return Wanted(mode, names_in(include))
    return Wanted(mode)


_MODES = {mode.value: mode for mode in Mode}


def names_in(element: Element) -> tuple[str, ...]:
    """Read the names of properties, each once.

    Raises:
        TooLarge: more than a client could mean; each is answered for each member.
    """
    names = tuple(dict.fromkeys(member.name for member in element.members))
    if len(names) > NAMES_MAX:
        raise TooLarge(f"At most {NAMES_MAX} properties can be asked for at once.")
    return names
