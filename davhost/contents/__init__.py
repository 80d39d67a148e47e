"""Whether bytes are what the extension of their name says.

`find_faults` looks at the beginning of a content, or at the table of contents
of a container, and says what is wrong with it. Nothing here refuses: `policy`
decides which faults matter. Hostile content costs no more than any other: at
most `budget.BUDGET_BYTES` are read, at most `zips.PART_BYTES_MAX` decompressed,
and whatever cannot be understood is a fault, never an exception.
"""

from __future__ import annotations

from typing import BinaryIO

from .budget import Reader, Unreadable
from .faults import Fault, FaultKind
from .table import TYPES, FileType

__all__ = ["TYPES", "Fault", "FaultKind", "FileType", "find_faults", "is_judged"]


def is_judged(extension: str) -> bool:
    """Whether anything is known about content whose name ends in *extension*."""
    return extension in TYPES


def find_faults(content: BinaryIO, extension: str) -> tuple[Fault, ...]:
    """Say what is wrong with *content* under a name that ends in *extension*.

    Empty content is a stage of saving, and an extension that nothing is known
    about promises nothing: neither has a fault.

    Args:
        content: seekable; where it stands afterwards is not defined.
        extension: case-folded, without a dot.

    Returns:
        The faults, a wrong type first; empty when there are none.

    Raises:
        OSError: the content cannot be read.
    """
    file_type = TYPES.get(extension)
    reader = Reader(content)
    if file_type is None or reader.size_bytes == 0:
        return ()
    try:
        return tuple(file_type.check(reader))
    except Unreadable:
        return (file_type.unfit,)
