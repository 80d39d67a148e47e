"""Make an instance out of a backup.

Bytes before rows, as everywhere: until the last step the new instance has no
account, and the same restore can be run again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from davhost.blobs import BlobMissing
from davhost.blobs.adopting import CannotRead
from davhost.blobs.local import LocalBlobs
from davhost.catalogue import Catalogue

from . import dumps
from .layout import DUMP, Backup, BadBackup, sha256_of


@dataclass(slots=True)
class Restored:
    """What came of a restore.

    Args:
        blobs: how many are in place.
        rows: of the catalogue.
        faults: blobs that the backup has not, or not as they were.
    """

    blobs: int = 0
    rows: int = 0
    faults: list[str] = field(default_factory=list)


def restore_all(
    backup: Backup,
    catalogue: Catalogue,
    blobs: LocalBlobs,
    on_blob: Callable[[int, int], None] = lambda _done, _all: None,
) -> Restored:
    """Make the empty *catalogue* and *blobs* what they were at the backup.

    Raises:
        BadBackup: its rows are damaged, or are of a newer davhost.
        ValueError: something is here already.
        DiskFull, Unavailable: it cannot be written; run it again.
    """
    manifest = backup.manifest()
    if not catalogue.is_empty():
        raise ValueError("there are accounts already: a backup is restored into an empty place")
    if sha256_of(backup.folder / DUMP) != manifest.dump_sha256:
        raise BadBackup(f"{DUMP} of {backup.name} is damaged")
    restored = Restored(faults=[f"The blob {key} was lost before." for key in manifest.lost])
    for key, sha256 in backup.sums():
        fault = _put_back(blobs, key, backup.blob(key), sha256)
        if fault is not None:
            restored.faults.append(fault)
        restored.blobs += fault is None
        on_blob(restored.blobs, manifest.blobs)
    revision, tables = dumps.read(backup.folder / DUMP)
    restored.rows = catalogue.fill(revision, tables)
    return restored


def _put_back(blobs: LocalBlobs, key: str, source: Path, sha256: str) -> str | None:
    """Bring one blob back; say what is wrong with it."""
    try:
        if _is_there(blobs, key, source):
            return None
        with source.open("rb") as content:
            if blobs.put_back(key, content) == sha256:
                return None
        blobs.delete(key)  # better none than a wrong one; the backup has it still
    except (OSError, CannotRead) as error:
        return f"The blob {key} cannot be read from the backup: {error}."
    return f"The blob {key} is damaged in the backup."


def _is_there(blobs: LocalBlobs, key: str, source: Path) -> bool:
    """Whether an earlier try brought it; what has the name of a blob is whole."""
    try:
        with blobs.open(key) as found:
            return found.seek(0, 2) == source.stat().st_size
    except BlobMissing:
        return False
