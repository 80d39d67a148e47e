"""Whether this server can work: yes or no for load balancers, more for administrators."""

from __future__ import annotations

import flask
from flask import Blueprint, Response

from ..errors import Refused
from .context import admin_only, parts

pages = Blueprint("health", __name__, url_prefix="/-")


@pages.get("/health")
def health() -> Response:
    """Say 200 when the database answers, else 503."""
    try:
        parts().accounts.check_reachable()
    except Refused:
        return Response("unavailable\n", 503, mimetype="text/plain")
    return Response("ok\n", mimetype="text/plain")


@pages.get("/admin/health")
@admin_only
def overview() -> str:
    """Show what the parts of the server tell about themselves."""
    return flask.render_template("health.html", it=parts().find_vitals())
