"""The HTTP server: connections, strict requests, bodies, TLS, workers.

The only package that imports cheroot. It knows WSGI and nothing of davhost:
everything it needs comes in as a ``ServerOptions`` and a function that makes
the application.

What an application may see ``wsgi.input`` raise::

    ConnectionError
     └─ IncompleteBody   the client went before the body ended
    TimeoutError
     └─ BodyStalled      no byte for body_stall_timeout_seconds
    ValueError
     └─ BadBody          the chunked coding is malformed

An application that does not catch them answers 400 or 408 by itself. The
connection is closed after each of them.
"""

from davhost.server.errors import BadBody, BodyStalled, IncompleteBody
from davhost.server.options import ServerOptions
from davhost.server.supervisor import run

__all__ = ["BadBody", "BodyStalled", "IncompleteBody", "ServerOptions", "run"]
