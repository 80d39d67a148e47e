"""The members of a collection, of which there may be tens of thousands."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any, overload

from sqlalchemy import bindparam, select

from ..model import Columns, Resource
from .prepared import Prepared
from .rows import RESOURCE, resource_of
from .schema import resource

#: The columns by the fields of `Columns`. What is the same for all members, their space
#: and their collection, is not among them.
_COLUMNS = dict(zip(Columns._fields, (RESOURCE[0], *RESOURCE[3:]), strict=True))

#: Those that are fetched in any case: what tells members apart.
_ALWAYS = frozenset({"names", "kinds"})


class Members(Sequence[Resource]):
    """The members of a collection; the value of each is made when it is looked at.

    Of a large collection, the rows alone are many megabytes.

    Args:
        fields: what the rows have, in their order. Without all of them there are no
            values to be made, only columns to be taken.
    """

    def __init__(self, collection: Resource, fields: Sequence[str], rows: list[Any]) -> None:
        self._collection = collection
        self._fields = fields
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Resource: ...
    @overload
    def __getitem__(self, index: slice) -> list[Resource]: ...
    def __getitem__(self, index: int | slice) -> Resource | list[Resource]:
        if isinstance(index, slice):
            return [self._resource(row) for row in self._rows[index]]
        return self._resource(self._rows[index])

    def __iter__(self) -> Iterator[Resource]:
        return map(self._resource, self._rows)

    def take(self, count: int) -> Iterator[Columns]:
        """Take the members out, *count* at a time; they are forgotten when they were used."""
        rows = self._rows
        rows.reverse()
        while rows:
            some = rows[: -count - 1 : -1]
            del rows[-count:]
            columns = dict(zip(self._fields, zip(*some, strict=True), strict=True))
            yield Columns._make(columns.get(field, ()) for field in Columns._fields)

    def _resource(self, row: Any) -> Resource:
        collection = self._collection
        return resource_of((row[0], collection.space_id, collection.id, *row[1:]))


def fields_of(wanted: Collection[str] | None) -> tuple[str, ...]:
    """Put fields of `Columns` in their order, with those that are fetched in any case.

    Args:
        wanted: None for all.
    """
    if wanted is None:
        return Columns._fields
    return tuple(field for field in Columns._fields if field in wanted or field in _ALWAYS)


@lru_cache
def members_of(fields: tuple[str, ...]) -> Prepared:
    """Write the query for *fields* of the members of a collection, by name."""
    return Prepared(
        select(*(_COLUMNS[field] for field in fields))
        .where(resource.c.parent_id == bindparam("parent"))
        .order_by(resource.c.name)
    )
