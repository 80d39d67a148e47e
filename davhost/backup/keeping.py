"""The blobs of one backup: linked from the one before, or copied.

A file under the name of a blob is always whole, on the disk, and what the
catalogue says: it is made under another name first. Bytes that are something
else are kept under a name that says so, and never linked to again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from davhost.blobs import BlobMissing, BlobStore
from davhost.blobs.adopting import CannotRead, copy_hashed
from davhost.catalogue import NamedBlob

from .layout import BLOBS, blob_path, sync

#: A blob in the making; no key ends so.
_PARTIAL = "partial"

#: Follows the name of a blob whose bytes are not what they were.
_DAMAGED = ".damaged"

#: How many blobs are held open at once, to be copied when others may write again.
PINS_MAX = 200


@dataclass(slots=True)
class BlobKeeping:
    """Brings blobs into the directory of a backup.

    Args:
        folder: of the backup in the making.
        before: of a complete backup, or None.
        kept: keys of the blobs that are there.
        copied: how many of them were not linked.
        damaged: those that are not what the catalogue says.
    """

    blobs: BlobStore
    folder: Path
    before: Path | None
    kept: set[str] = field(default_factory=set)
    copied: int = 0
    damaged: set[str] = field(default_factory=set)
    _touched: set[Path] = field(default_factory=set)
    _pins: dict[NamedBlob, BinaryIO] = field(default_factory=dict)

    def find_kept(self) -> None:
        """Find what a backup that broke off has brought here already."""
        for path in (self.folder / BLOBS).glob("*/*/*"):
            key = f"{path.parts[-3]}/{path.name}"
            if path.name == _PARTIAL or path.name.endswith(_DAMAGED):
                path.unlink()
            else:
                self.kept.add(key)
            self._touched.add(path.parent)

    def keep(self, blob: NamedBlob) -> bool:
        """Bring one blob here; False if its bytes are gone.

        Raises:
            OSError: the backup cannot be written.
            Unavailable: the store cannot be read now.
        """
        if blob.key in self.kept or blob.key in self.damaged:
            return True
        if self._link(blob):
            return True
        try:
            with self.blobs.open(blob.key) as source:
                self._copy(blob, source)
        except BlobMissing:
            return False
        return True

    def pin(self, blob: NamedBlob) -> bool:
        """Hold on to one blob that may be deleted from now on; False if it is gone."""
        if blob.key in self.kept or blob.key in self.damaged or len(self._pins) >= PINS_MAX:
            return self.keep(blob)
        try:
            self._pins[blob] = self.blobs.open(blob.key)
        except BlobMissing:
            return False
        return True

    def keep_pinned(self) -> None:
        """Bring here what was pinned.

        Raises:
            OSError: the backup cannot be written.
        """
        while self._pins:
            blob, source = self._pins.popitem()
            with source:
                if not self._link(blob):
                    self._copy(blob, source)

    def release(self) -> None:
        """Let go of what is pinned."""
        while self._pins:
            self._pins.popitem()[1].close()

    def drop_others(self, named: set[str]) -> None:
        """Remove what came before it was known that it would not be needed."""
        for key in self.kept - named:
            blob_path(self.folder, key).unlink()
        for key in self.damaged - named:
            _beside(blob_path(self.folder, key)).unlink()
        self.kept &= named
        self.damaged &= named

    def sync(self) -> None:
        """Bring all names to the disk."""
        parents = {folder.parent for folder in self._touched}
        for folder in (*sorted(self._touched), *sorted(parents), self.folder / BLOBS):
            sync(folder)

    def _link(self, blob: NamedBlob) -> bool:
        """Link a blob that the backup before has; whether it could be done."""
        if self.before is None:
            return False
        source = blob_path(self.before, blob.key)
        try:
            if source.stat().st_size != blob.size_bytes:
                return False
            os.link(source, self._place(blob))
        except FileExistsError:
            pass
        except OSError:  # not in it, too many links, or none on this file system
            return False
        self.kept.add(blob.key)
        return True

    def _copy(self, blob: NamedBlob, source: BinaryIO) -> None:
        place = self._place(blob)
        partial = place.with_name(_PARTIAL)
        try:
            with partial.open("wb") as target:
                sha256 = copy_hashed(source, target.fileno())
                os.fchmod(target.fileno(), 0o400)
                os.fsync(target.fileno())
        except CannotRead:
            sha256 = ""
        except BaseException:
            with suppress(OSError):
                partial.unlink()
            raise
        self.copied += 1
        if sha256 == blob.sha256:
            partial.rename(place)
            self.kept.add(blob.key)
        else:
            partial.rename(_beside(place))
            self.damaged.add(blob.key)

    def _place(self, blob: NamedBlob) -> Path:
        place = blob_path(self.folder, blob.key)
        if place.parent not in self._touched:
            place.parent.mkdir(parents=True, exist_ok=True)
            self._touched.add(place.parent)
        return place


def _beside(place: Path) -> Path:
    return place.with_name(place.name + _DAMAGED)
