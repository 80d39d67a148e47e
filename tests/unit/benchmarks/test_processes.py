"""What is read from /proc."""

import os
import subprocess
import time

from benchmarks.processes import (
    ProcessTree,
    cpu_seconds_of,
    parent_of,
    peak_bytes_of,
    waited_seconds_of,
)

TICKS = os.sysconf("SC_CLK_TCK")
STAT = f"17 (a (b) c) S 4 17 17 0 -1 4194560 1 2 3 4 {TICKS} {2 * TICKS} {3 * TICKS} {4 * TICKS} 20"


def test_a_stat_is_read_behind_the_name() -> None:
    """A program may call itself anything."""
    assert parent_of(STAT) == 4
    assert waited_seconds_of(STAT) == 7.0


def test_the_clock_of_a_process_is_its_processor_time() -> None:
    """It is the one that the process itself reads."""
    before = time.process_time()
    read = cpu_seconds_of(os.getpid())
    assert before <= read <= time.process_time()


def test_the_peak_is_in_bytes() -> None:
    """The kernel writes it in KiB."""
    assert peak_bytes_of("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n") == 2 << 20
    assert peak_bytes_of("Name:\tkthreadd\n") == 0


def test_a_tree_has_the_children_of_children() -> None:
    """What a worker starts belongs to the server."""
    with subprocess.Popen(
        ["sh", "-c", "sh -c 'echo $$; read end; :'; :"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        grandchild = int(process.stdout.readline())
        tree = ProcessTree(process.pid)
        assert tree.pids() == [process.pid, grandchild]
        assert tree.peak_bytes() > 0
        process.communicate("\n")
