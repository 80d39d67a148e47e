"""The second step: turned on with a phone, turned off with the password."""

from __future__ import annotations

import flask
from flask import Blueprint, request
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import InputRequired

from ..accounts import WrongCode
from ..errors import NotSignedIn
from . import context
from .context import get_address, get_signed_in, parts, signed_in_only
from .devices import draw_code
from .forms import blame, password_field

pages = Blueprint("two_step", __name__, url_prefix="/-/account/two-step")

#: Where the form cookie, which is signed, keeps the secret that is not proven yet.
_SECRET = "two-step"  # noqa: S105 - a name


class OnForm(FlaskForm):  # type: ignore[misc]
    """The first code of the phone."""

    code = StringField("Code", [InputRequired("Type the code that your phone shows.")])
    password = password_field("Your password")


class OffForm(FlaskForm):  # type: ignore[misc]
    """Who turns it off."""

    password = password_field("Your password")


@pages.route("", methods=["GET", "POST"])
@signed_in_only
def turn_on() -> str | Response:
    """Show the code to scan, and take the first code of the phone."""
    account = get_signed_in().account
    if account.two_step:
        return flask.redirect(flask.url_for("two_step.turn_off"), 303)
    accounts = parts().accounts
    if request.method == "GET" or _SECRET not in flask.session:
        flask.session[_SECRET] = accounts.two_step.new_secret()
    secret = flask.session[_SECRET]
    form = OnForm()
    if form.validate_on_submit():
        try:
            accounts.sign_in(account.email, form.password.data, get_address())
            codes = accounts.two_step.turn_on(account, secret, form.code.data)
        except NotSignedIn:
            blame(form.password, ValueError("this is not your password"))
        except WrongCode as fault:
            blame(form.code, fault)
        else:
            del flask.session[_SECRET]
            accounts.sessions.end_others(get_signed_in())
            return flask.render_template("recovery_codes.html", codes=codes)
    uri = accounts.two_step.uri(account, secret, context.host())
    return flask.render_template("two_step_on.html", form=form, secret=secret, code=draw_code(uri))


@pages.route("/off", methods=["GET", "POST"])
@signed_in_only
def turn_off() -> str | Response:
    """Ask for no code any more, after the password."""
    account = get_signed_in().account
    accounts = parts().accounts
    form = OffForm()
    if form.validate_on_submit():
        try:
            accounts.sign_in(account.email, form.password.data, get_address())
        except NotSignedIn:
            blame(form.password, ValueError("this is not your password"))
        else:
            accounts.two_step.turn_off(account)
            flask.flash("Two-step sign-in is off.")
            return flask.redirect(flask.url_for("account.overview"), 303)
    left = accounts.two_step.recovery_left(account)
    return flask.render_template("two_step_off.html", form=form, left=left)
