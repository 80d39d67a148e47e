"""What the processes of a server use, read from /proc."""

import contextlib
import os
import time
from pathlib import Path

_PROC = Path("/proc")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

#: A server is idle that uses less than this share of a processor for so long; a thread that
#: wakes up to look around is no work. And how long to wait for that.
_IDLE_SHARE = 0.02
_IDLE_SECONDS = 0.15
_IDLE_PATIENCE_SECONDS = 10.0


def _fields(stat: str) -> list[str]:
    """Split a /proc/PID/stat behind the name, which may hold spaces and brackets."""
    return stat.rpartition(")")[2].split()


def parent_of(stat: str) -> int:
    """Read the parent's number out of a /proc/PID/stat."""
    return int(_fields(stat)[1])


def waited_seconds_of(stat: str) -> float:
    """Read the processor time of children that have ended, out of a /proc/PID/stat."""
    return sum(int(ticks) for ticks in _fields(stat)[13:15]) / _TICKS_PER_SECOND


def cpu_seconds_of(pid: int) -> float:
    """Ask the clock of a process, which is exact; /proc counts in ticks of 10 ms.

    Raises:
        OSError: the process has ended.

    Source: clock_getcpuclockid(3), which makes its number in this way.
    """
    return time.clock_gettime(~pid << 3 | 2)


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
        """Add up the processor time of all, user and system."""
        total = 0.0
        for pid, stat in self._stats().items():
            with contextlib.suppress(OSError):
                total += cpu_seconds_of(pid) + waited_seconds_of(stat)
        return total

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
            if used - before < _IDLE_SECONDS * _IDLE_SHARE:
                break
        return used
