"""File types that were refused, and what became of asking for them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum

from ..catalogue import Account, Catalogue
from ..catalogue.journals import REFUSALS_MAX
from ..catalogue.requests import TypeRequest
from ..clock import Clock
from ..model import Refusal, Rules
from ..paths import Name
from .errors import NotRefused

#: No type that anybody uses has a longer name.
_EXTENSION_CHARACTERS_MAX = 16


class Answer(StrEnum):
    """How far asking for a type has come."""

    NOT_ASKED = "not asked"
    WAITING = "waiting"
    NO = "no"


@dataclass(frozen=True, slots=True)
class RefusedType:
    """A type of which an account has had files refused.

    Args:
        refusals: the newest first.
    """

    extension: str
    refusals: tuple[Refusal, ...]
    answer: Answer


class TypeRequests:
    """What people ask administrators to allow.

    Every method takes the server's allow-list.
    """

    def __init__(self, catalogue: Catalogue, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock

    def refused(self, account: Account, server: Rules) -> list[RefusedType]:
        """List the types that were refused in a home and still would be, the newest first."""
        with self._catalogue.people() as people:
            refusals = people.refusals(account.space_id, REFUSALS_MAX)
            asked = {one.extension: one for one in people.requests.list_(account.id)}
        found: dict[str, list[Refusal]] = defaultdict(list)
        rules = account.rules or server
        for refusal in refusals:
            extension = askable(refusal.path)
            if extension and not rules.allows(extension):
                found[extension].append(refusal)
        return [
            RefusedType(extension, tuple(ones), _answer(asked.get(extension)))
            for extension, ones in found.items()
        ]

    def ask(self, account: Account, extension: str, server: Rules) -> None:
        """Ask for a type; a second time changes nothing.

        Raises:
            NotRefused: no file of that type was refused, or it is allowed now.
        """
        refused = {one.extension: one for one in self.refused(account, server)}
        if extension not in refused:
            raise NotRefused(f"no file of the type {extension} was refused")
        with self._catalogue.people(writes=True) as people:
            people.requests.add(
                user_id=account.id,
                extension=extension,
                asked_us=self._clock.now_us(),
                path=refused[extension].refusals[0].path,
            )

    def open_(self) -> dict[str, list[TypeRequest]]:
        """List what waits for an answer, by type, the most wanted first."""
        with self._catalogue.people() as people:
            requests = people.requests.open_()
        by_type: dict[str, list[TypeRequest]] = defaultdict(list)
        for request in requests:
            by_type[request.extension].append(request)
        return dict(sorted(by_type.items(), key=lambda pair: -len(pair[1])))

    def allow(self, user_id: int, extension: str, server: Rules) -> bool:
        """Add a type that was asked for to the account's own list, and answer yes.

        An account that used the server's list has a copy of it from then on.

        Returns:
            Whether it was asked for, and is allowed now.
        """
        with self._catalogue.people(writes=True) as people:
            if people.requests.find(user_id, extension) is None:
                return False
            account = people.find_by_id(user_id)
            if account is None:
                return False
            wider = (account.rules or server).union(Rules(frozenset({extension})))
            if not (account.rules or server).allows(extension):
                people.change_space(account.space_id, rules=str(wider))
            people.requests.remove(user_id, extension)
        return True

    def allow_everybody(self, extension: str, server: Rules) -> None:
        """Add a type to the server's list, and to the own lists of those who asked for it."""
        wider = server.union(Rules(frozenset({extension})))
        with self._catalogue.people(writes=True) as people:
            people.choose_server_rules(wider)
        for one in self.open_().get(extension, []):
            self.allow(one.user_id, extension, wider)

    def dismiss(self, user_id: int, extension: str) -> None:
        """Answer no; the account cannot ask for this type again."""
        with self._catalogue.people(writes=True) as people:
            people.requests.dismiss(user_id, extension)


def askable(path: str) -> str | None:
    """Find the type that a refused path is of; None when no list could hold it."""
    extension = Name.known(path.rpartition("/")[2]).extension
    if len(extension) > _EXTENSION_CHARACTERS_MAX or not extension.isprintable():
        return None
    try:
        alone = Rules.parse(extension).extensions == frozenset({extension})
    except ValueError:
        return None
    return extension if alone else None


def _answer(request: TypeRequest | None) -> Answer:
    if request is None:
        return Answer.NOT_ASKED
    return Answer.NO if request.dismissed else Answer.WAITING
