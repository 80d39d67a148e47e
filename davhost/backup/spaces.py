"""One account's files as they were at a backup, to be taken in again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from davhost.model import Kind, PropertyUpdate
from davhost.paths import DavPath
from davhost.transfer import Item

from . import dumps
from .layout import DUMP, Backup, sha256_of

_Row = dict[str, Any]


class NoSuchSpace(Exception):
    """The backup knows no such account, or nothing at the path."""


@dataclass(frozen=True, slots=True)
class _Space:
    """The rows of one space.

    Args:
        members: by the id of the collection, in the order of their names.
        hashes: by the key of the blob.
        properties: the dead ones, by the id of the resource.
    """

    root_id: int
    members: dict[int, list[_Row]]
    hashes: dict[str, str]
    properties: dict[int, tuple[PropertyUpdate, ...]]


def items_of(backup: Backup, email_key: str, path: DavPath) -> list[Item]:
    """List what stood at *path* and below, as it is taken in again.

    Temporaries of saving programs are left out; of a space, the members of its
    root are listed.

    Args:
        email_key: the address as accounts are found by.

    Raises:
        NoSuchSpace: there was no such account, or nothing at the path.
        BadBackup: the rows are damaged.
    """
    space = _read(backup.folder / DUMP, email_key)
    row = _find(space, path)
    if row is None:
        return list(_members(backup, space, space.root_id, ()))
    return list(_below(backup, space, row, ()))


def _read(dump: Path, email_key: str) -> _Space:
    accounts = dumps.rows_of(dump, "user", lambda row: row["email_key"] == email_key)
    if not accounts:
        raise NoSuchSpace(f"{email_key} had no account when this backup was made")
    space_id = accounts[0]["space_id"]
    spaces = dumps.rows_of(dump, "space", lambda row: row["id"] == space_id)
    blobs = dumps.rows_of(dump, "blob", lambda row: row["space_id"] == space_id)
    members: dict[int, list[_Row]] = {}
    for row in dumps.rows_of(dump, "resource", lambda row: row["space_id"] == space_id):
        if row["parent_id"] is not None and row["kind"] != Kind.SCRATCH:
            members.setdefault(row["parent_id"], []).append(row)
    for rows in members.values():
        rows.sort(key=lambda row: str(row["name"]))
    return _Space(
        spaces[0]["root_id"],
        members,
        {row["key"]: row["sha256"] for row in blobs},
        _properties(dump, {row["id"] for rows in members.values() for row in rows}),
    )


def _properties(dump: Path, ids: set[int]) -> dict[int, tuple[PropertyUpdate, ...]]:
    found: dict[int, tuple[PropertyUpdate, ...]] = {}
    for row in dumps.rows_of(dump, "property", lambda row: row["resource_id"] in ids):
        kept = PropertyUpdate(row["name"], row["xml"])
        found[row["resource_id"]] = (*found.get(row["resource_id"], ()), kept)
    return found


def _find(space: _Space, path: DavPath) -> _Row | None:
    """Find the row at *path*; None for the root."""
    row, parent_id = None, space.root_id
    for name in path.names:
        found = [r for r in space.members.get(parent_id, ()) if r["name"] == name]
        if not found:
            raise NoSuchSpace(f"{path} was not there when this backup was made")
        row, parent_id = found[0], found[0]["id"]
    return row


def _members(backup: Backup, space: _Space, parent_id: int, way: tuple[str, ...]) -> Iterator[Item]:
    for row in space.members.get(parent_id, ()):
        yield from _below(backup, space, row, way)


def _below(backup: Backup, space: _Space, row: _Row, way: tuple[str, ...]) -> Iterator[Item]:
    names = (*way, _name(row))
    properties = space.properties.get(row["id"], ())
    if row["kind"] == Kind.COLLECTION:
        opener = partial(_open, Path("/"), "")
        yield Item(names, True, 0, row["modified_us"], opener, properties=properties)
        yield from _members(backup, space, row["id"], names)
        return
    key = row["blob_key"]
    sha256 = space.hashes.get(key, "") if key else ""
    opener = partial(_open, backup.blob(key) if key else Path("/dev/null"), sha256)
    size_bytes, modified_us = row["size_bytes"], row["modified_us"]
    yield Item(
        names,
        False,
        size_bytes,
        modified_us,
        opener,
        sha256=sha256 or None,
        properties=properties,
    )


def _name(row: _Row) -> str:
    """The name of a resource; of a file that a saving program hid, its own."""
    hidden = row["kind"] == Kind.FILE and row.get("home_name")
    return str(row["home_name"] if hidden else row["name"])


def _open(blob: Path, sha256: str) -> BinaryIO:
    """Open the bytes of a file, if they are what they were.

    Raises:
        OSError: they are not.
    """
    if sha256 and sha256_of(blob) != sha256:
        raise OSError(5, "its copy in the backup is damaged")
    return blob.open("rb")
