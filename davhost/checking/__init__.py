"""Whether everything is as it has to be: rows, bytes, and the readable trees.

Nothing is changed unless that is asked for, and then only what leaves no
choice. It runs while the server serves; no transaction is held for longer than
one statement.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..blobs import BlobStore
from ..catalogue import Catalogue, Owner
from ..clock import Clock
from ..errors import NotFound
from ..projection import Comparison, Kind, Projection
from .contents import ContentCheck
from .findings import Finding, Report
from .rows import RowCheck, is_walkable

__all__ = ["Checking", "Finding", "Report"]

#: A server that runs has applied an entry of the journal long before.
LATE_SECONDS = 300

#: How many different paths of one tree are told one by one.
_TOLD = 100

_WORDS = {
    Kind.MISSING: "is missing from the readable tree",
    Kind.FOREIGN: "is in the readable tree, and the account has no such thing",
    Kind.OTHER: "is something else in the readable tree",
}


class Checking:
    """Checks one instance.

    Args:
        projection: None when there are no readable trees.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        blobs: BlobStore,
        clock: Clock,
        projection: Projection | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._blobs = blobs
        self._clock = clock
        self._projection = projection

    def run(self, *, deep: bool = False, repair: bool = False) -> Report:
        """Check everything.

        Args:
            deep: read and hash every byte as well.
            repair: mend what leaves no choice.

        Raises:
            OSError, Unavailable: it could not be checked.
        """
        report = Report()
        owners = self._owners()
        accounts = {space_id: owner.email for space_id, owner in owners.items()}
        rows = RowCheck(self._catalogue, accounts, self._clock.lease())
        contents = ContentCheck(self._catalogue, self._blobs, self._clock, owners, self._projection)
        if repair:
            # First: housekeeping would delete them.
            report.add(contents.revive())
        rows.run(report, deep=deep, repair=repair)
        contents.run(report, deep=deep, repair=repair)
        if not is_walkable(report):
            report.notes.append("paths, locks and readable trees were left out: see above")
            return report
        for owner in owners.values():
            report.add(self._tree(report, owner, repair=repair))
        return report

    def _owners(self) -> dict[int, Owner]:
        with self._catalogue.people() as people:
            return {owner.space_id: owner for owner in people.owners()}

    def _tree(self, report: Report, owner: Owner, *, repair: bool) -> Iterator[Finding]:
        """Compare one readable tree."""
        if self._projection is None:
            return
        report.count("readable trees")
        try:
            found = list(self._faults(report, owner, self._projection))
            if not found or not repair:
                yield from found
                return
            self._projection.mend(owner.user_id)
            left = set(self._faults(report, owner, self._projection))
        except NotFound:
            return  # the account was removed meanwhile
        for finding in found:
            yield Finding(
                finding.code, finding.sentence, finding.account, finding.path, finding not in left
            )

    def _faults(self, report: Report, owner: Owner, projection: Projection) -> Iterator[Finding]:
        compared = projection.compare(owner.user_id)
        if not compared.known and owner.journal_seq:
            yield Finding(
                "tree-unknown",
                "nobody knows how far the readable tree has come",
                owner.email,
            )
        yield from self._lag(report, owner, compared)
        differences = [d for d in compared.differences if d.path != "/" or owner.journal_seq]
        for difference in differences[:_TOLD]:
            sentence = _WORDS[difference.kind]
            yield Finding("tree-" + difference.kind, sentence, owner.email, difference.path)
        if len(differences) > _TOLD:
            sentence = f"{len(differences) - _TOLD} more paths differ in the readable tree"
            yield Finding("tree-more", sentence, owner.email)

    def _lag(self, report: Report, owner: Owner, compared: Comparison) -> Iterator[Finding]:
        if compared.pending_since_us is None or not compared.known:
            return
        sentence = f"the readable tree is {compared.pending} changes behind"
        if self._clock.now_us() - compared.pending_since_us > LATE_SECONDS * 1_000_000:
            yield Finding("tree-late", sentence, owner.email)
        else:
            report.notes.append(f"{owner.email}: {sentence}")
