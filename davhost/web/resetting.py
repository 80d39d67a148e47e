"""A new password for whoever forgot the old one: by a link in a mail."""

from __future__ import annotations

import flask
from flask import Blueprint, request
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import HiddenField

from ..accounts import LinkExpired, WeakPassword
from ..errors import Forbidden
from . import mails
from .context import get_address, parts
from .forms import blame, email_field, new_password_field
from .joining import REQUESTS_PER_MINUTE

pages = Blueprint("resetting", __name__, url_prefix="/-")


class ForgotForm(FlaskForm):  # type: ignore[misc]
    """Whose password it is."""

    email = email_field()


class ResetForm(FlaskForm):  # type: ignore[misc]
    """What it will be."""

    password = new_password_field()
    token = HiddenField()


@pages.route("/forgot", methods=["GET", "POST"])
def forgot() -> str:
    """Send a link to the address of an account; tell everybody the same."""
    accounts, postman = parts().accounts, parts().postman
    if postman is None:
        sentence = "Ask whoever runs this server: they can give you a link for a new password."
        return flask.render_template(
            "message.html", title="Did you forget your password?", sentence=sentence
        )
    form = ForgotForm()
    if not form.validate_on_submit():
        return flask.render_template("forgot.html", form=form)
    accounts.count_request("mail", get_address(), per_minute=REQUESTS_PER_MINUTE)
    postman.soon(mails.reset_job(accounts, postman, form.email.data))
    sentence = (
        f"If {form.email.data.strip()} has an account, a mail with a link is on its way. "
        "The link works for an hour."
    )
    return flask.render_template("message.html", title="Look at your mail", sentence=sentence)


@pages.route("/reset", methods=["GET", "POST"])
def reset() -> str | Response:
    """Set the new password.

    Raises:
        Forbidden: the link was used already or is too old.
    """
    token = request.values.get("token", "")
    accounts = parts().accounts
    try:
        account = accounts.get_reset(token)
        form = ResetForm(token=token)
        if form.validate_on_submit():
            try:
                accounts.finish_reset(token, form.password.data)
            except WeakPassword as fault:
                blame(form.password, fault)
            else:
                flask.flash("Your new password is set. Sign in with it.")
                return flask.redirect(flask.url_for("signing_in.sign_in"), 303)
    except LinkExpired:
        raise Forbidden("This link was used already or is too old. Ask for another one.") from None
    return flask.render_template("reset.html", form=form, account=account)
