"""What a check finds: problems, and what it looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem.

    Args:
        code: the same for every problem of the kind: ``counter``, ``blob-lost``.
        sentence: what is wrong, and what is still there.
        account: whose it is, if it is somebody's.
        path: of the file or folder, as people named it; not safe for a terminal.
        repaired: whether it is mended now.
    """

    code: str
    sentence: str
    account: str | None = None
    path: str | None = None
    repaired: bool = False


@dataclass(slots=True)
class Report:
    """What a whole check found.

    Args:
        looked_at: how much there was, by what it is.
        notes: what is no problem, and passes by itself.
    """

    findings: list[Finding] = field(default_factory=list)
    looked_at: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong, or nothing any more."""
        return all(finding.repaired for finding in self.findings)

    def add(self, findings: Iterable[Finding], *, repaired: bool = False) -> None:
        """Take up findings."""
        self.findings += [
            replace(finding, repaired=finding.repaired or repaired) for finding in findings
        ]

    def count(self, what: str, number: int = 1) -> None:
        """Note that something was looked at."""
        self.looked_at[what] = self.looked_at.get(what, 0) + number
