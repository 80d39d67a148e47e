"""The rows: every invariant of the catalogue, and the locks."""

from __future__ import annotations

from collections.abc import Iterator

from ..catalogue import Audit, Catalogue
from ..catalogue.audit import INVARIANTS, Breach
from .findings import Finding, Report

#: What makes it impossible to walk from a folder to its members and back.
_SHAPE = frozenset({"root", "parent", "adrift", "kind"})


def is_walkable(report: Report) -> bool:
    """Whether the trees are trees, so that paths can be followed."""
    return all(finding.code not in _SHAPE for finding in report.findings)


class RowCheck:
    """Examines the database.

    Args:
        accounts: e-mail addresses by space id.
        lease: now, on the lease clock.
    """

    def __init__(self, catalogue: Catalogue, accounts: dict[int, str], lease: float) -> None:
        self._catalogue = catalogue
        self._accounts = accounts
        self._lease = lease

    def run(self, report: Report, *, deep: bool, repair: bool) -> None:
        """Look at all rows; mend what leaves no choice."""
        with self._catalogue.audit() as audit:
            faults = audit.database_faults(deep=deep)
            for name, number in audit.counts(self._lease).items():
                report.count(name, number)
        report.add(Finding("database", f"the database says: {fault}") for fault in faults)
        for code in INVARIANTS:
            report.add(self._examine(code, repair=repair))
        if is_walkable(report):
            report.add(self._examine_locks(repair=repair))

    def _examine(self, code: str, *, repair: bool) -> Iterator[Finding]:
        breaches = self._breaches(code)
        if repair and breaches and self._mend(code, breaches):
            left = {(breach.space_id, breach.what) for breach in self._breaches(code)}
        else:
            left = {(breach.space_id, breach.what) for breach in breaches}
        for breach in breaches:
            account = self._accounts.get(breach.space_id or 0)
            repaired = (breach.space_id, breach.what) not in left
            yield Finding(code, breach.sentence, account, repaired=repaired)

    def _breaches(self, code: str) -> list[Breach]:
        with self._catalogue.audit() as audit:
            return audit.breaches(code)

    def _mend(self, code: str, breaches: list[Breach]) -> bool:
        """Mend what can be mended without a choice; say whether this can."""
        mend = {
            "counter": Audit.count_again,
            "unnamed": Audit.bury,
            "home": Audit.forget_half_homes,
        }.get(code)
        if mend is None:
            return False
        for space_id in {breach.space_id for breach in breaches} - {None}:
            with self._catalogue.audit(writes=True) as audit:
                mend(audit, space_id or 0)
        return True

    def _examine_locks(self, *, repair: bool) -> Iterator[Finding]:
        with self._catalogue.audit() as audit:
            locks = audit.locks(self._lease)
        for space_id, token, path in locks:
            with self._catalogue.read(space_id, lease=self._lease) as reading:
                if reading.find(path) is not None:
                    continue
                # In this order: a lock ends together with what it protects.
                if token not in {
                    lock.token for lock in reading.locks_touching([path], below=False)
                }:
                    continue
            if repair:
                with self._catalogue.audit(writes=True) as audit:
                    audit.drop_lock(space_id, token)
            yield Finding(
                "lock",
                "a lock protects nothing",
                self._accounts.get(space_id),
                path.text,
                repaired=repair,
            )
