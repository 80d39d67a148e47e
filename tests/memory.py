"""How much memory the processes of a server take at the most."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

MIB = 2**20


class Peak:
    """The growth of some processes from now on, by the kernel's own account."""

    def __init__(self, processes: Callable[[], Iterable[int]]) -> None:
        self._processes = processes
        self._before = 0
        for pid in processes():
            # 5 means: forget the peak so far (man 5 proc).
            Path(f"/proc/{pid}/clear_refs").write_text("5")
            self._before += resident_bytes(pid)

    def growth_bytes(self) -> int:
        """How far above the beginning the peak was; workers that came later count whole."""
        peak = 0
        for pid in self._processes():
            with suppress(FileNotFoundError):
                peak += _status_bytes(pid, "VmHWM")
        return peak - self._before


def resident_bytes(pid: int) -> int:
    """How much of its memory a process has in use."""
    return _status_bytes(pid, "VmRSS")


def _status_bytes(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    raise KeyError(field)
