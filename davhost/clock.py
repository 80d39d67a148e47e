"""Time as an argument: the wall clock for dates, the lease clock for deadlines."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where the layers below take the time from."""

    def now_us(self) -> int:
        """Microseconds since 1970 UTC."""
        ...

    def lease(self) -> float:
        """Seconds on a clock that only runs forward, also over restarts.

        Lock lifetimes and throttles are counted on it, so that a step of the
        wall clock neither drops a lock nor keeps it for ever.
        """
        ...


class SystemClock:
    """The clocks of this machine.

    Args:
        offset_seconds: what to add to the time since boot to get lease
            seconds; the catalogue keeps one per boot, the same for every
            process (`catalogue.leases`).
    """

    def __init__(self, offset_seconds: float) -> None:
        self._offset_seconds = offset_seconds

    def now_us(self) -> int:
        """Microseconds since 1970 UTC."""
        return time.time_ns() // 1000

    def lease(self) -> float:
        """Seconds since boot plus the offset of this boot."""
        return since_boot_seconds() + self._offset_seconds


def since_boot_seconds() -> float:
    """Seconds since the machine started, sleep included."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
