"""What holds for every page: headers, cookies, and forms that no other site can send."""

from __future__ import annotations

import secrets
from hashlib import sha256

import flask
from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFError, CSRFProtect, validate_csrf
from werkzeug.wrappers import Response
from wtforms import ValidationError

from .. import browsing
from ..accounts import LIFE_SECONDS
from . import context, shown

#: Nothing runs or loads that is not a file of this server; pages have no inline
#: scripts and styles, and cannot be framed.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)

#: What is sent to be saved runs nowhere, as WebDAV says of every file.
FILE_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

_HSTS = "max-age=31536000"


#: Of views that find the token in their body themselves; looking for it here would
#: read the whole body before.
_CHECKING_THEMSELVES: set[str] = set()


class _Csrf(CSRFProtect):  # type: ignore[misc]
    """Flask-WTF's protection; scripts prove themselves as they do to WebDAV."""

    def protect(self, apply_exemptions: bool = False) -> None:
        """Refuse a request that changes something and does not come from a page of ours."""
        if request.endpoint in _CHECKING_THEMSELVES and request.method == "POST":
            return
        signed_in = context.find_signed_in()
        token = browsing.csrf_token(request.environ)
        if signed_in is not None and token and signed_in.proves(token):
            flask.g.csrf_valid = True
            return
        super().protect(apply_exemptions)


class _FormCookie(SecureCookieSessionInterface):
    """Flask's signed cookie, which holds what forms need before anybody has signed in."""

    def get_cookie_name(self, app: Flask) -> str:  # noqa: ARG002
        """Name it so that over https nobody else can set it."""
        return browsing.cookie_name("davhost-form", https=context.is_https())

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002
        """Keep it to https where the browser came by it."""
        return context.is_https()

    def get_cookie_samesite(self, app: Flask) -> str:  # noqa: ARG002
        """Keep it from requests that other sites make, other than links."""
        return "Lax"


def checks_the_token_itself(endpoint: str) -> None:
    """Say that a view calls `check_token` before it changes anything."""
    _CHECKING_THEMSELVES.add(endpoint)


def check_token(token: str) -> None:
    """Check the token of a form.

    Raises:
        CSRFError: no page of this session has it.
    """
    try:
        validate_csrf(token)
    except ValidationError as fault:
        raise CSRFError(str(fault)) from None


def protect(app: Flask) -> None:
    """Make every page of *app* safe."""
    app.session_interface = _FormCookie()
    app.before_request(_bind_forms)
    _Csrf(app)
    app.register_error_handler(CSRFError, _not_ours)
    app.after_request(_add_headers)


def begin(response: Response, token: str) -> None:
    """Give the browser the token of its session; nothing of before it goes on."""
    flask.session.clear()
    response.set_cookie(
        browsing.session_cookie(request.environ),
        token,
        max_age=LIFE_SECONDS,  # the server ends it sooner when nobody uses it
        secure=context.is_https(),
        httponly=True,
        samesite="Lax",  # Strict would ask who comes from a link in a mail to sign in again
    )


def end(response: Response) -> None:
    """Take the token from the browser."""
    flask.session.clear()
    name = browsing.session_cookie(request.environ)
    response.delete_cookie(name, secure=context.is_https(), httponly=True, samesite="Lax")


def _bind_forms() -> None:
    """Make the token of forms that of the session, once there is one."""
    signed_in = context.find_signed_in()
    if signed_in is None:
        return
    bound = sha256(f"forms {signed_in.csrf_token}".encode()).hexdigest()
    if not secrets.compare_digest(str(flask.session.get("csrf_token") or ""), bound):
        flask.session["csrf_token"] = bound


def _not_ours(_: CSRFError) -> tuple[str, int]:
    sentence = "This page was open for too long. Go back, load it again and repeat what you did."
    return flask.render_template("message.html", title=shown.title_of(400), sentence=sentence), 400


def _add_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if "Cache-Control" not in response.headers:
        # The next person at this computer must not page back through it.
        response.headers["Cache-Control"] = "private, no-store"
    if context.is_https():
        response.headers["Strict-Transport-Security"] = _HSTS
    return response
