"""One's own account: its password, where it is signed in, its end."""

from __future__ import annotations

import flask
from flask import Blueprint, request
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from ..accounts import LastAdmin, WeakPassword
from ..accounts.registry import email_key
from ..errors import NotSignedIn
from . import safety, signing_in
from .agents import describe
from .context import get_address, get_signed_in, parts, signed_in_only
from .forms import blame, email_field, new_password_field, password_field

pages = Blueprint("account", __name__, url_prefix="/-/account")


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """The old password and the new one."""

    old = password_field("Current password")
    new = new_password_field()


class LeaveForm(FlaskForm):  # type: ignore[misc]
    """Who really wants to go."""

    email = email_field()
    password = password_field()


@pages.get("")
@signed_in_only
def overview() -> str:
    """Show the account and where it is signed in."""
    signed_in = get_signed_in()
    accounts = parts().accounts
    return flask.render_template(
        "account.html",
        account=signed_in.account,
        sessions=accounts.sessions.list_(signed_in.account.id),
        describe=describe,
        this=signed_in.session.id,
    )


@pages.route("/password", methods=["GET", "POST"])
@signed_in_only
def password() -> str | Response:
    """Change the password; every other browser is signed out."""
    form = PasswordForm()
    if form.validate_on_submit():
        account = get_signed_in().account
        accounts = parts().accounts
        try:
            accounts.sign_in(account.email, form.old.data, get_address())
            accounts.set_password(account.email, form.new.data)
        except NotSignedIn:
            blame(form.old, ValueError("this is not your password"))
        except WeakPassword as fault:
            blame(form.new, fault)
        else:
            response = signing_in.enter(
                accounts.get(account.email), flask.url_for("account.overview")
            )
            flask.flash("Your password is changed. Other browsers were signed out.")
            return response
    return flask.render_template("password.html", form=form)


@pages.post("/sessions/<int:session_id>/end")
@signed_in_only
def end_session(session_id: int) -> Response:
    """Sign out one browser."""
    parts().accounts.sessions.end(get_signed_in().account.id, session_id)
    flask.flash("That browser is signed out.")
    return flask.redirect(flask.url_for("account.overview"), 303)


@pages.post("/sessions/end-others")
@signed_in_only
def end_others() -> Response:
    """Sign out every browser but this one."""
    parts().accounts.sessions.end_others(get_signed_in())
    flask.flash("All other browsers are signed out.")
    return flask.redirect(flask.url_for("account.overview"), 303)


@pages.route("/delete", methods=["GET", "POST"])
@signed_in_only
def delete() -> str | Response:
    """Delete the account and everything in it, after its address and its password."""
    form = LeaveForm()
    account = get_signed_in().account
    accounts = parts().accounts
    fault = None
    if request.method == "POST" and form.validate():
        try:
            if email_key(form.email.data) != email_key(account.email):
                blame(form.email, ValueError("this is not the address of this account"))
            else:
                accounts.sign_in(account.email, form.password.data, get_address())
                accounts.leave(account.email)
                response = flask.redirect(flask.url_for("signing_in.sign_in"), 303)
                safety.end(response)
                flask.flash("Your account and everything in it is deleted.")
                return response
        except NotSignedIn:
            blame(form.password, ValueError("this is not your password"))
        except LastAdmin:
            fault = (
                "You are the only administrator. Let somebody else be one first, "
                "or nobody could look after this server."
            )
    return flask.render_template(
        "delete_account.html",
        form=form,
        account=account,
        fault=fault,
        files=accounts.count_files(account.email),
    )
