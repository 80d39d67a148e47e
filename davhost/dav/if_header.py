"""The If header: its grammar, nothing of its meaning (RFC 4918 section 10.4.2)."""

from __future__ import annotations

import re

from ..conditions import StateCondition, StateList
from ..errors import BadRequest
from .origin import Site

_TOKENS = re.compile(
    r"[ \t]*(?:"
    r"(?P<open>\()|(?P<close>\))|(?P<not>Not\b)|<(?P<url>[^<>\s]*)>"
    r'|\[(?P<weak>W/)?"(?P<etag>[^"]*)"\]'
    r")[ \t]*",
    re.IGNORECASE,
)
#: A state token is an absolute URI (RFC 3986 section 4.3).
_ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.+")

LISTS_MAX = 1000


def parse(value: str, site: Site) -> tuple[StateList, ...]:
    """Parse an If header.

    Args:
        site: tells which tagged resources are on this server.

    Raises:
        BadRequest: it breaks the grammar, mixes tagged and untagged lists, or
            has more than a thousand of them.
    """
    reader = _Reader(value)
    lists: list[StateList] = []
    tag: str | None = None
    tagged = reader.kind == "url"
    while reader.kind:
        if reader.kind == "url":
            if not tagged:
                raise _malformed("tagged lists after lists without a tag")
            tag = reader.take()
            if reader.kind != "open":
                raise _malformed("a resource tag without a list")
        conditions = _list(reader)
        lists.append(_state_list(conditions, tag, site))
        if len(lists) > LISTS_MAX:
            raise _malformed(f"more than {LISTS_MAX} lists")
    if not lists:
        raise _malformed("no list")
    return tuple(lists)


class _Reader:
    """One look ahead over the tokens; `kind` is empty at the end."""

    def __init__(self, value: str) -> None:
        self._value = value
        self._position = 0
        self._match: re.Match[str] | None = None
        self.kind = ""
        self._advance()

    def take(self) -> str:
        """Return the text of the token in sight, and look at the next one."""
        assert self._match is not None  # noqa: S101 - callers have looked at kind
        text = self._match[self.kind]
        self._advance()
        return text

    @property
    def is_weak(self) -> bool:
        """Whether the entity tag in sight is a weak one."""
        return self._match is not None and self._match["weak"] is not None

    def _advance(self) -> None:
        if self._position == len(self._value):
            self.kind = ""
            return
        self._match = _TOKENS.match(self._value, self._position)
        if self._match is None:
            raise _malformed(f"nothing that can be read at position {self._position}")
        self._position = self._match.end()
        self.kind = self._match.lastgroup or ""


def _list(reader: _Reader) -> tuple[StateCondition, ...]:
    if reader.kind != "open":
        raise _malformed("a condition outside of a list")
    reader.take()
    conditions: list[StateCondition] = []
    while reader.kind != "close":
        negated = reader.kind == "not"
        if negated:
            reader.take()
        conditions.append(_condition(reader, negated=negated))
    reader.take()
    if not conditions:
        raise _malformed("an empty list")
    return tuple(conditions)


def _condition(reader: _Reader, *, negated: bool) -> StateCondition:
    if reader.kind == "url":
        token = reader.take()
        if not _ABSOLUTE_URI.fullmatch(token):
            raise _malformed("a state token that is no URI")
        return StateCondition(negated, token=token)
    if reader.kind == "etag":
        weak = reader.is_weak
        etag = reader.take()
        # No resource has a weak tag here, nor can a strong one hold a quote.
        return StateCondition(negated, etag=f'W/"{etag}"' if weak else etag)
    raise _malformed("a list that holds something else than tokens and entity tags")


def _state_list(conditions: tuple[StateCondition, ...], tag: str | None, site: Site) -> StateList:
    if tag is None:
        return StateList(conditions)
    path = site.find(tag)
    return StateList(conditions, path=path, foreign=path is None)


def _malformed(what: str) -> BadRequest:
    return BadRequest(f"The If header is malformed: {what}.")
