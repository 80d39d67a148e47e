"""Room on the disk of a local blob store, of which a part is kept free."""

from __future__ import annotations

import math
import os
from pathlib import Path

from .folders import Refusing, disk_full

MIB = 1 << 20


class Room:
    """What is free on the disk of *root*.

    Args:
        reserve_bytes: what uploads leave free, at most 5 % of the file system:
            a full disk must not keep the catalogue beside it from deleting.
    """

    def __init__(self, root: Path, reserve_bytes: int) -> None:
        self._root = str(root)
        self._reserve_bytes = reserve_bytes

    def check(self, block_bytes: int) -> None:
        """Keep the reserve free.

        Raises:
            DiskFull: *block_bytes* more would touch it.
        """
        free_bytes, reserve_bytes = self._look()
        if free_bytes - block_bytes < reserve_bytes:
            raise disk_full()

    def is_scarce(self) -> bool:
        """Whether less than twice the reserve is free."""
        with Refusing():
            free_bytes, reserve_bytes = self._look()
        return free_bytes < 2 * reserve_bytes

    def left_bytes(self) -> int | None:
        """Bytes that are free beside the reserve; None where the file system does not tell."""
        with Refusing():
            free_bytes, reserve_bytes = self._look()
        return None if math.isinf(free_bytes) else max(0, int(free_bytes) - reserve_bytes)

    def _look(self) -> tuple[float, int]:
        """Bytes that are free, and those that uploads leave alone."""
        disk = os.statvfs(self._root)
        if disk.f_blocks == 0:  # some network file systems do not tell
            return math.inf, 0
        reserve_bytes = min(self._reserve_bytes, disk.f_blocks * disk.f_frsize // 20)
        return disk.f_bavail * disk.f_frsize, reserve_bytes
