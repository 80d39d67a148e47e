"""What happened in homes, without the steps that programs take while they save."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..catalogue import Account, Catalogue
from ..catalogue.activity import Deed
from ..model import Kind, Rules
from ..names import is_temporary
from ..paths import DavPath

#: How many entries are looked at for a page, and how many a page shows at least if there are.
_BATCH, _BATCHES, _ENOUGH = 100, 5, 50

#: Verbs of the journal that mean something to people.
_TOLD = frozenset({"bind", "unbind", "rebind", "resume", "write", "unlock"})


@dataclass(frozen=True, slots=True)
class Page:
    """Some of what happened, the newest first.

    Args:
        next: what to ask for the older ones with; None when there are none.
    """

    deeds: Sequence[Deed]
    next: int | None


class Activity:
    """What people did, as the journals tell it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def of(self, account: Account, server: Rules, before: int | None = None) -> Page:
        """Tell what happened in one home.

        Args:
            before: `Page.next` of the page before; None for the newest.
        """
        with self._catalogue.people() as people:
            return _gather(
                lambda at: people.activity.of_space(account.space_id, at, _BATCH),
                lambda _, deeds: deeds[-1].seq,
                before,
                server,
            )

    def latest(self, server: Rules, skip: int = 0) -> Page:
        """Tell what happened last in all homes.

        Args:
            skip: `Page.next` of the page before.
        """
        with self._catalogue.people() as people:
            return _gather(
                lambda at: people.activity.latest(at or 0, _BATCH),
                lambda at, deeds: (at or 0) + len(deeds),
                skip,
                server,
            )


def _gather(
    fetch: Callable[[int | None], list[Deed]],
    after: Callable[[int | None, list[Deed]], int],
    at: int | None,
    server: Rules,
) -> Page:
    """Fetch entries until a page is full, or enough have been looked at."""
    shown: list[Deed] = []
    for _ in range(_BATCHES):
        found = fetch(at)
        shown += [deed for deed in found if _is_told(deed, server)]
        if len(found) < _BATCH:
            return Page(shown, None)
        at = after(at, found)
        if len(shown) >= _ENOUGH:
            break
    return Page(shown, at)


def _is_told(deed: Deed, server: Rules) -> bool:
    """Whether people meant to do it: a program that saves does much beside."""
    if deed.verb not in _TOLD or deed.kind is Kind.SCRATCH:
        return False
    if deed.verb == "resume" and deed.detail:
        return False  # what the program still knows by the temporary's name
    if deed.verb == "unlock":
        return True
    path = DavPath.from_text(deed.path)
    rules = server if deed.rules is None else _rules(deed.rules)
    return not path.is_root and (deed.kind is Kind.COLLECTION or not is_temporary(path, rules))


@lru_cache
def _rules(text: str) -> Rules:
    return Rules.parse(text)
