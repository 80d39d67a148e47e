"""The Flask application, put together."""

from __future__ import annotations

import logging
from collections.abc import Callable

import flask
from flask import Flask
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException

from .. import browsing
from ..accounts import Accounts
from ..errors import Refused
from ..mail import Postman
from ..model import Principal
from ..tree import Tree
from . import (
    account,
    activity,
    assets,
    changing,
    context,
    devices,
    files,
    health,
    invitations,
    joining,
    locks,
    refused,
    resetting,
    safety,
    shown,
    signing_in,
    storage,
    thumbnails,
    trash,
    two_step,
    uploading,
    users,
    zips,
)
from .context import Parts
from .options import PageOptions
from .vitals import Vitals

_TOPICS = (
    signing_in,
    joining,
    resetting,
    account,
    two_step,
    devices,
    invitations,
    users,
    refused,
    activity,
    locks,
    storage,
    health,
    thumbnails,
    trash,
    zips,
    uploading,
    changing,
    files,
)

log = logging.getLogger("davhost.web")

#: Forms are small; files come by WebDAV, or as `uploading` reads them.
_FORM_BYTES_MAX = 1 << 20


def make_pages(
    accounts: Accounts,
    tree_of: Callable[[Principal], Tree],
    options: PageOptions,
    find_vitals: Callable[[], Vitals],
    postman: Postman | None = None,
) -> Flask:
    """Make the WSGI application of the pages.

    It expects the environ as `davhost.dav.browsers` leaves it.

    Args:
        tree_of: opens the home of a principal.
        find_vitals: says how the server is doing.
        postman: sends mails; None when there is no mail server.
    """
    app = Flask(__name__, static_folder=None)
    app.config.update(
        SECRET_KEY=accounts.sessions.shared_secret("pages"),
        MAX_CONTENT_LENGTH=_FORM_BYTES_MAX,
        WTF_CSRF_TIME_LIMIT=None,  # it ends with the session
        WTF_CSRF_SSL_STRICT=False,  # `Browsers` compares origins, also behind proxies
    )
    app.url_map.merge_slashes = False
    app.jinja_options = {"undefined": StrictUndefined}
    app.extensions[context.EXTENSION] = Parts(accounts, tree_of, options, find_vitals, postman)
    safety.protect(app)
    shown.add_filters(app)
    assets.add_to(app)
    context.add_to(app)
    thumbnails.add_to(app)
    for topic in _TOPICS:
        app.register_blueprint(topic.pages)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
    return app


def _refused(refused: Refused) -> tuple[str, int, dict[str, str]]:
    extra = {}
    if refused.retry_after_seconds is not None:
        extra["Retry-After"] = str(refused.retry_after_seconds)
    sentence = refused.sentence or refused.phrase
    return _message(shown.title_of(refused.status), sentence), refused.status, extra


def _http_error(error: HTTPException) -> tuple[str, int] | HTTPException:
    if error.code is None or error.response is not None:
        return error
    title = shown.title_of(error.code)
    return _message(title, shown.SENTENCES.get(error.code, error.description or "")), error.code


def _unexpected(_: Exception) -> tuple[str, int]:
    request_id = flask.request.environ[browsing.REQUEST_ID]
    log.exception("error in request %s", request_id)
    sentence = f"The server failed here. Its log says more under {request_id}."
    return _message(shown.title_of(500), sentence), 500


def _message(title: str, sentence: str) -> str:
    return flask.render_template("message.html", title=title, sentence=sentence)
