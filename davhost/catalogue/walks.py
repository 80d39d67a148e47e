"""Queries that follow the names of a path through the tree, each of them one statement."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import FromClause, and_, bindparam, exists, select

from ..model import Resource, Space
from ..paths import DavPath, Name
from .prepared import Asked, Prepared
from .rows import RESOURCE, SPACE, WIDTH, resource_of, space_of
from .schema import dead_property, resource, space

#: How many names one query follows; SQLite joins 64 tables at most.
STEPS_MAX = 32


class Glimpse(NamedTuple):
    """What one statement finds at a path.

    Args:
        resource: None when the URL is not mapped.
        space: None when it was not asked for, or is gone.
        has_properties: whether the resource has dead properties; as the space.
    """

    resource: Resource | None
    space: Space | None = None
    has_properties: bool | None = None


def can_glimpse(path: DavPath) -> bool:
    """Whether one statement finds what is at *path*."""
    return len(path.names) <= STEPS_MAX


def glimpse(asked: Asked, space_id: int, path: DavPath, *, sees_space: bool) -> Glimpse:
    """Find what is at a *path* that `can_glimpse`, and perhaps the space."""
    statement = _to_glimpse(len(path.names), sees_space=sees_space)
    row = asked.row(statement, space=space_id, **values_of(path.names))
    if row is None:
        return Glimpse(None)
    found = None if row[0] is None else resource_of(row[:WIDTH])
    if not sees_space:
        return Glimpse(found)
    return Glimpse(found, space_of(row[WIDTH:-1]), bool(row[-1]))


class Place(NamedTuple):
    """Where a name is bound, or would be.

    Args:
        parent: the collection; None if there is no resource of its path.
        target: what is there; None when the URL is not mapped.
        has_absent: whether a file may belong there that is away or has departed.
        space: None when it was not asked for.
    """

    parent: Resource | None
    target: Resource | None
    has_absent: bool
    space: Space | None = None


def place(asked: Asked, space_id: int, path: DavPath, *, sees_space: bool) -> Place | None:
    """Find the place of a *path* that `can_glimpse`, and is not the root.

    Returns:
        None if the space is gone.
    """
    statement = _to_place(len(path.names), sees_space=sees_space)
    values = values_of(path.names)
    row = asked.row(statement, space=space_id, name=path.names[-1], **values)
    if row is None:
        return None
    parent, target = row[:WIDTH], row[WIDTH : 2 * WIDTH]
    return Place(
        None if parent[0] is None else resource_of(parent),
        None if target[0] is None else resource_of(target),
        bool(row[2 * WIDTH]),
        space_of(row[2 * WIDTH + 1 :]) if sees_space else None,
    )


@lru_cache
def follow(length: int, *, from_root: bool, sees_space: bool) -> Prepared:
    """Write the query that follows *length* names, downwards from one resource.

    Its one row has the columns of all of them, side by side; they are NULL from
    where nothing is found. The columns of the space come last. It takes the id of
    the *space*, or of the resource to *start* from, and `values_of` the names.

    Args:
        from_root: from the root of a space.
    """
    steps = _steps(length)
    more = SPACE if sees_space else ()
    return _along(steps, (*_columns(steps), *more), from_root=from_root)


@lru_cache
def _to_glimpse(length: int, *, sees_space: bool) -> Prepared:
    """Write the query of `glimpse`: the last step, and what more is asked for."""
    steps = _steps(length)
    has_properties = exists().where(dead_property.c.resource_id == steps[-1].c.id)
    more = (*SPACE, has_properties) if sees_space else ()
    return _along(steps, (*_columns(steps[-1:]), *more))


@lru_cache
def _to_place(length: int, *, sees_space: bool) -> Prepared:
    """Write the query of `place`: the last two steps, and whether something belongs there."""
    steps = _steps(length)
    absent = resource.alias("absent")
    has_absent = exists().where(
        absent.c.home_parent_id == steps[-2].c.id, absent.c.home_name == bindparam("name")
    )
    more = SPACE if sees_space else ()
    return _along(steps, (*_columns(steps[-2:]), has_absent, *more))


def _steps(length: int) -> list[FromClause]:
    return [resource.alias(f"r{index}") for index in range(length + 1)]


def _columns(steps: Sequence[FromClause]) -> list[Any]:
    return [step.c[column.name] for step in steps for column in RESOURCE]


def _along(
    steps: Sequence[FromClause], columns: Sequence[Any], *, from_root: bool = True
) -> Prepared:
    """Write the query for *columns* on a way of *steps*."""
    way = steps[0]
    start = way.c.id == bindparam("start")
    if from_root:
        way = space.join(way, way.c.id == space.c.root_id)
        start = space.c.id == bindparam("space")
    for index, (above, below) in enumerate(pairwise(steps), 1):
        named = below.c.name == bindparam(f"n{index}")
        way = way.outerjoin(below, and_(below.c.parent_id == above.c.id, named))
    return Prepared(select(*columns).select_from(way).where(start))


def values_of(names: Sequence[Name]) -> dict[str, Name]:
    """Call *names* what `follow` calls them."""
    return {f"n{index}": name for index, name in enumerate(names, 1)}
