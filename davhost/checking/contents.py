"""The bytes: every blob of the catalogue is in the store, and nothing beside them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import BinaryIO

from ..blobs import BlobMissing, BlobStore
from ..blobs.local import LocalBlobs
from ..catalogue import Catalogue, Owner
from ..catalogue.audit import BlobRow, Holder
from ..clock import Clock
from ..errors import NotFound
from ..model import Version
from ..paths import DavPath
from ..projection import Projection
from .findings import Finding, Report
from .rows import is_walkable

#: Bytes that no row names are left alone this long.
ORPHAN_SECONDS = 3600

_BATCH = 500
_BLOCK_BYTES = 1 << 20


class ContentCheck:
    """Compares blobs and the rows that name them, while both go on.

    What looks wrong is looked at again: a blob whose row is gone by then was
    only deleted between the two looks.

    Args:
        owners: by space id.
        projection: where lost bytes may still be.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        blobs: BlobStore,
        clock: Clock,
        owners: dict[int, Owner],
        projection: Projection | None,
    ) -> None:
        self._catalogue = catalogue
        self._blobs = blobs
        self._clock = clock
        self._owners = owners
        self._projection = projection
        #: Whether paths can be followed.
        self._walks = True

    def run(self, report: Report, *, deep: bool, repair: bool) -> None:
        """Look at all blobs.

        Args:
            deep: read and hash every byte.
            repair: delete what nothing names; put back what the readable tree has.
        """
        self._walks = is_walkable(report)
        for row in self._rows():
            report.count("blobs")
            report.count("bytes read", row.size_bytes if deep else 0)
            fault = self._fault(row, deep=deep)
            if fault and self._is_live(row) and (fault := self._fault(row, deep=deep)):
                report.add(self._describe(row, fault, repair=repair))
        report.add(self._orphans(report, repair=repair))
        if repair:
            self._delete_dead()

    # -- from the rows to the bytes

    def _rows(self) -> Iterator[BlobRow]:
        key = ""
        while True:
            with self._catalogue.audit() as audit:
                rows = audit.blobs_after(key, _BATCH)
            if not rows:
                return
            yield from rows
            key = rows[-1].key

    def _is_live(self, row: BlobRow) -> bool:
        with self._catalogue.audit() as audit:
            return audit.find_blob(row.key) == row

    def _fault(self, row: BlobRow, *, deep: bool) -> tuple[str, str] | None:
        """Say what is wrong with the bytes of a blob: code and words."""
        try:
            size_bytes = self._size_bytes(row.key)
            if size_bytes != row.size_bytes:
                return "blob-size", f"{size_bytes} bytes are there and should be {row.size_bytes}"
            if deep and self._sha256(row.key) != row.sha256:
                return "blob-damaged", "the bytes are not those that were written"
        except BlobMissing:
            return "blob-lost", "the bytes are gone"
        except OSError as error:
            return "blob-unreadable", f"the bytes cannot be read: {error.strerror}"
        return None

    def _size_bytes(self, key: str) -> int:
        if isinstance(self._blobs, LocalBlobs):
            status = self._blobs.find_stat(key)
            if status is None:
                raise BlobMissing(key)
            return status.st_size
        with self._blobs.open(key) as blob:
            return blob.seek(0, os.SEEK_END)

    def _sha256(self, key: str) -> str:
        with self._blobs.open(key) as blob:
            return _sha256_of(blob)

    def _describe(self, row: BlobRow, fault: tuple[str, str], *, repair: bool) -> Iterator[Finding]:
        """Say whose file it is, and what of it is still there."""
        code, words = fault
        with self._catalogue.audit() as audit:
            holders = audit.holders(row.key)
        repaired = repair and code == "blob-lost" and self._put_back(row, holders)
        for holder in holders:
            path, left = self._look_at(holder)
            what = "an earlier content" if holder.version_id else "its content"
            sentence = f"{what} is damaged, {words} (blob {row.key}); {left}"
            if repaired:
                sentence = f"{what} was lost and is back from the readable tree (blob {row.key})"
            yield Finding(code, sentence, self._email(holder.space_id), path, repaired)

    def _look_at(self, holder: Holder) -> tuple[str, str]:
        """Find the path of what names a blob, and what other contents it has."""
        if not self._walks:
            return f"resource {holder.resource_id}", "see the other problems of this account"
        with self._catalogue.read(holder.space_id, lease=self._clock.lease()) as reading:
            try:
                resource = reading.get_by_id(holder.resource_id)
            except NotFound:
                return f"resource {holder.resource_id}", "it was removed meanwhile"
            path = reading.path_of(resource)
            versions = reading.versions(resource)
        left = [version for version in versions if self._is_there(version)]
        name = path.text if path else f"{resource.name} (in the trash)"
        return name, _in_words(left)

    def _is_there(self, version: Version) -> bool:
        try:
            return self._size_bytes(version.blob_key) == version.size_bytes
        except (BlobMissing, OSError):
            return False

    def _put_back(self, row: BlobRow, holders: list[Holder]) -> bool:
        """Make the link in the readable tree the blob again, if its bytes are right."""
        if self._projection is None or not isinstance(self._blobs, LocalBlobs):
            return False
        if not self._walks:
            return False
        for holder in holders:
            owner, path = self._owners.get(holder.space_id), self._path_of(holder)
            if owner is None or path is None or path.is_root:
                continue
            with self._projection.find_file(owner.user_id, path) as file:
                if file is not None and _sha256_of(file) == row.sha256:
                    self._blobs.restore(row.key, file.fileno())
                    return True
        return False

    def _path_of(self, holder: Holder) -> DavPath | None:
        with self._catalogue.read(holder.space_id, lease=self._clock.lease()) as reading:
            try:
                return reading.path_of(reading.get_by_id(holder.resource_id))
            except NotFound:
                return None

    def revive(self) -> Iterator[Finding]:
        """Keep the blobs that are marked for deletion although a file names them."""
        with self._catalogue.audit() as audit:
            breaches = audit.breaches("dead-but-named")
        for breach in breaches:
            with self._catalogue.audit(writes=True) as audit:
                audit.revive(breach.space_id or 0, breach.what)
            yield Finding(
                breach.code,
                breach.sentence,
                self._email(breach.space_id or 0),
                repaired=True,
            )

    # -- from the bytes to the rows

    def _orphans(self, report: Report, *, repair: bool) -> Iterator[Finding]:
        keys = self._blobs.keys()
        while batch := [key for key, _ in islice(keys, _BATCH)]:
            report.count("stored blobs", len(batch))
            with self._catalogue.audit() as audit:
                unknown = set(batch) - audit.known(batch)
            for key in sorted(unknown):
                yield from self._orphan(key, repair=repair)

    def _orphan(self, key: str, *, repair: bool) -> Iterator[Finding]:
        """Look at bytes without a row again, behind the mutex of their space."""
        with self._catalogue.upkeep(writes=True) as upkeep:
            if upkeep.live_blobs([key]):
                return
        age_seconds = self._age_seconds(key)
        if age_seconds is None:
            return  # deleted meanwhile
        is_old = age_seconds > ORPHAN_SECONDS
        if repair and is_old:
            self._blobs.delete(key)
        words = "" if is_old else ", though only for a short time"
        yield Finding(
            "blob-orphan",
            f"blob {key} is stored, and the catalogue does not know it{words}",
            self._email(int(key.partition("/")[0])),
            repaired=repair and is_old,
        )

    def _age_seconds(self, key: str) -> float | None:
        """How long ago bytes were stored; None when there are none."""
        if not isinstance(self._blobs, LocalBlobs):
            return ORPHAN_SECONDS + 1  # `keys` leaves out what is pending
        status = self._blobs.find_stat(key)
        return None if status is None else self._clock.now_us() / 1_000_000 - status.st_mtime

    def _delete_dead(self) -> None:
        """Delete what waits for housekeeping: the bytes first, then the rows."""
        while True:
            with self._catalogue.upkeep(writes=False) as upkeep:
                keys = upkeep.dead_blobs(_BATCH)
            if not keys:
                return
            for key in keys:
                self._blobs.delete(key)
            with self._catalogue.upkeep(writes=True) as upkeep:
                upkeep.forget_dead_blobs(keys)

    def _email(self, space_id: int) -> str | None:
        owner = self._owners.get(space_id)
        return owner.email if owner else None


def _sha256_of(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := file.read(_BLOCK_BYTES):
        digest.update(block)
    return digest.hexdigest()


def _in_words(versions: list[Version]) -> str:
    """Say which earlier contents there are; the newest comes first."""
    if not versions:
        return "no earlier content is there"
    times = [datetime.fromtimestamp(v.modified_us // 1_000_000, UTC) for v in versions]
    shown = ", ".join(f"{time:%Y-%m-%d %H:%M:%S} UTC" for time in times[:5])
    more = f" and {len(times) - 5} more" if len(times) > 5 else ""
    return f"earlier contents that are there: {shown}{more}"
