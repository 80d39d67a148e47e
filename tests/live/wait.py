"""Waiting for what another process is about to do, without measuring time."""

import time
from collections.abc import Callable

#: Far more than anything here takes; it only bounds a test that has already failed.
PATIENCE_SECONDS = 90.0


def eventually(check: Callable[[], None], patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Repeat *check* until it raises no AssertionError; in the end, let the last one out."""
    give_up_at = time.monotonic() + patience_seconds
    while True:
        try:
            check()
        except AssertionError:
            if time.monotonic() > give_up_at:
                raise
        else:
            return
        time.sleep(0.05)
