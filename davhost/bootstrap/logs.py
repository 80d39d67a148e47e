"""Where lines of the log go: to standard error, each in one piece."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from typing import TextIO

from davhost.settings import Settings

#: The logger of one line for each request.
ACCESS = "davhost.access"

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def set_up_logging(settings: Settings) -> None:
    """Write everything of davhost to standard error; of others only warnings."""
    # What no line shows is not looked for: the thread, the process, and who called.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    logging.basicConfig(handlers=[_Handler(sys.stderr)], level=logging.WARNING, force=True)
    logging.getLogger("davhost").setLevel(settings.log_level.upper())


def access_log() -> Callable[[str], object]:
    """Find the shortest way for the lines of requests, of which there are so many.

    To make a record of each and to format it takes four times as long as to write
    it. Where somebody else has set up logging, their handlers get records.
    """
    logger = logging.getLogger(ACCESS)
    if logger.isEnabledFor(logging.INFO) and not logger.handlers:
        match logging.root.handlers:
            case [_Handler() as ours]:
                return ours.write_access_line
    return logger.info


class _Handler(logging.StreamHandler[TextIO]):
    """Writes the log."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._times = _Times(_FORMAT)
        self.setFormatter(self._times)

    def write_access_line(self, line: str) -> None:
        """Write what a record of `ACCESS` would come to.

        A log that cannot be written fails no request.
        """
        at = time.time()
        text = f"{self._times.write(at, at % 1 * 1000)} INFO {ACCESS}: {line}\n"
        self.acquire()
        try:
            self.stream.write(text)
            self.stream.flush()
        except (OSError, ValueError):
            pass
        finally:
            self.release()


class _Times(logging.Formatter):
    """Writes a second only once for all its lines, as most requests leave one."""

    _second = (0, "")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002
        return self.write(record.created, record.msecs)

    def write(self, at: float, milliseconds: float) -> str:
        """Write a time as `logging` does.

        Args:
            at: seconds since 1970 UTC.
            milliseconds: of its second.
        """
        second, text = self._second
        if second != int(at):
            second = int(at)
            text = time.strftime(self.default_time_format, self.converter(second))
            self._second = (second, text)
        return f"{text},{min(milliseconds, 999):03.0f}"
