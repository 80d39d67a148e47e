"""Writing files, and taking resources from one place of the tree to another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..blobs import Upload
from ..changes import Change, Resume, Unbind, WriteContent, WriteProperties
from ..conditions import NO_CONDITIONS, Conditions
from ..errors import IncompleteBody, QuotaExceeded, Refused, Unavailable
from ..model import PropertyUpdate, Resource, Rules
from ..paths import DavPath
from ..policy import forbid_past
from .base import RECORDED, Base
from .digests import Digest, Verifier
from .inspecting import Inspector
from .plans import Planner
from .results import Outcome

#: A body of so many bytes is hardly more than the head of a request: to look twice
#: whether it may come takes longer than to receive it.
_SHORT_BODY_BYTES = 65_536

#: Content is looked at as if no type were allowed, where the rules are not known yet.
_STRICTEST = Rules(frozenset())


class WritingTree(Base):
    """The part of `Tree` that binds, unbinds, and writes content and properties."""

    def write(
        self,
        path: DavPath,
        body: Iterable[bytes],
        *,
        length: int | None,
        conditions: Conditions = NO_CONDITIONS,
        content_type: str | None = None,
        modified_us: int | None = None,
        digests: Sequence[Digest] = (),
        upload: Upload | None = None,
        asks_first: bool = False,
    ) -> Outcome:
        """Give the file at *path* new content: the life of a PUT.

        Everything that can refuse is asked in the transaction that names the
        bytes, and before the first block is taken from *body*, unless that is
        so short that it came with the request.

        Args:
            length: the declared length in bytes; None when it is not known.
            modified_us: the date the client gives the file; None for now.
            upload: what receives *body*, if it brings the blob along.
            asks_first: whether the client keeps back even a short body until
                it is told that it may come.

        Raises:
            Refused: any refusal of `policy`, `conditions` and `plans`.
            IncompleteBody: the body is shorter or longer than *length*.
            DigestMismatch: a checksum does not fit.
            ContentRefused: the bytes are not what the name says.
        """
        rules, limit_bytes = _STRICTEST, None
        if asks_first or length is None or length > _SHORT_BODY_BYTES:
            rules, limit_bytes = self._permit_early(path, length, conditions)
        with upload or self._blobs.upload(self.principal.space_id) as upload:
            sent = self._receive(upload, body, length, limit_bytes, digests)
            stored = upload.finish()
            inspector = Inspector(self._blobs, stored, sent)
            try:
                if not path.is_root and self._policy.judges_contents(rules):
                    inspector.inspect_sent(path.name.extension)
                resource, changes = self._change(
                    "write",
                    path,
                    lambda planner: planner.write(path, stored.size_bytes),
                    conditions,
                    inspector,
                    content_type=content_type,
                    modified_us=modified_us,
                )
            except Unavailable:
                raise  # perhaps it was committed: housekeeping finds out
            except Refused:
                upload.discard()
                raise
            upload.keep()
        return Outcome(resource, created=not isinstance(changes[0], WriteContent))

    def make_collection(
        self,
        path: DavPath,
        *,
        updates: Sequence[PropertyUpdate] = (),
        modified_us: int | None = None,
        conditions: Conditions = NO_CONDITIONS,
    ) -> Resource:
        """Make an empty collection.

        Raises:
            AlreadyMapped: there is a resource at *path*.
            Conflict: its parent is missing or is no collection.
        """
        self._policy.judge_updates(updates, ())
        resource, _ = self._change(
            "bind",
            path,
            lambda planner: planner.make_collection(path, tuple(updates)),
            conditions,
            modified_us=modified_us,
        )
        return resource

    def unbind(self, path: DavPath, *, conditions: Conditions = NO_CONDITIONS) -> None:
        """Take the resource at *path* out of the tree, with all its members.

        Raises:
            NotFound: the URL is not mapped.
            Locked: it, a member or its parent is locked.
        """
        self._change("unbind", path, lambda planner: planner.unbind(path), conditions)

    def copy(
        self,
        source: DavPath,
        destination: DavPath,
        *,
        deep: bool,
        overwrite: bool,
        conditions: Conditions = NO_CONDITIONS,
    ) -> Outcome:
        """Copy a resource; blobs are shared, so the bytes are not touched.

        Args:
            deep: with all members (Depth infinity) or without (Depth 0).

        Raises:
            NotFound, Forbidden, Conflict, PreconditionFailed: as `plans.Planner.copy`.
        """
        resource, changes = self._change(
            "copy",
            source,
            lambda planner: planner.copy(source, destination, deep=deep, overwrite=overwrite),
            conditions,
            refused_path=destination,
            is_short=not deep,
        )
        return Outcome(resource, created=_maps(changes, destination))

    def move(
        self,
        source: DavPath,
        destination: DavPath,
        *,
        overwrite: bool,
        conditions: Conditions = NO_CONDITIONS,
    ) -> Outcome:
        """Move a resource with all its members; constant work for any tree.

        Raises:
            NotFound, Forbidden, Conflict, PreconditionFailed: as `plans.Planner.move`.
        """
        resource, changes = self._change(
            "move",
            source,
            lambda planner: planner.move(source, destination, overwrite=overwrite),
            conditions,
            refused_path=destination,
            left_at=destination,
        )
        return Outcome(resource, created=_maps(changes, destination))

    def patch(
        self,
        path: DavPath,
        updates: Sequence[PropertyUpdate],
        *,
        modified_us: int | None = None,
        created_us: int | None = None,
        conditions: Conditions = NO_CONDITIONS,
    ) -> Resource:
        """Set and remove dead properties in order, all or none (RFC 4918 section 9.2).

        Raises:
            NotFound: the URL is not mapped.
            PropertyTooLarge: a property, or their number, is beyond the limits.
        """

        def plan(planner: Planner) -> Sequence[Change]:
            forbid_past(path)
            target = planner.reading.get(path)
            self._policy.judge_updates(updates, planner.reading.properties(target))
            return [
                WriteProperties(
                    path, target, tuple(updates), modified_us=modified_us, created_us=created_us
                )
            ]

        resource, _ = self._change("properties", path, plan, conditions)
        return resource

    def _permit_early(
        self, path: DavPath, length: int | None, conditions: Conditions
    ) -> tuple[Rules, int | None]:
        """Ask for a PUT before its body is read.

        Returns:
            What names are judged by, and how many bytes the body may have at
            most; None for no limit.
        """
        size_bytes = length or 0
        try:
            with self._reading() as reading:
                permit = self._permit(
                    reading, path, lambda planner: planner.write(path, size_bytes), conditions
                )
        except RECORDED as refused:
            self._record_refusal("write", path, refused)
            raise
        return permit.rules, self._policy.size_limit(permit, size_bytes)

    def _receive(
        self,
        upload: Upload,
        body: Iterable[bytes],
        length: int | None,
        limit_bytes: int | None,
        digests: Sequence[Digest],
    ) -> bytes | None:
        """Pass *body* on to *upload*.

        Returns:
            All of it, if it is short.
        """
        verifier = Verifier(digests)
        short: list[bytes] = []
        for block in body:
            upload.write(block)
            verifier.update(block)
            if upload.size_bytes <= _SHORT_BODY_BYTES:
                short.append(block)
            if length is not None and upload.size_bytes > length:
                raise IncompleteBody("More bytes arrived than were announced.")
            if limit_bytes is not None and upload.size_bytes > limit_bytes:
                raise QuotaExceeded(f"The space has room for {limit_bytes} bytes here.")
        if length is not None and upload.size_bytes < length:
            raise IncompleteBody(f"{upload.size_bytes} of {length} bytes arrived.")
        verifier.check()
        return b"".join(short) if upload.size_bytes <= _SHORT_BODY_BYTES else None


def _maps(changes: Sequence[Change], destination: DavPath) -> bool:
    """Whether *changes* map a URL that was not mapped before."""
    first = changes[0]
    if isinstance(first, Resume):
        return True
    return not isinstance(first, Unbind | WriteContent) or first.path != destination
