"""What programs have written while a test failed, in the report of the test."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Far more than one test's requests; the end tells more than the beginning.
_CHARACTERS_MAX = 30_000


@contextmanager
def explained(*logs: Path) -> Iterator[None]:
    """Add to a failure what the logs say from here on.

    Lines that end with the User-Agent ``"-"`` are left out: those are the tests'
    own questions, which they repeat until they give up.
    """
    begun = {log: len(_text(log)) for log in logs}
    try:
        yield
    except Exception as error:
        for log, before in begun.items():
            lines = _text(log)[before:].splitlines()
            told = "\n".join(line for line in lines if not line.endswith('"-"'))
            error.add_note(f"{log.name}:\n{told[-_CHARACTERS_MAX:]}")
        raise


def _text(log: Path) -> str:
    return log.read_text(errors="replace") if log.exists() else ""
