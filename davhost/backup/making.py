"""Make a backup while the server serves.

Blobs are brought in while everybody works: first those that the catalogue
names now, then those that came meanwhile. When few are missing, writers wait
for a moment: the catalogue is held as it is, and the missing blobs are held
open. Then writers go on, the rows are written down, and what is held open is
copied. No blob that the rows name can be gone before it was taken hold of,
because a blob is deleted only after the change that forgot it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from davhost.blobs import BlobStore
from davhost.catalogue import Catalogue, NamedBlob
from davhost.catalogue.upkeep import Chore
from davhost.errors import Refused

from . import dumps
from .keeping import PINS_MAX, BlobKeeping
from .layout import (
    BLOBS,
    DUMP,
    FORMAT,
    LATEST,
    MANIFEST,
    SUMS,
    Backup,
    Manifest,
    alone,
    blob_path,
    complete,
    name_of,
    remains,
    sha256_of,
    sync,
)

#: How often missing blobs are brought in before writers have to wait for it.
_ROUNDS_MAX = 5

#: Is told how many blobs are behind us, and how many there are.
OnBlob = Callable[[int, int], None]


class Maker:
    """Makes backups of one instance in one directory.

    Args:
        folder: made if it is not there.
        davhost: the version of this program, for the manifest.
        full: copy every blob, also those that the backup before has: its
            copies may be damaged by now.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        blobs: BlobStore,
        folder: Path,
        *,
        davhost: str,
        full: bool = False,
    ) -> None:
        self._catalogue = catalogue
        self._blobs = blobs
        self._folder = folder
        self._davhost = davhost
        self._full = full

    def make(self, now_us: int, on_blob: OnBlob = lambda _done, _all: None) -> Backup:
        """Make a backup; it is complete when this returns, and not there before.

        Raises:
            BadBackup: another one is being made in the same directory.
            OSError: it cannot be written; a disk that is full gets its room
                back, otherwise the next backup uses what is there.
            Unavailable: the database or the store cannot be used now.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with alone(self._folder):
            partial = self._begin(datetime.fromtimestamp(now_us / 1e6, UTC))
            try:
                backup = self._fill(partial, on_blob)
            except OSError:
                shutil.rmtree(partial, ignore_errors=True)
                raise
            _point_to(backup)
            _clear(self._folder)
        self._note_done(now_us)
        return backup

    def _note_done(self, now_us: int) -> None:
        """Let administrators see when the last backup was made; it is one without that, too."""
        with suppress(Refused), self._catalogue.upkeep(writes=True) as upkeep:
            upkeep.note_done(Chore.BACKUP, now_us)

    def _begin(self, at: datetime) -> Path:
        """Make the directory of a new backup, or take over one that broke off."""
        taken = {backup.name for backup in complete(self._folder)}
        while name_of(at) in taken:
            at += timedelta(seconds=1)
        partial = self._folder / f".{name_of(at)}.partial"
        broken_off = [] if self._full else remains(self._folder, "partial")
        if broken_off:
            broken_off[0].rename(partial)
            for name in (DUMP, SUMS, MANIFEST):
                with suppress(FileNotFoundError):
                    (partial / name).unlink()
        partial.mkdir(mode=0o700, exist_ok=True)
        (partial / BLOBS).mkdir(exist_ok=True)
        return partial

    def _fill(self, partial: Path, on_blob: OnBlob) -> Backup:
        before = None if self._full else next(reversed(complete(self._folder)), None)
        keeping = BlobKeeping(self._blobs, partial, before.folder if before else None)
        try:
            keeping.find_kept()
            self._keep_most(keeping, on_blob)
            revision, named, lost = self._hold_the_rest(keeping, partial)
            keeping.keep_pinned()
        finally:
            keeping.release()
        keeping.drop_others({blob.key for blob in named})
        keeping.sync()
        _write_sums(partial, [blob for blob in named if blob.key not in lost])
        manifest = self._manifest(partial, revision, named, lost, keeping)
        return self._complete(partial, manifest)

    def _keep_most(self, keeping: BlobKeeping, on_blob: OnBlob) -> None:
        """Bring in what is named, until few are missing."""
        for _ in range(_ROUNDS_MAX):
            named = self._catalogue.named_blobs()
            missing = [blob for blob in named if blob.key not in keeping.kept]
            for blob in missing:
                keeping.keep(blob)  # or it is gone: then it is not named any more
                on_blob(len(keeping.kept), len(named))
            if len(missing) <= PINS_MAX // 4:
                return

    def _hold_the_rest(
        self, keeping: BlobKeeping, partial: Path
    ) -> tuple[str, list[NamedBlob], set[str]]:
        """Hold on to one moment, and write its rows down.

        Returns:
            The schema, the blobs that the rows name, and those of them whose
            bytes are lost.
        """
        with self._catalogue.snapshot() as snapshot:
            named = snapshot.blobs()
            lost = {blob.key for blob in named if not keeping.pin(blob)}
            snapshot.let_write()
            dumps.write(partial / DUMP, snapshot.revision, snapshot.tables())
            return snapshot.revision, named, lost

    def _manifest(
        self,
        partial: Path,
        revision: str,
        named: list[NamedBlob],
        lost: set[str],
        keeping: BlobKeeping,
    ) -> Manifest:
        at = Backup(partial.with_name(partial.name[1:].partition(".")[0])).at
        return Manifest(
            format=FORMAT,
            made_at=at.isoformat(timespec="seconds"),
            davhost=self._davhost,
            revision=revision,
            dump_sha256=sha256_of(partial / DUMP),
            sums_sha256=sha256_of(partial / SUMS),
            blobs=len(keeping.kept),
            size_bytes=sum(blob.size_bytes for blob in named if blob.key in keeping.kept),
            copied=keeping.copied,
            lost=tuple(sorted(lost)),
            damaged=tuple(sorted(keeping.damaged)),
        )

    def _complete(self, partial: Path, manifest: Manifest) -> Backup:
        """Give the backup its name, when all of it is on the disk."""
        manifest.write(partial / MANIFEST)
        sync(partial)
        folder = partial.with_name(partial.name[1:].partition(".")[0])
        partial.rename(folder)
        sync(self._folder)
        return Backup(folder)


def thin(folder: Path, keep: int) -> list[Backup]:
    """Delete all complete backups but the newest *keep*; return those that went.

    Raises:
        BadBackup: a backup is being made.
        OSError: one cannot be deleted.
    """
    with alone(folder):
        old = complete(folder)[:-keep]
        for backup in old:
            backup.folder.rename(folder / f".{backup.name}.deleting")
        sync(folder)
        _clear(folder)
        return old


def _write_sums(partial: Path, blobs: list[NamedBlob]) -> None:
    """Write the hashes of all blobs, as sha256sum does."""
    with (partial / SUMS).open("x") as file:
        for blob in sorted(blobs, key=lambda blob: blob.key):
            path = blob_path(partial, blob.key).relative_to(partial)
            file.write(f"{blob.sha256}  {path}\n")
        file.flush()
        os.fsync(file.fileno())


def _point_to(backup: Backup) -> None:
    """Let ``latest`` lead to the newest backup, where the file system has links."""
    link = backup.folder.with_name(f".{LATEST}")
    with suppress(OSError):
        link.unlink(missing_ok=True)
        link.symlink_to(backup.name)
        link.rename(backup.folder.with_name(LATEST))


def _clear(folder: Path) -> None:
    """Delete what broke off: nobody needs it when a newer backup is complete."""
    for path in (*remains(folder, "partial"), *remains(folder, "deleting")):
        shutil.rmtree(path)
