"""What can be wrong with a content."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """Faults of one kind are refused, or not, by one setting."""

    UNFIT = "unfit"
    """The content is not of the type that the name says."""
    MACROS = "macros"
    """It is a document that brings a program along."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Args:
        words: the end of a sentence that begins with "Content"; ASCII.
    """

    kind: FaultKind
    words: str


MACROS = Fault(FaultKind.MACROS, "holds macros")
