"""Doing things at the same moment."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def at_once(*actions: Callable[[], T]) -> list[T]:
    """Run *actions* in threads that all start at one moment; give back their results."""
    barrier = threading.Barrier(len(actions))

    def run(action: Callable[[], T]) -> T:
        barrier.wait()
        return action()

    with ThreadPoolExecutor(len(actions)) as threads:
        return list(threads.map(run, actions))


def tally(statuses: Sequence[int]) -> dict[int, int]:
    """Count how often each status was answered."""
    return {status: statuses.count(status) for status in sorted(set(statuses))}
