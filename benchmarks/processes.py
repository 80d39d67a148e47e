"""What the processes of a server use, read from /proc."""

import os
import time
from pathlib import Path

_PROC = Path("/proc")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

#: How long a server must use no processor time to count as idle, and how long to wait for it.
_IDLE_SECONDS = 0.15
_IDLE_PATIENCE_SECONDS = 10.0


def _fields(stat: str) -> list[str]:
    """Split a /proc/PID/stat behind the name, which may hold spaces and brackets."""
    return stat.rpartition(")")[2].split()


def parent_of(stat: str) -> int:
    """Read the parent's number out of a /proc/PID/stat."""
    return int(_fields(stat)[1])


def cpu_seconds_of(stat: str) -> float:
    """Read the processor time, of the process and of children that it has waited for."""
    return sum(int(ticks) for ticks in _fields(stat)[11:15]) / _TICKS_PER_SECOND


def peak_bytes_of(status: str) -> int:
    """Read the peak of the resident memory out of a /proc/PID/status."""
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


class ProcessTree:
    """A process and everything below it."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def _stats(self) -> dict[int, str]:
        """Give the stat line of each process of the tree."""
        lines: dict[int, str] = {}
        for stat in _PROC.glob("[0-9]*/stat"):
            try:
                lines[int(stat.parent.name)] = stat.read_text(errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
        parents = {pid: parent_of(line) for pid, line in lines.items()}
        return {pid: line for pid, line in lines.items() if self._is_below(pid, parents)}

    def _is_below(self, pid: int, parents: dict[int, int]) -> bool:
        while pid != self._pid and pid in parents:
            pid = parents[pid]
        return pid == self._pid

    def pids(self) -> list[int]:
        """List the processes that are alive now."""
        return sorted(self._stats())

    def cpu_seconds(self) -> float:
        """Add up the processor time of all, user and system, to the tick (10 ms)."""
        return sum(cpu_seconds_of(line) for line in self._stats().values())

    def forget_peaks(self) -> None:
        """Let the peaks of memory begin anew."""
        for pid in self.pids():
            try:
                (_PROC / str(pid) / "clear_refs").write_text("5")
            except (FileNotFoundError, ProcessLookupError):
                continue

    def peak_bytes(self) -> int:
        """Give the peak of resident memory of the process that used most."""
        peaks = [0]
        for pid in self.pids():
            try:
                peaks.append(peak_bytes_of((_PROC / str(pid) / "status").read_text()))
            except (FileNotFoundError, ProcessLookupError):
                continue
        return max(peaks)

    def settle(self) -> float:
        """Wait until the work that an answer did not wait for is done; give the CPU seconds."""
        give_up_at = time.monotonic() + _IDLE_PATIENCE_SECONDS
        used = self.cpu_seconds()
        while time.monotonic() < give_up_at:
            time.sleep(_IDLE_SECONDS)
            before, used = used, self.cpu_seconds()
            if used == before:
                break
        return used
