"""Sign in and sign out."""

from __future__ import annotations

import flask
from flask import Blueprint, request
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import HiddenField

from ..accounts import Account
from ..errors import NotSignedIn, TooManyTries
from . import safety
from .context import find_signed_in, get_address, local_url, parts
from .forms import email_field, password_field

pages = Blueprint("signing_in", __name__, url_prefix="/-")


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Who, and where to afterwards."""

    email = email_field()
    password = password_field()
    next = HiddenField()


@pages.get("/")
def index() -> Response:
    """Lead on to the files: there is nothing here."""
    return flask.redirect(local_url(None), 303)


@pages.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> tuple[str, int, dict[str, str]] | str | Response:
    """Ask for the password, as often and as fast as over WebDAV."""
    form = SignInForm(next=request.args.get("next", ""))
    if form.validate_on_submit():
        try:
            return _enter(form)
        except TooManyTries as refused:
            wait = {"Retry-After": str(refused.retry_after_seconds)}
            sentence = f"{refused.sentence} Wait a minute and try again."
            return _page(form, sentence), refused.status, wait
        except NotSignedIn as refused:
            return _page(form, refused.sentence), 403, {}
    if find_signed_in() is not None and request.method == "GET":
        return flask.redirect(local_url(form.next.data), 303)
    return _page(form)


def _enter(form: SignInForm) -> Response:
    accounts = parts().accounts
    account = accounts.sign_in(form.email.data, form.password.data, get_address())
    return enter(account, form.next.data)


def enter(account: Account, next_url: str | None) -> Response:
    """Begin a session of somebody who has proven who they are, and lead on.

    Raises:
        NotSignedIn: the password was changed meanwhile, or the account disabled.
    """
    accounts = parts().accounts
    token = accounts.sessions.open(
        account, user_agent=request.user_agent.string, address=get_address()
    )
    response = flask.redirect(local_url(next_url), 303)
    safety.begin(response, token)
    return response


def _page(form: SignInForm, fault: str | None = None) -> str:
    return flask.render_template("sign_in.html", form=form, fault=fault)


@pages.post("/sign-out")
def sign_out() -> Response:
    """End the session, on the server too."""
    signed_in = find_signed_in()
    if signed_in is not None:
        parts().accounts.sessions.end(signed_in.account.id, signed_in.session.id)
    response = flask.redirect(flask.url_for("signing_in.sign_in"), 303)
    safety.end(response)
    return response
