"""Backups: whole instances at one moment, beside each other in one directory.

::

    DIR/2026-11-22T223050Z/manifest.json       what it is, and its own hashes
    DIR/2026-11-22T223050Z/catalogue.jsonl.gz  every row of the catalogue
    DIR/2026-11-22T223050Z/blobs.sha256        for sha256sum --check
    DIR/2026-11-22T223050Z/blobs/<key>         the bytes
    DIR/latest                                 a link to the newest

Each backup is complete in itself. Blobs never change, so the next one links
those that it shares with the one before, and needs room for the new ones only.
Until it is complete its name begins with a dot and ends in ``.partial``.

The catalogue is written as plain rows and not as a copy of the database's
files: one program makes it on SQLite and on PostgreSQL, a backup of one can be
restored into the other and by a newer davhost, and people can read it.
"""

from __future__ import annotations

from .layout import Backup, BadBackup, Manifest, complete, newest
from .making import Maker, thin
from .restoring import restore_all
from .spaces import NoSuchSpace, items_of
from .verifying import verify

__all__ = [
    "Backup",
    "BadBackup",
    "Maker",
    "Manifest",
    "NoSuchSpace",
    "complete",
    "items_of",
    "newest",
    "restore_all",
    "thin",
    "verify",
]
