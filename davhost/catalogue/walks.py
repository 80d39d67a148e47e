"""Queries that follow the names of a path through the tree, each of them one statement."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import FromClause, and_, bindparam, select

from ..model import Resource, Space
from ..paths import DavPath, Name
from .prepared import Asked, Prepared
from .rows import RESOURCE, SPACE, WIDTH, resource_of, space_of
from .schema import resource, space

#: How many names one query follows; SQLite joins 64 tables at most.
STEPS_MAX = 32


class Glimpse(NamedTuple):
    """What one statement finds at a path.

    Args:
        resource: None when the URL is not mapped.
        space: None when it was not asked for, or is gone.
    """

    resource: Resource | None
    space: Space | None


def can_glimpse(path: DavPath) -> bool:
    """Whether one statement finds what is at *path*."""
    return len(path.names) <= STEPS_MAX


def glimpse(asked: Asked, space_id: int, path: DavPath, *, sees_space: bool) -> Glimpse:
    """Find what is at a *path* that `can_glimpse`, and perhaps the space."""
    statement = follow(len(path.names), only_last=True, sees_space=sees_space)
    row = asked.row(statement, space=space_id, **values_of(path.names))
    if row is None:
        return Glimpse(None, None)
    return Glimpse(
        None if row[0] is None else resource_of(row[:WIDTH]),
        space_of(row[WIDTH:]) if sees_space else None,
    )


@lru_cache
def follow(
    length: int, *, from_root: bool = True, only_last: bool = False, sees_space: bool = False
) -> Prepared:
    """Write the query that follows *length* names, downwards from one resource.

    Its one row has the columns of all of them, side by side; they are NULL from
    where nothing is found. The columns of the space come last. It takes the id of
    the *space*, or of the resource to *start* from, and `values_of` the names.

    Args:
        from_root: from the root of a space.
        only_last: without the columns of what is on the way.
    """
    steps = [resource.alias(f"r{index}") for index in range(length + 1)]
    shown = steps[-1:] if only_last else steps
    columns = [step.c[column.name] for step in shown for column in RESOURCE]
    way: FromClause = steps[0]
    start = steps[0].c.id == bindparam("start")
    if from_root:
        way = space.join(steps[0], steps[0].c.id == space.c.root_id)
        start = space.c.id == bindparam("space")
    for index, (above, below) in enumerate(pairwise(steps), 1):
        named = below.c.name == bindparam(f"n{index}")
        way = way.outerjoin(below, and_(below.c.parent_id == above.c.id, named))
    more = SPACE if sees_space else ()
    return Prepared(select(*columns, *more).select_from(way).where(start))


def values_of(names: Sequence[Name]) -> dict[str, Name]:
    """Call *names* what `follow` calls them."""
    return {f"n{index}": name for index, name in enumerate(names, 1)}
