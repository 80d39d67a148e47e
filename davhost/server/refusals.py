"""Answers that the server gives by itself, to what never becomes a request.

They are lines of text that a browser neither runs nor keeps, each with an id,
under which the access log has one line about it.
"""

import logging
import secrets
from http import HTTPStatus

from davhost.server.answers import plain_answer

#: Shared with the application, whose lines about requests look the same.
access = logging.getLogger("davhost.access")


def refuse(
    status: HTTPStatus, reason: str, address: str | None, *, method: str, logs: bool
) -> bytes:
    """Return the answer, and write the line about it.

    Args:
        address: of the client, as it is counted.
        logs: whether requests are logged at all.
    """
    request_id = secrets.token_hex(8)
    answer = plain_answer(
        f"{status.value} {status.phrase}", reason, method=method, request_id=request_id
    )
    if logs:
        # What was sent is no request line, and what it holds is anybody's guess.
        access.info(
            '%s - "- -" %d %d bytes 0.0 ms %s "-"',
            address or "-",
            status.value,
            0 if method == "HEAD" else len(reason.encode()) + 1,
            request_id,
        )
    return answer
