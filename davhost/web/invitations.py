"""Who may sign up: administrators give out links, each for one account."""

from __future__ import annotations

import flask
from flask import Blueprint
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import StringField

from ..accounts import AccountExists, BadEmail
from .context import admin_only, page_url, parts
from .forms import blame

pages = Blueprint("invitations", __name__, url_prefix="/-/invitations")


class InviteForm(FlaskForm):  # type: ignore[misc]
    """Whom the link is for."""

    email = StringField("E-mail address")


@pages.route("", methods=["GET", "POST"])
@admin_only
def overview() -> str:
    """Show the invitations that nobody has used, and make another."""
    form = InviteForm()
    link = None
    if form.validate_on_submit():
        try:
            email = form.email.data.strip() or None
            token = parts().accounts.invite(email)
            link = page_url("joining.sign_up", invitation=token)
        except (BadEmail, AccountExists) as fault:
            blame(form.email, fault)
    return flask.render_template(
        "invitations.html", form=form, link=link, invitations=parts().accounts.invitations()
    )


@pages.post("/<int:ticket_id>/withdraw")
@admin_only
def withdraw(ticket_id: int) -> Response:
    """Make a link useless."""
    parts().accounts.withdraw(ticket_id)
    flask.flash("That invitation is withdrawn.")
    return flask.redirect(flask.url_for("invitations.overview"), 303)
