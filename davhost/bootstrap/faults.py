"""What can go wrong at start, in one line for whoever runs the server."""

from __future__ import annotations

from davhost.catalogue import SchemaOutdated
from davhost.errors import Refused
from davhost.settings import BadSettings

#: What an administrator can mend; anything else is a defect and keeps its traceback.
MENDABLE = (BadSettings, SchemaOutdated, Refused, OSError)


def in_words(error: Exception) -> str:
    """Say what is wrong, with the file or the reason of the database.

    Clients never see this: it may hold paths and host names, never passwords.
    """
    if isinstance(error, Refused):
        reason = str(getattr(error.__cause__, "orig", "")).partition("\n")[0]
        sentence = error.sentence or error.phrase
        return f"{sentence.rstrip('.')}: {reason}" if reason else sentence
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    return str(error)
