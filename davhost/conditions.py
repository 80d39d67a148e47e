"""Conditional requests: RFC 9110 section 13 and the If header of RFC 4918 section 10.4.

The edge parses headers into `Conditions`; this module evaluates them against
the state that the tree finds, in the same transaction as the write. Pure: no
I/O, no headers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from .errors import PreconditionFailed
from .model import Space
from .paths import DavPath


@dataclass(frozen=True, slots=True)
class Etags:
    """The value of If-Match or If-None-Match.

    Args:
        any: whether it was ``*``.
        strong: opaque parts of strong entity tags, without quotes.
        weak: opaque parts of weak ones.
    """

    any: bool = False
    strong: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StateCondition:
    """One ``<token>`` or ``[etag]`` of an If header, perhaps with ``Not``.

    Args:
        token: a state token without angle brackets, or None.
        etag: the opaque part of a strong entity tag, or None; the server makes
            no weak ones, so a weak one is kept as a value that nothing has.
    """

    negated: bool
    token: str | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class StateList:
    """One parenthesised list; its conditions must all hold.

    Args:
        path: the tagged resource; None for the request URI.
        foreign: the tag is a URL of another server, whose state is unknown.
    """

    conditions: tuple[StateCondition, ...]
    path: DavPath | None = None
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Conditions:
    """Every condition of one request; times are seconds since 1970 UTC."""

    if_match: Etags | None = None
    if_none_match: Etags | None = None
    if_modified_since: int | None = None
    if_unmodified_since: int | None = None
    lists: tuple[StateList, ...] = ()
    #: Tokens submitted besides the If header, as UNLOCK does with Lock-Token.
    extra_tokens: frozenset[str] = field(default=frozenset())

    @property
    def tokens(self) -> frozenset[str]:
        """Every state token that the request submits (RFC 4918 section 10.4.1)."""
        if not self.lists:
            return self.extra_tokens
        submitted = {c.token for lst in self.lists for c in lst.conditions if c.token}
        return self.extra_tokens | submitted


NO_CONDITIONS = Conditions()


class State(NamedTuple):
    """What conditions are compared with.

    Args:
        exists: whether the URL is mapped.
        etag: the opaque part of its entity tag; empty if it has none.
        modified_seconds: its Last-Modified, seconds since 1970 UTC.
        tokens: its state tokens: those of the locks that cover it, and the
            sync-token of a collection.
    """

    exists: bool
    etag: str = ""
    modified_seconds: int = 0
    tokens: frozenset[str] = frozenset()


UNMAPPED = State(exists=False)


def sync_token(space: Space, seq: int) -> str:
    """Write the point *seq* of a journal as the URI that DAV:sync-token must be.

    The epoch keeps a client from going on with the numbers of another history,
    when the server was restored from a backup meanwhile.
    """
    return f"urn:x-davhost:sync:{space.id}:{space.epoch}:{seq}"


def check(
    conditions: Conditions,
    target: State,
    state_of: Callable[[DavPath], State],
) -> None:
    """Evaluate every condition that can stop a write.

    If-Match and If-Unmodified-Since come first, then If-None-Match, in the
    order of RFC 9110 section 13.2.2; the If header must hold besides.

    Args:
        state_of: finds the state of a tagged resource.

    Raises:
        PreconditionFailed: naming the header that does not hold.
    """
    if not _matches_expected(conditions, target):
        raise PreconditionFailed("The file is not the version that the request names (If-Match).")
    if conditions.if_none_match is not None and _none_match_fails(conditions.if_none_match, target):
        raise PreconditionFailed("The file exists already, or is unchanged (If-None-Match).")
    if conditions.lists and not _if_header_holds(conditions.lists, target, state_of):
        raise PreconditionFailed("No list of the If header holds.")


def is_not_modified(conditions: Conditions, target: State) -> bool:
    """Whether GET or HEAD is answered by 304 (RFC 9110 section 13.2.2).

    If-Modified-Since counts only without If-None-Match; a date equal to
    Last-Modified is unmodified.
    """
    if conditions.if_none_match is not None:
        return _none_match_fails(conditions.if_none_match, target)
    since = conditions.if_modified_since
    return since is not None and target.exists and target.modified_seconds <= since


def check_read(conditions: Conditions, target: State, state_of: Callable[[DavPath], State]) -> None:
    """Evaluate what can stop a GET or HEAD with 412; 304 is `is_not_modified`.

    Raises:
        PreconditionFailed: If-Match, If-Unmodified-Since or If does not hold.
    """
    if not _matches_expected(conditions, target):
        raise PreconditionFailed("The file is not the version that the request names (If-Match).")
    if conditions.lists and not _if_header_holds(conditions.lists, target, state_of):
        raise PreconditionFailed("No list of the If header holds.")


def _matches_expected(conditions: Conditions, target: State) -> bool:
    expected = conditions.if_match
    if expected is not None:
        # The strong comparison (RFC 9110 section 13.1.1): weak tags never match.
        return target.exists and (expected.any or target.etag in expected.strong)
    since = conditions.if_unmodified_since
    return since is None or not target.exists or target.modified_seconds <= since


def _none_match_fails(unwanted: Etags, target: State) -> bool:
    # The weak comparison (RFC 9110 section 13.1.2).
    return target.exists and (
        unwanted.any or target.etag in unwanted.strong or target.etag in unwanted.weak
    )


def _if_header_holds(
    lists: tuple[StateList, ...], target: State, state_of: Callable[[DavPath], State]
) -> bool:
    for lst in lists:
        state = UNMAPPED
        if not lst.foreign:
            state = target if lst.path is None else state_of(lst.path)
        if all(_holds(condition, state) for condition in lst.conditions):
            return True
    return False


def _holds(condition: StateCondition, state: State) -> bool:
    if condition.token is not None:
        held = condition.token in state.tokens
    else:
        held = state.exists and bool(state.etag) and condition.etag == state.etag
    return held != condition.negated
