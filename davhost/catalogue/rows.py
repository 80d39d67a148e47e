"""Rows of resources and spaces: their columns, and the values that are made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import exists, select

from ..model import Burst, Kind, Resource, Rules, Space
from .schema import choice, lock, resource, space

T = TypeVar("T")

#: The columns of a Resource, in the order of its fields.
RESOURCE = (
    resource.c.id,
    resource.c.space_id,
    resource.c.parent_id,
    resource.c.name,
    resource.c.kind,
    resource.c.blob_key,
    resource.c.size_bytes,
    resource.c.etag,
    resource.c.content_type,
    resource.c.created_us,
    resource.c.modified_us,
    resource.c.touched_us,
)
WIDTH = len(RESOURCE)
RESOURCE_SQL = ", ".join(f"r.{column.name}" for column in RESOURCE)

SPACE = (
    space.c.id,
    space.c.root_id,
    space.c.quota_bytes,
    space.c.used_bytes,
    space.c.scratch_bytes,
    space.c.rules,
    space.c.admitted,
    space.c.journal_seq,
    space.c.epoch,
    space.c.burst_us,
    space.c.burst_changes,
    space.c.braked_us,
    select(choice.c.value).where(choice.c.name == "allow").scalar_subquery(),
    exists().where(lock.c.space_id == space.c.id),
)

#: How many values one IN list or one insert carries.
_BATCH = 500

_new_tuple = tuple.__new__
_NOTHING = Rules(frozenset())
_KINDS = {kind.value: kind for kind in Kind}


def batches(values: Sequence[T]) -> Iterable[Sequence[T]]:
    """Cut *values* into pieces that fit one statement."""
    return (values[start : start + _BATCH] for start in range(0, len(values), _BATCH))


def resource_of(row: Any) -> Resource:
    """Make the value of a row of `RESOURCE` columns."""
    a, b, c, d, kind, e, f, g, h, i, j, k = row
    # As Resource() does, in half the time: a listing makes tens of thousands.
    return _new_tuple(Resource, (a, b, c, d, _KINDS[kind], e, f, g, h, i, j, k))


def space_of(row: Any) -> Space:
    """Make the value of a row of `SPACE` columns."""
    (
        id_,
        root_id,
        quota,
        used,
        scratch,
        rules,
        admitted,
        seq,
        epoch,
        burst,
        changes,
        braked,
        chosen,
        locked,
    ) = row
    return Space(
        id_,
        root_id,
        quota,
        used,
        scratch,
        None if rules is None else Rules.parse(rules),
        Rules.parse(admitted) if admitted else _NOTHING,
        seq,
        epoch,
        None if burst is None else Burst(burst, changes),
        braked,
        None if chosen is None else Rules.parse(chosen),
        bool(locked),
    )
