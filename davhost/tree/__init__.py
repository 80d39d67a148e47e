"""The one door: every read and write of resources, whoever asks.

A `Tree` is one space as one principal may use it. Each method plans what a
request means (`plans`), has the policy judge it and the catalogue apply it, in
one transaction; bytes are durable before a row names them.
"""

from __future__ import annotations

from .adopting import AdoptingTree
from .digests import Digest
from .listings import Entry, Listing, Part, Revision, Run, parts_of
from .locking import LockingTree
from .reading import ReadingTree
from .restoring import RestoringTree
from .results import Changed, Locking, Looked, Opened, Outcome
from .rewinding import RewindingTree, Rewound
from .syncing import SyncingTree
from .writing import WritingTree

__all__ = [
    "Changed",
    "Digest",
    "Entry",
    "Listing",
    "Locking",
    "Looked",
    "Opened",
    "Outcome",
    "Part",
    "Revision",
    "Rewound",
    "Run",
    "Tree",
    "parts_of",
]


class Tree(
    ReadingTree,
    SyncingTree,
    AdoptingTree,
    WritingTree,
    RestoringTree,
    RewindingTree,
    LockingTree,
):
    """One space as one principal may use it.

    Made for one request or command; holds no connection between calls.
    """
