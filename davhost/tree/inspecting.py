"""Which bytes become a file by a change, and what is wrong with them.

What a file holds fits its name, and where it belongs when a saving program has
it under another name: so content that is a file of the same type already needs
no look, and taking files from one place to another stays constant work. Blobs
never change: what was found in one holds for as long as a request lasts, and no
transaction is open while one is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import BinaryIO

from .. import names
from ..blobs import BlobMissing, BlobStore
from ..catalogue import Reading
from ..changes import BindCopy, BindFile, Change, Rebind, Resume, WriteContent
from ..contents import Fault, find_faults, is_judged
from ..errors import ContentLost, Unavailable
from ..model import Kind, Resource, Rules, Stored
from ..names import NameClass
from ..paths import DavPath, Name


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """Bytes and the extension that says what they are.

    Args:
        blob_key: never of empty content, which claims nothing.
    """

    blob_key: str
    extension: str


class Uninspected(Exception):
    """Bytes must be looked at before the change can be judged.

    Args:
        claims: what to look at, out of the transaction.
    """

    def __init__(self, claims: Iterable[Claim]) -> None:
        super().__init__()
        self.claims = tuple(claims)


@dataclass(slots=True)
class Inspector:
    """Looks at the bytes of one request.

    Args:
        stored: what the client sent.
        sent: the same in memory, if it is short: then no file is read.
    """

    blobs: BlobStore
    stored: Stored | None = None
    sent: bytes | None = None
    _found: dict[Claim, Sequence[Fault]] = field(default_factory=dict)
    _missing: set[Claim] = field(default_factory=set)

    def inspect_sent(self, extension: str) -> None:
        """Look at what the client sent, which will most likely get this extension."""
        if self._sent_key is not None and is_judged(extension):
            self.inspect(Claim(self._sent_key, extension))

    def faults(
        self, changes: Iterable[Change], reading: Reading, rules: Rules
    ) -> dict[DavPath, Sequence[Fault]]:
        """Say what is wrong with the content that *changes* make into files.

        Raises:
            Uninspected: some of it was not looked at yet.
            ContentLost: some of it is missing from the blob store.
        """
        claims = _Claims(self._sent_key, reading, rules).of(changes)
        every = set().union(*claims.values())
        if not self._missing.isdisjoint(every):
            raise ContentLost("The content of this file is missing.")
        if not every <= self._found.keys():
            raise Uninspected(every - self._found.keys())
        return {
            path: [fault for claim in sorted(of_path) for fault in self._found[claim]]
            for path, of_path in claims.items()
        }

    def inspect(self, *claims: Claim) -> None:
        """Look at the bytes of *claims*.

        What is missing was perhaps replaced a moment ago: whether it is lost
        turns out when the change is planned again.

        Raises:
            Unavailable: they cannot be read now.
        """
        for claim in claims:
            try:
                with self._open(claim.blob_key) as content:
                    self._found[claim] = find_faults(content, claim.extension)
            except BlobMissing:
                self._missing.add(claim)
            except OSError as error:
                raise Unavailable(
                    "The server cannot use its disk now.", retry_after_seconds=30
                ) from error

    def _open(self, blob_key: str) -> BinaryIO:
        if self.sent is not None and blob_key == self._sent_key:
            return BytesIO(self.sent)
        return self.blobs.open(blob_key)

    @property
    def _sent_key(self) -> str | None:
        return self.stored.key if self.stored else None


@dataclass(frozen=True, slots=True)
class _Claims:
    """Finds what a list of changes claims.

    Args:
        sent_key: the blob that the client sent.
    """

    sent_key: str | None
    reading: Reading
    rules: Rules

    def of(self, changes: Iterable[Change]) -> dict[DavPath, set[Claim]]:
        """List the claims by path; what is written to a path replaces what it held."""
        claims: dict[DavPath, set[Claim]] = {}
        for change in changes:
            is_resumed = change.path in claims
            for path, blob_key, extensions in self._one(change, is_resumed=is_resumed):
                claims[path] = {
                    Claim(blob_key, extension)
                    for extension in extensions
                    if blob_key is not None and is_judged(extension)
                }
        return claims

    def _one(
        self, change: Change, *, is_resumed: bool
    ) -> Iterator[tuple[DavPath, str | None, set[str]]]:
        """Yield paths, the bytes that become files there, and the types they must have."""
        path = change.path
        match change:
            case BindFile(kind=Kind.FILE):
                yield path, self.sent_key, {path.name.extension}
            case Resume(resource=file):
                yield path, file.blob_key, {path.name.extension} - self._types(file)
            case WriteContent(resource=Resource(kind=Kind.FILE) as file, source=source):
                types = {path.name.extension} if is_resumed else self._types(file)
                if source is None:
                    yield path, self.sent_key, types
                elif source.id == file.id:  # a version of its own, perhaps under another name
                    yield path, source.blob_key, types
                else:
                    yield path, source.blob_key, types - self._types(source)
            case BindCopy(source=source, kind=Kind.COLLECTION):
                yield from self._members(change)
            case BindCopy(source=source, kind=Kind.FILE):
                yield path, source.blob_key, {path.name.extension} - self._types(source)
            case Rebind(resource=source, kind=Kind.FILE):
                if not change.away or self._says_file(path.name):
                    yield path, source.blob_key, {path.name.extension} - self._types(source)
            case _:
                pass

    def _members(self, copy: BindCopy) -> Iterator[tuple[DavPath, str | None, set[str]]]:
        """Yield the temporaries in a tree that become files by being copied elsewhere."""
        for id_, kind in copy.kinds.items():
            if kind is Kind.FILE:
                member = self.reading.get_by_id(id_)
                path = self.reading.path_of(member)
                if path is not None:
                    yield path, member.blob_key, {path.name.extension} - self._types(member)

    def _types(self, source: Resource) -> set[str]:
        """List the extensions that the content of *source* fits, because it is a file."""
        if source.kind is not Kind.FILE:
            return set()
        name = Name.known(source.name)
        home = self.reading.home_of(source)
        if home is None:
            return {name.extension}
        return {home[1].extension, *([name.extension] if self._says_file(name) else [])}

    def _says_file(self, name: Name) -> bool:
        return names.classify(name, self.rules).name_class is NameClass.FILE
