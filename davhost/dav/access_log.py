"""What the access log says of a request: one line, which nobody can forge."""

from __future__ import annotations

import re
from urllib.parse import quote

from ..model import Principal
from .escaping import is_plain, log_value
from .exchange import ADDRESS, PRINCIPAL, TARGET, Target
from .origin import Environ, raw_target

#: Stays as it is in the path of a line: what a URL may hold, and its escapes.
_SAFE = "/%!$&'()*+,;=:@-._~"
_UNSAFE = re.compile(rf"[^{re.escape(_SAFE)}0-9A-Za-z]")

_METHOD_MAX, _AGENT_MAX, _PATH_MAX = 32, 256, 2048


def line(environ: Environ, status: int, sent_bytes: int, seconds: float, request_id: str) -> str:
    """Write the line of a request that has been answered.

    The query is left out, as are all headers but User-Agent: neither is needed
    to find a fault, and either may hold a secret.
    """
    target, principal = environ.get(TARGET), environ.get(PRINCIPAL)
    address = str(environ.get(ADDRESS) or "-")
    email = principal.email if isinstance(principal, Principal) else "-"
    method = str(environ.get("REQUEST_METHOD") or "-")
    path = target.raw if isinstance(target, Target) else raw_target(environ)
    agent = str(environ.get("HTTP_USER_AGENT") or "-")
    told = f"{address} {email} {method} {agent}"
    if not is_plain(told, _AGENT_MAX) or " " in email or len(method) > _METHOD_MAX:
        address, email = log_value(address), log_value(email).replace(" ", "_")
        method, agent = log_value(method, _METHOD_MAX), log_value(agent, _AGENT_MAX)
    if len(path) > _PATH_MAX or _UNSAFE.search(path) is not None:
        path = log_value(_quoted(path), _PATH_MAX)
    return (
        f'{address} {email} "{method} {path}" {status} '
        f'{sent_bytes} bytes {seconds * 1000:.1f} ms {request_id} "{agent}"'
    )


def _quoted(raw: str) -> str:
    try:
        octets = raw.encode("latin-1")
    except UnicodeEncodeError:
        octets = raw.encode(errors="surrogateescape")
    return quote(octets, safe=_SAFE)
