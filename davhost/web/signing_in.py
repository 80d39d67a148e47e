"""Sign in and sign out."""

from __future__ import annotations

from hashlib import sha256

import flask
from flask import Blueprint, request
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import HiddenField, StringField
from wtforms.validators import InputRequired

from ..accounts import Account, WrongCode
from ..errors import NotSignedIn, TooManyTries
from . import safety
from .context import find_signed_in, get_address, local_url, parts
from .forms import blame, email_field, password_field

#: Where the form cookie, which is signed, keeps who has typed the password.
_STEP = "step"
_STEP_SECONDS = 300

pages = Blueprint("signing_in", __name__, url_prefix="/-")


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Who, and where to afterwards."""

    email = email_field()
    password = password_field()
    next = HiddenField()


class CodeForm(FlaskForm):  # type: ignore[misc]
    """The second step."""

    code = StringField("Code", [InputRequired("Type the code.")])


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
    if account.two_step:
        flask.session[_STEP] = {
            "user": account.id,
            "mark": _mark(account),
            "next": local_url(form.next.data),
            "until": accounts.lease() + _STEP_SECONDS,
        }
        return flask.redirect(flask.url_for("signing_in.code"), 303)
    return enter(account, form.next.data)


@pages.route("/sign-in/code", methods=["GET", "POST"])
def code() -> tuple[str, int, dict[str, str]] | str | Response:
    """Ask for the code of whoever has typed the password a moment ago."""
    step = flask.session.get(_STEP) or {}
    accounts = parts().accounts
    account = accounts.find_by_id(int(step.get("user", 0)))
    if account is None or _mark(account) != step["mark"] or accounts.lease() > step["until"]:
        return flask.redirect(flask.url_for("signing_in.sign_in"), 303)
    form = CodeForm()
    if form.validate_on_submit():
        try:
            accounts.two_step.check(account, form.code.data)
        except WrongCode as fault:
            blame(form.code, fault)
        except TooManyTries as refused:
            wait = {"Retry-After": str(refused.retry_after_seconds)}
            blame(form.code, ValueError(f"{refused.sentence} Wait a minute and try again."))
            return flask.render_template("code.html", form=form), refused.status, wait
        else:
            return enter(account, step["next"])
    return flask.render_template("code.html", form=form)


def _mark(account: Account) -> str:
    """Tell a password from the next one, without telling the password."""
    return sha256(f"step {account.password_hash}".encode()).hexdigest()


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
