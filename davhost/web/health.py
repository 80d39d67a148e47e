"""Whether this server can work, for load balancers: yes or no, and nothing else."""

from __future__ import annotations

from flask import Blueprint, Response

from ..errors import Refused
from .context import parts

pages = Blueprint("health", __name__, url_prefix="/-")


@pages.get("/health")
def health() -> Response:
    """Say 200 when the database answers, else 503."""
    try:
        parts().accounts.check_reachable()
    except Refused:
        return Response("unavailable\n", 503, mimetype="text/plain")
    return Response("ok\n", mimetype="text/plain")
