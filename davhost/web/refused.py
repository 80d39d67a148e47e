"""What was refused, asking for its type, and the answers of administrators."""

from __future__ import annotations

import logging

import flask
from flask import Blueprint, request
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import StringField

from ..accounts import NotRefused
from ..errors import Forbidden
from ..model import Rules
from .context import admin_only, get_server_rules, get_signed_in, parts, signed_in_only
from .forms import blame

pages = Blueprint("refused", __name__, url_prefix="/-")

#: How many refusals a page shows.
_SHOWN_MAX = 100

log = logging.getLogger("davhost.web")


class ServerTypesForm(FlaskForm):  # type: ignore[misc]
    """The allow-list of everybody who has none of their own."""

    allow = StringField("File types")


@pages.get("/refused")
@signed_in_only
def mine() -> str:
    """Show what was refused in one's own home, and what can be asked for."""
    account = get_signed_in().account
    accounts = parts().accounts
    return flask.render_template(
        "refused.html",
        types=accounts.requests.refused(account, get_server_rules()),
        refusals=accounts.refusals(account.email, limit=_SHOWN_MAX),
        rules=account.rules or get_server_rules(),
        shown_max=_SHOWN_MAX,
    )


@pages.post("/refused/ask")
@signed_in_only
def ask() -> Response:
    """Ask administrators for a type.

    Raises:
        Forbidden: no file of that type was refused.
    """
    extension = request.form.get("extension", "")
    try:
        account = get_signed_in().account
        parts().accounts.requests.ask(account, extension, get_server_rules())
    except NotRefused:
        raise Forbidden("No file of this type was refused, or it is allowed already.") from None
    flask.flash(f"You asked for .{extension} files. An administrator will see it.")
    return flask.redirect(flask.url_for("refused.mine"), 303)


@pages.get("/admin/requests")
@admin_only
def overview() -> str:
    """Show administrators what people ask for, by type."""
    return _requests_page(ServerTypesForm(formdata=None, allow=str(get_server_rules())))


@pages.post("/admin/requests/server")
@admin_only
def choose_for_server() -> str | Response:
    """Choose what everybody may keep who has no list of their own."""
    if request.form.get("choice") == "settings":
        rules = None
    else:
        form = ServerTypesForm()
        try:
            rules = Rules.parse(form.allow.data or "")
        except ValueError as fault:
            blame(form.allow, fault)
            return _requests_page(form)
    parts().accounts.choose_server_rules(rules)
    _note_choice()
    return flask.redirect(flask.url_for("refused.overview"), 303)


@pages.post("/admin/requests/answer")
@admin_only
def answer() -> Response:
    """Say yes or no to a type: to one account, or to all who asked for it."""
    extension = request.form.get("extension", "")
    requests = parts().accounts.requests
    asked = requests.open_().get(extension, [])
    one = request.form.get("user_id")
    chosen = [it for it in asked if one is None or str(it.user_id) == one]
    server = get_server_rules()
    if request.form.get("answer") == "everybody" and asked:
        requests.allow_everybody(extension, server)
        _note_choice()
    elif request.form.get("answer") == "yes":
        who = [it.email for it in chosen if requests.allow(it.user_id, extension, server)]
        flask.flash(f"{' and '.join(who) or 'Nobody'} may keep .{extension} files now.")
    else:
        for it in chosen:
            requests.dismiss(it.user_id, extension)
        flask.flash("The request is dismissed.")
    return flask.redirect(flask.url_for("refused.overview"), 303)


def _requests_page(form: ServerTypesForm) -> str:
    return flask.render_template(
        "requests.html",
        requests=parts().accounts.requests.open_(),
        form=form,
        is_chosen=get_server_rules() != parts().options.rules,
    )


def _note_choice() -> None:
    """Tell the administrator, and the log, what everybody may keep now."""
    rules = get_server_rules()
    log.info("administrator %s allows everybody %s", get_signed_in().account.email, rules)
    flask.flash(f"Everybody without a list of their own may keep: {rules}.")
