"""Files of this machine come in: through the same door as those of a client."""

from __future__ import annotations

import os
from typing import BinaryIO

from .. import names
from ..names import Verdict
from ..paths import DavPath
from .results import Outcome
from .writing import WritingTree


class AdoptingTree(WritingTree):
    """The part of `Tree` that takes in files without a client."""

    def verdict(self, path: DavPath) -> Verdict:
        """Say what the name of a file at *path* means here, without asking for it.

        Raises:
            BadPath: *path* is the root.
        """
        with self._reading() as reading:
            rules = self._policy.rules_of(reading.space())
        verdict = names.classify(path.name, rules)
        if rules.extensions is not None and names.in_temporary_folder(path):
            return Verdict(names.NameClass.SAVE, "the folder is a temporary", temporary=True)
        return verdict

    def adopt(
        self, path: DavPath, source: BinaryIO, *, hard_link: bool = False, modified_us: int
    ) -> Outcome:
        """Write the content of an open file to *path*, without copying it where that can be.

        Args:
            source: a regular file, open for reading; stays open.
            hard_link: whether *source* itself may become the blob; see
                `BlobStore.adopt` for what that means.
            modified_us: the date that the file has here.

        Raises:
            Refused: as `write` does; nothing is changed then.
            OSError: *source* cannot be read.
        """
        adopted = self._blobs.adopt(self.principal.space_id, source, hard_link=hard_link)
        return self.write(
            path,
            adopted.blocks(),
            length=os.fstat(source.fileno()).st_size,
            modified_us=modified_us,
            upload=adopted,
        )

    def sha256_of(self, path: DavPath) -> str | None:
        """Look up the hash of a file, lower-case hex; None for empty ones and collections.

        Raises:
            NotFound: the URL is not mapped.
        """
        with self._reading() as reading:
            key = reading.get(path).blob_key
            return None if key is None else reading.sha256_of(key)
