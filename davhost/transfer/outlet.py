"""Write a space, or a part of it, out as plain files.

Every file appears under its own name when it is whole and on the disk. Links
in the target directory are never followed. A second run writes what is
missing.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ..errors import ContentLost, Refused
from ..model import Kind
from ..paths import DavPath
from ..tree import Entry, Tree
from .items import Report, Trouble

#: Stands in a target while it is not complete: a later run may go on there.
#: No file of a space has such a name: names that end in a dot are refused.
MARKER = ".davhost-export."

#: How a file is called until it is whole.
_PARTIAL = ".davhost-export.part."

_BLOCK_BYTES = 1 << 20
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_CREATE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class NotEmpty(Exception):
    """The target holds something that is no broken-off export of the same tree."""


class Outlet:
    """Writes one collection, or one file, into a directory.

    Args:
        overwrite: also into a directory that is not empty; files of the same
            names are replaced, others stay.
    """

    def __init__(self, tree: Tree, top: DavPath, target: Path, *, overwrite: bool = False) -> None:
        self._tree = tree
        self._top = top
        self._target = target
        self._overwrite = overwrite
        self._report = Report()

    def run(self, on_done: Callable[[Entry], None] = lambda _: None) -> Report:
        """Write everything out.

        Args:
            on_done: is told of every resource that is behind us, written or not.

        Raises:
            NotEmpty: the target may not be written into.
            NotFound: there is nothing at the path.
            OSError: the target cannot be written; a second run goes on.
        """
        entry = self._tree.listing(self._top, depth=0, dead=False, locks=False).entries[0]
        self._target.mkdir(parents=True, exist_ok=True)
        with _opened(os.open(self._target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)) as folder:
            self._claim(folder)
            if entry.resource.is_collection:
                self._write_members(entry, folder, on_done)
            else:
                self._write_member(entry, folder, set(), on_done)
            if self._report.is_complete:
                _remove(MARKER, folder)
            os.fsync(folder)
        return self._report

    def _claim(self, folder: int) -> None:
        """Mark the target as one that is not complete, if it may be written into."""
        mark = json.dumps({"user": self._tree.principal.email, "path": self._top.text})
        found = os.listdir(folder)
        if MARKER in found:
            descriptor = os.open(MARKER, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
            with os.fdopen(descriptor) as marker:
                if marker.read() == mark or self._overwrite:
                    return
        elif not found or self._overwrite:
            with os.fdopen(os.open(MARKER, _CREATE, 0o600, dir_fd=folder), "w") as marker:
                marker.write(mark)
            return
        raise NotEmpty(f"{self._target} is not empty; --overwrite writes into it all the same")

    def _write_members(
        self, collection: Entry, folder: int, on_done: Callable[[Entry], None]
    ) -> None:
        listing = self._tree.listing(collection.path, depth=1, dead=False, locks=False)
        written: set[int] = set()
        for entry in listing.entries[1:]:
            self._write_member(entry, folder, written, on_done)
        os.fsync(folder)

    def _write_member(
        self, entry: Entry, folder: int, written: set[int], on_done: Callable[[Entry], None]
    ) -> None:
        """Write one resource into *folder*.

        Args:
            written: the inodes of what this run has written there.
        """
        name, shown = _checked(entry.path.name), entry.path.text
        try:
            if _is_double(name, folder, written):
                self._report.refuse(shown, "The disk takes it and another name for the same.")
            elif entry.resource.is_collection:
                self._write_collection(entry, name, folder, on_done)
            elif entry.resource.kind is Kind.SCRATCH:
                self._report.left_out.append(Trouble(shown, "It is a temporary file"))
            else:
                self._write_file(entry, name, folder)
        except Refused as refused:
            self._report.refuse(shown, refused.sentence or refused.phrase)
        except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
            self._report.refuse(shown, f"Something else is in its place: {error.strerror}.")
        _note(name, folder, written)
        on_done(entry)

    def _write_collection(
        self, entry: Entry, name: str, folder: int, on_done: Callable[[Entry], None]
    ) -> None:
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=folder)
            self._report.collections += 1
        try:
            descriptor = os.open(name, _OPEN_FOLDER, dir_fd=folder)
        except OSError as error:  # a link, a file
            raise FileExistsError(error.errno, "it is no folder") from error
        with _opened(descriptor) as below:
            self._write_members(entry, below, on_done)
            _set_date(below, entry)

    def _write_file(self, entry: Entry, name: str, folder: int) -> None:
        if _is_there(entry, name, folder):
            self._report.unchanged += 1
            return
        _remove(_PARTIAL, folder)
        try:
            with os.fdopen(os.open(_PARTIAL, _CREATE, 0o644, dir_fd=folder), "wb") as file:
                for block in self._blocks(entry.path):
                    file.write(block)
                file.flush()
                _set_date(file.fileno(), entry)
                os.fsync(file.fileno())
            os.replace(_PARTIAL, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            _remove(_PARTIAL, folder)
            raise
        self._report.files += 1
        self._report.size_bytes += entry.resource.size_bytes

    def _blocks(self, path: DavPath) -> Iterator[bytes]:
        """Read a file.

        Raises:
            Refused: it is gone, or its bytes are lost.
        """
        opened = self._tree.open(path)
        if opened.content is not None:
            with opened.content as content:
                while block := _read(content):
                    yield block


def _read(content: BinaryIO) -> bytes:
    try:
        return content.read(_BLOCK_BYTES)
    except OSError as error:
        raise ContentLost("The content of this file cannot be read.") from error


def _checked(name: str) -> str:
    """Be sure that a name stays in its directory, whatever the catalogue holds.

    Raises:
        ValueError: it would not.
    """
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise ValueError(f"{name!r} is no name of a file")
    return name


def _is_there(entry: Entry, name: str, folder: int) -> bool:
    """Whether an earlier run wrote it: a file of the same length and date."""
    status = _find_stat(name, folder)
    return (
        status is not None
        and stat.S_ISREG(status.st_mode)
        and status.st_size == entry.resource.size_bytes
        and status.st_mtime_ns // 1000 == entry.resource.modified_us
    )


def _is_double(name: str, folder: int, written: set[int]) -> bool:
    """Whether the disk finds what this run wrote a moment ago under another name."""
    status = _find_stat(name, folder)
    return status is not None and status.st_ino in written


def _note(name: str, folder: int, written: set[int]) -> None:
    status = _find_stat(name, folder)
    if status is not None:
        written.add(status.st_ino)


def _find_stat(name: str, folder: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None


def _set_date(descriptor: int, entry: Entry) -> None:
    modified_ns = entry.resource.modified_us * 1000
    os.utime(descriptor, ns=(modified_ns, modified_ns))


def _remove(name: str, folder: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


@contextmanager
def _opened(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)
