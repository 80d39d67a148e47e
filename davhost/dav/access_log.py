"""One line per request on the logger ``davhost.access``, which nobody can forge."""

from __future__ import annotations

import logging
import re
from urllib.parse import quote

from ..model import Principal
from .escaping import log_value
from .exchange import ADDRESS, PRINCIPAL
from .origin import Environ, raw_target

log = logging.getLogger("davhost.access")

#: Stays as it is in the path of a line: what a URL may hold, and its escapes.
_SAFE = "/%!$&'()*+,;=:@-._~"
_UNSAFE = re.compile(rf"[^{re.escape(_SAFE)}0-9A-Za-z]")


def write(environ: Environ, status: int, sent_bytes: int, seconds: float, request_id: str) -> None:
    """Write the line of a request that has been answered.

    The query is left out, as are all headers but User-Agent: neither is needed
    to find a fault, and either may hold a secret.
    """
    principal = environ.get(PRINCIPAL)
    email = principal.email if isinstance(principal, Principal) else "-"
    address = log_value(str(environ.get(ADDRESS) or "-"))
    method = log_value(str(environ.get("REQUEST_METHOD") or "-"), 32)
    agent = log_value(str(environ.get("HTTP_USER_AGENT") or "-"), 256)
    # Written out: to find its arguments again takes logging as long as all this.
    log.info(
        f'{address} {log_value(email).replace(" ", "_")} "{method} {_path(environ)}" {status} '
        f'{sent_bytes} bytes {seconds * 1000:.1f} ms {request_id} "{agent}"'
    )


def _path(environ: Environ) -> str:
    raw = raw_target(environ)
    if _UNSAFE.search(raw) is None:
        return log_value(raw)
    try:
        octets = raw.encode("latin-1")
    except UnicodeEncodeError:
        octets = raw.encode(errors="surrogateescape")
    return log_value(quote(octets, safe=_SAFE))
