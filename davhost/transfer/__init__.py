"""Whole directories of plain files come in through the one door, and go out.

`walking` looks at a directory of this machine, `intake` takes in what is
found there (or in a backup), `outlet` writes a space out. Nothing here decides
what may be kept: the tree does, file by file.
"""

from __future__ import annotations

from .intake import Existing, Intake
from .items import Item, Report, Trouble
from .outlet import NotEmpty, Outlet
from .walking import count, walk

__all__ = [
    "Existing",
    "Intake",
    "Item",
    "NotEmpty",
    "Outlet",
    "Report",
    "Trouble",
    "count",
    "walk",
]
