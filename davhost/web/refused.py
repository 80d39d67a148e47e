"""What was refused, asking for its type, and the answers of administrators."""

from __future__ import annotations

import flask
from flask import Blueprint, request
from werkzeug.wrappers import Response

from ..accounts import NotRefused
from ..errors import Forbidden
from .context import admin_only, get_signed_in, parts, signed_in_only

pages = Blueprint("refused", __name__, url_prefix="/-")

#: How many refusals a page shows.
_SHOWN_MAX = 100


@pages.get("/refused")
@signed_in_only
def mine() -> str:
    """Show what was refused in one's own home, and what can be asked for."""
    account = get_signed_in().account
    accounts = parts().accounts
    return flask.render_template(
        "refused.html",
        types=accounts.requests.refused(account, parts().options.rules),
        refusals=accounts.refusals(account.email, limit=_SHOWN_MAX),
        rules=account.rules or parts().options.rules,
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
        parts().accounts.requests.ask(account, extension, parts().options.rules)
    except NotRefused:
        raise Forbidden("No file of this type was refused, or it is allowed already.") from None
    flask.flash(f"You asked for .{extension} files. An administrator will see it.")
    return flask.redirect(flask.url_for("refused.mine"), 303)


@pages.get("/admin/requests")
@admin_only
def overview() -> str:
    """Show administrators what people ask for, by type."""
    rules = parts().options.rules
    return flask.render_template(
        "requests.html", requests=parts().accounts.requests.open_(), rules=rules
    )


@pages.post("/admin/requests/answer")
@admin_only
def answer() -> Response:
    """Say yes or no to a type: to one account, or to all who asked for it."""
    extension = request.form.get("extension", "")
    requests = parts().accounts.requests
    asked = requests.open_().get(extension, [])
    one = request.form.get("user_id")
    chosen = [it for it in asked if one is None or str(it.user_id) == one]
    if request.form.get("answer") == "yes":
        server = parts().options.rules
        who = [it.email for it in chosen if requests.allow(it.user_id, extension, server)]
        flask.flash(f"{' and '.join(who) or 'Nobody'} may keep .{extension} files now.")
    else:
        for it in chosen:
            requests.dismiss(it.user_id, extension)
        flask.flash("The request is dismissed.")
    return flask.redirect(flask.url_for("refused.overview"), 303)
