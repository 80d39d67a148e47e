"""Read a backup again, and compare every hash."""

from __future__ import annotations

from collections.abc import Iterator

from . import dumps
from .layout import DUMP, SUMS, Backup, BadBackup, sha256_of


def verify(backup: Backup) -> Iterator[str]:
    """Yield what is wrong with a backup, one sentence for each fault.

    Raises:
        BadBackup: it is of a newer davhost, or has no manifest.
    """
    manifest = backup.manifest()
    for name, wanted in ((DUMP, manifest.dump_sha256), (SUMS, manifest.sums_sha256)):
        fault = _compare(backup, name, wanted)
        if fault is not None:
            yield fault
    yield from (f"The blob {key} was lost before the backup." for key in manifest.lost)
    try:
        for _ in dumps.read(backup.folder / DUMP)[1]:
            pass
        for key, sha256 in backup.sums():
            path = backup.blob(key).relative_to(backup.folder)
            fault = _compare(backup, str(path), sha256)
            if fault is not None:
                yield fault
    except (BadBackup, OSError) as error:
        yield f"{error}."


def _compare(backup: Backup, name: str, wanted: str) -> str | None:
    try:
        found = sha256_of(backup.folder / name)
    except OSError as error:
        return f"{name} cannot be read: {error.strerror}."
    return None if found == wanted else f"{name} is damaged."
