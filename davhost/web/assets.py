"""Style and scripts, under URLs that change with them."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

import flask
from flask import Flask, Response

_FOLDER = Path(__file__).parent / "static"

#: Not asked of the system, which may know others.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

_FOR_EVER = "public, max-age=31536000, immutable"


def add_to(app: Flask) -> None:
    """Serve the assets of *app*, and tell templates their URLs."""
    app.add_url_rule("/-/static/<version>/<path:name>", "asset", _serve)
    app.add_template_global(asset_url)


def asset_url(name: str) -> str:
    """Write the URL of an asset.

    All share one version, so that a script finds those that it imports beside
    itself.
    """
    return flask.url_for("asset", version=_version(), name=name)


def _serve(version: str, name: str) -> Response:
    response = flask.send_from_directory(
        _FOLDER, name, mimetype=_TYPES.get(Path(name).suffix), max_age=0
    )
    # A page of the version before gets the assets of now, but must not keep them.
    response.headers["Cache-Control"] = _FOR_EVER if version == _version() else "no-cache"
    return response


@cache
def _version() -> str:
    digest = sha256()
    for file in sorted(_FOLDER.rglob("*.*")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]
