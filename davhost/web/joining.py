"""Sign up: with an invitation, or without one where everybody may."""

from __future__ import annotations

from collections.abc import Callable

import flask
from flask import Blueprint, request
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import HiddenField

from ..accounts import Account, AccountExists, BadEmail, LinkExpired, WeakPassword
from ..catalogue import Ticket
from ..errors import Forbidden
from . import mails, signing_in
from .context import get_address, parts
from .forms import blame, email_field, new_password_field

_Make = Callable[[str, str], Account]

pages = Blueprint("joining", __name__, url_prefix="/-")

#: How often one address may ask for an account or a mail.
REQUESTS_PER_MINUTE = 5


class SignUpForm(FlaskForm):  # type: ignore[misc]
    """Who one will be."""

    email = email_field()
    password = new_password_field()
    invitation = HiddenField()


class AddressForm(FlaskForm):  # type: ignore[misc]
    """Where the invitation is to go."""

    email = email_field()


@pages.route("/sign-up", methods=["GET", "POST"])
def sign_up() -> str | Response:
    """Make an account.

    Raises:
        Forbidden: that needs an invitation, or is for nobody.
    """
    registration = parts().options.registration
    if registration == "closed":
        raise Forbidden("Accounts are made by whoever runs this server. Ask there for one.")
    token = request.values.get("invitation", "")
    if token:
        return _by_invitation(token)
    if registration != "open":
        raise Forbidden("You need an invitation to have an account here. Ask whoever runs it.")
    if parts().postman is not None:
        return _by_mail()
    return _by_oneself()


def _by_invitation(token: str) -> str | Response:
    accounts = parts().accounts
    try:
        invitation = accounts.get_invitation(token)
        form = SignUpForm(invitation=token)
        if invitation.email is not None:
            form.email.data = invitation.email
        if form.validate_on_submit():
            quota_bytes = parts().options.quota_default_bytes
            return _welcome(
                form,
                lambda email, password: accounts.accept(
                    token, email, password, quota_bytes=quota_bytes
                ),
                invitation,
            )
    except LinkExpired:
        sentence = "This invitation was used already or is too old. Ask for another one."
        raise Forbidden(sentence) from None
    return _page(form, invitation)


def _by_oneself() -> str | Response:
    form = SignUpForm()
    if not form.validate_on_submit():
        return _page(form)
    accounts, quota_bytes = parts().accounts, parts().options.quota_default_bytes
    accounts.count_request("sign-up", get_address(), per_minute=REQUESTS_PER_MINUTE)
    return _welcome(
        form, lambda email, password: accounts.register(email, password, quota_bytes=quota_bytes)
    )


def _welcome(form: SignUpForm, make: _Make, invitation: Ticket | None = None) -> str | Response:
    try:
        account = make(form.email.data, form.password.data)
    except WeakPassword as fault:
        blame(form.password, fault)
    except (BadEmail, AccountExists) as fault:
        blame(form.email, fault)
    else:
        return signing_in.enter(account, "")
    return _page(form, invitation)


def _by_mail() -> str:
    """Send an invitation to whoever reads mail at the address; tell everybody the same."""
    form = AddressForm()
    if not form.validate_on_submit():
        return flask.render_template("sign_up_by_mail.html", form=form)
    accounts, postman = parts().accounts, parts().postman
    accounts.count_request("mail", get_address(), per_minute=REQUESTS_PER_MINUTE)
    if postman is not None:
        postman.soon(mails.sign_up_job(accounts, postman, form.email.data))
    sentence = (
        f"A mail is on its way to {form.email.data.strip()}. "
        "Follow the link in it to choose your password."
    )
    return flask.render_template("message.html", title="Look at your mail", sentence=sentence)


def _page(form: SignUpForm, invitation: Ticket | None = None) -> str:
    return flask.render_template("sign_up.html", form=form, invitation=invitation)
