"""The rows of a catalogue as lines of JSON.

The first line says the schema. Each table begins with a line that has its name
and columns, one line for each row follows, and the last line of the file
counts them all, so that a file that was cut off is known as such.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from davhost.catalogue import Rows

from .layout import BadBackup


def write(file: Path, revision: str, tables: Iterable[Rows]) -> None:
    """Write all tables into the new file, on the disk.

    Raises:
        OSError: there is no room for it.
    """
    with file.open("xb") as raw:
        with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=6, mtime=0) as packed:
            _write_line(packed, {"revision": revision})
            count = 0
            for rows in tables:
                _write_line(packed, {"table": rows.table, "columns": rows.columns})
                for row in rows.rows:
                    _write_line(packed, row)
                    count += 1
            _write_line(packed, {"rows": count})
        raw.flush()
        os.fsync(raw.fileno())


def read(file: Path) -> tuple[str, Iterator[Rows]]:
    """Read the schema, and the tables one after the other.

    The rows of a table can be read until the next table is asked for.

    Raises:
        BadBackup: the file is damaged; while it is read, too.
    """
    lines = _lines(file)
    head = next(lines, None)
    if not isinstance(head, dict) or "revision" not in head:
        raise BadBackup(f"{file.name} is damaged")
    return str(head["revision"]), _tables(file.name, lines)


def rows_of(
    file: Path, table: str, where: Callable[[dict[str, Any]], bool]
) -> list[dict[str, Any]]:
    """Collect the rows of one table that fit, by the names of their columns.

    Raises:
        BadBackup: the file is damaged.
    """
    found: list[dict[str, Any]] = []
    for rows in read(file)[1]:
        if rows.table == table:
            named = (dict(zip(rows.columns, row, strict=True)) for row in rows.rows)
            found.extend(row for row in named if where(row))
    return found


def _tables(name: str, lines: Iterator[Any]) -> Iterator[Rows]:
    """Cut lines into tables, and see that none is missing at the end."""
    count = [0]
    head = next(lines, None)
    while isinstance(head, dict) and "table" in head:
        ends: list[Any] = []
        rows = _rows(lines, ends, count)
        yield Rows(head["table"], tuple(head["columns"]), rows)
        for _ in rows:  # those that nobody wanted
            pass
        head = ends[0] if ends else None
    if not isinstance(head, dict) or head.get("rows") != count[0]:
        raise BadBackup(f"{name} is damaged: it ends too early")


def _rows(lines: Iterator[Any], ends: list[Any], count: list[int]) -> Iterator[Sequence[Any]]:
    """Yield rows up to the line that is none, which goes into *ends*."""
    for line in lines:
        if isinstance(line, dict):
            ends.append(line)
            return
        count[0] += 1
        yield line


def _write_line(file: IO[bytes] | gzip.GzipFile, value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    file.write(text.encode() + b"\n")


def _lines(file: Path) -> Iterator[Any]:
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)
    except (OSError, EOFError, ValueError) as error:
        raise BadBackup(f"{file.name} cannot be read: {error}") from error
