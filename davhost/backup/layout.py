"""How backups lie on the disk, and which of them are complete."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

FORMAT = 1

MANIFEST = "manifest.json"
DUMP = "catalogue.jsonl.gz"
SUMS = "blobs.sha256"
BLOBS = "blobs"
LATEST = "latest"

#: No colon: not every file system takes one.
_TIME = "%Y-%m-%dT%H%M%SZ"
_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z")
_PARTIAL = re.compile(r"\.(\d{4}-\d\d-\d\dT\d{6}Z)\.(partial|deleting)")
_KEY = re.compile(r"(0|[1-9]\d{0,18})/([0-9a-f]{32})")

_BLOCK_BYTES = 1 << 20


class BadBackup(Exception):
    """A backup is not there, not complete, damaged, or of a newer davhost."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself.

    Args:
        revision: the schema of the rows.
        dump_sha256: of the file with all rows.
        sums_sha256: of the list with the hashes of all blobs.
        blobs: how many there are, those that are lost left out.
        size_bytes: how much they are.
        copied: how many of them the backup before did not have.
        lost: keys of blobs that the catalogue named and the store had not.
        damaged: keys of blobs that were not what the catalogue said.
    """

    format: int
    made_at: str
    davhost: str
    revision: str
    dump_sha256: str
    sums_sha256: str
    blobs: int
    size_bytes: int
    copied: int
    lost: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every blob is in it, and what it should be."""
        return not self.lost and not self.damaged

    def json(self) -> str:
        """Write it as JSON."""
        return json.dumps(asdict(self), indent=2) + "\n"

    def write(self, file: Path) -> None:
        """Write it down, on the disk."""
        with file.open("w") as target:
            target.write(self.json())
            target.flush()
            os.fsync(target.fileno())


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup, complete or in the making."""

    folder: Path

    @property
    def name(self) -> str:
        """The moment that it is of, as its directory is called."""
        return self.folder.name

    @property
    def at(self) -> datetime:
        """The moment that it is of."""
        return datetime.strptime(self.name, _TIME).replace(tzinfo=UTC)

    def manifest(self) -> Manifest:
        """Read what it says of itself.

        Raises:
            BadBackup: that cannot be read, or is of a newer davhost.
        """
        try:
            values = json.loads((self.folder / MANIFEST).read_text())
            if values["format"] > FORMAT:
                raise BadBackup(f"{self.name} was made by a newer davhost, {values['davhost']}")
            values["lost"], values["damaged"] = tuple(values["lost"]), tuple(values["damaged"])
            return Manifest(**values)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise BadBackup(f"the manifest of {self.name} cannot be read: {error}") from error

    def blob(self, key: str) -> Path:
        """Say where the bytes of a blob are."""
        return blob_path(self.folder, key)

    def sums(self) -> Iterator[tuple[str, str]]:
        """Yield key and hash of every blob.

        Raises:
            BadBackup: a line of the list is none.
        """
        with (self.folder / SUMS).open() as lines:
            for line in lines:
                sha256, _, path = line.rstrip("\n").partition("  ")
                space, _, name = path.removeprefix(f"{BLOBS}/").partition("/")
                key = f"{space}/{name.rpartition('/')[2]}"
                if not _KEY.fullmatch(key) or len(sha256) != 64:
                    raise BadBackup(f"{SUMS} of {self.name} is damaged")
                yield key, sha256


def blob_path(folder: Path, key: str) -> Path:
    """Say where in a backup the bytes of a blob are.

    Raises:
        BadBackup: no blob has such a key.
    """
    match = _KEY.fullmatch(key)
    if match is None:
        raise BadBackup(f"{key!r} is no key of a blob")
    return folder / BLOBS / match[1] / match[2][:2] / match[2]


def name_of(at: datetime) -> str:
    """Say how a backup of the moment *at* is called."""
    return at.astimezone(UTC).strftime(_TIME)


def complete(folder: Path) -> list[Backup]:
    """List the complete backups, the oldest first."""
    found = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    return [Backup(path) for path in found if (path / MANIFEST).is_file()]


def newest(folder: Path, at: datetime | None = None) -> Backup:
    """Find the newest complete backup, or the newest that is not younger than *at*.

    Raises:
        BadBackup: there is none.
    """
    try:
        found = [b for b in complete(folder) if at is None or b.at <= at]
    except OSError as error:
        raise BadBackup(f"{folder}: {error.strerror}") from None
    if not found:
        when = "" if at is None else f" of {name_of(at)} or before"
        raise BadBackup(f"there is no complete backup{when} in {folder}")
    return found[-1]


def remains(folder: Path, kind: str) -> list[Path]:
    """List what broke off: ``partial`` backups, or such as were being ``deleting``."""
    matches = ((path, _PARTIAL.fullmatch(path.name)) for path in sorted(folder.iterdir()))
    return [path for path, match in matches if match is not None and match[2] == kind]


def sha256_of(file: Path) -> str:
    """Read and hash a file."""
    total = hashlib.sha256()
    with file.open("rb") as source:
        while block := source.read(_BLOCK_BYTES):
            total.update(block)
    return total.hexdigest()


def sync(folder: Path) -> None:
    """Bring the names in a directory to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one process at a time work on the backups in *folder*.

    Raises:
        BadBackup: another one does.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise BadBackup(f"another backup into {folder} is going on") from None
    finally:
        os.close(descriptor)
