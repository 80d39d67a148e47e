"""The hash of a stream, of a long one beside the reading and writing of it.

To hash costs as much as to receive and to write together, and neither needs the
interpreter: where there is a second processor a large upload takes as long as the
slower of the two, not as long as both.
"""

from __future__ import annotations

import hashlib
import os
import threading
from queue import Queue

#: A shorter stream is hashed sooner than a thread has begun.
_SHORT_BYTES = 4 << 20

#: So many blocks may wait for the hash; they are in memory.
_BLOCKS_WAITING_MAX = 4

#: More threads than processors would only take turns.
_threads = threading.BoundedSemaphore(os.cpu_count() or 1)


class StreamHash:
    """SHA-256 of what it is told, block by block.

    Whoever has begun calls `hexdigest` or `close` in the end.

    Attributes:
        size_bytes: how much that was so far.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.size_bytes = 0
        self._thread: threading.Thread | None = None
        #: What waits for the thread; made with it, since most streams have none.
        self._blocks: Queue[bytes | None]

    def update(self, block: bytes) -> None:
        """Go on with *block*, which must not be changed any more."""
        self.size_bytes += len(block)
        if self.size_bytes > _SHORT_BYTES and self._has_thread():
            self._blocks.put(block)
        else:
            self._hash.update(block)

    def hexdigest(self) -> str:
        """End it; 64 digits in lower case."""
        self.close()
        return self._hash.hexdigest()

    def close(self) -> None:
        """End it, whatever it was for."""
        if self._thread is not None:
            self._blocks.put(None)
            self._thread.join()
            self._thread = None
            _threads.release()

    def _has_thread(self) -> bool:
        if self._thread is None and _threads.acquire(blocking=False):
            thread = threading.Thread(target=self._work, name="hash", daemon=True)
            self._blocks = Queue(_BLOCKS_WAITING_MAX)
            try:
                thread.start()
            except RuntimeError:  # no more threads are to be had
                _threads.release()
            else:
                self._thread = thread
        return self._thread is not None

    def _work(self) -> None:
        while (block := self._blocks.get()) is not None:
            self._hash.update(block)
