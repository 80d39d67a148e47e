"""Administration of accounts: the list of all, one of them, and what can be done to it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import flask
from flask import Blueprint, request
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import BooleanField, StringField
from wtforms.validators import InputRequired

from ..accounts import Account, AccountExists, BadEmail, LastAdmin, NoSuchAccount, WeakPassword
from ..accounts.passwords import make_password
from ..accounts.registry import email_key
from ..errors import Forbidden, NotFound
from ..model import Rules
from ..sizes import format_size, parse_quota
from . import mails
from .context import admin_only, get_signed_in, page_url, parts
from .forms import blame, email_field
from .shown import SENTENCES

log = logging.getLogger("davhost.web")

pages = Blueprint("users", __name__, url_prefix="/-/admin/users")

_QUOTA_HINT = "Such as 10 GB or 512 MiB. Leave it empty for no limit."


@dataclass(frozen=True, slots=True)
class Row:
    """An account in the list.

    Args:
        seen_us: when it was last used; None where that is not known.
    """

    account: Account
    seen_us: int | None


#: How the list can be sorted, by the word in the URL.
SORTS: dict[str, Callable[[Row], tuple[float, str]]] = {
    "email": lambda row: (0, row.account.email.casefold()),
    "used": lambda row: (-row.account.used_bytes, row.account.email),
    "full": lambda row: (-fullness(row.account), row.account.email),
    "seen": lambda row: (-(row.seen_us or 0), row.account.email),
}

#: Which accounts can be picked out, by the word in the URL.
STATES: dict[str, Callable[[Account], bool]] = {
    "all": lambda _: True,
    "administrators": lambda account: account.admin,
    "disabled": lambda account: account.disabled,
    "stopped": lambda account: account.braked_us is not None,
    "two-step": lambda account: account.two_step,
}


class FindForm(FlaskForm):  # type: ignore[misc]
    """What the addresses to look for hold."""

    class Meta:
        """It changes nothing, so that its URL can be passed on."""

        csrf = False

    q = StringField("Find an e-mail address")


class LimitsForm(FlaskForm):  # type: ignore[misc]
    """What an account may keep."""

    quota = StringField("Quota")
    allow = StringField("Allowed file types")


class NewForm(LimitsForm):
    """Whose account it will be."""

    email = email_field()
    password = StringField("Password")
    admin = BooleanField("Let it administer this server")


class DeleteForm(FlaskForm):  # type: ignore[misc]
    """Whose account is really meant."""

    email = StringField("E-mail address", [InputRequired("Type the address.")])


@pages.get("")
@admin_only
def overview() -> str:
    """List the accounts."""
    accounts = parts().accounts
    seen = accounts.last_seen()
    every = [Row(account, seen.get(account.id)) for account in accounts.list_()]
    sort = _choice("sort", SORTS)
    state = _choice("state", STATES)
    form = FindForm(request.args)
    wanted = email_key(form.q.data or "")
    found = [
        row
        for row in every
        if STATES[state](row.account) and wanted in email_key(row.account.email)
    ]
    return flask.render_template(
        "users.html",
        rows=sorted(found, key=SORTS[sort]),
        counts={name: sum(test(row.account) for row in every) for name, test in STATES.items()},
        sorts=list(SORTS),
        sort=sort,
        state=state,
        form=form,
    )


@pages.route("/new", methods=["GET", "POST"])
@admin_only
def new() -> str | Response:
    """Make an account; its password, if nobody chose one, is shown once."""
    form = NewForm()
    if request.method == "GET":
        form.quota.data = _quota_text(parts().options.quota_default_bytes)
    limits = _read_limits(form) if form.validate_on_submit() else None
    if limits is None:
        return _new_page(form)
    made = None if form.password.data else make_password()
    try:
        account = parts().accounts.register(
            form.email.data,
            made or form.password.data,
            quota_bytes=limits[0],
            rules=limits[1],
            admin=form.admin.data,
        )
    except (BadEmail, AccountExists) as fault:
        blame(form.email, fault)
    except WeakPassword as fault:
        blame(form.password, fault)
    else:
        _note("made", account)
        if made is not None:
            return flask.render_template("user_made.html", account=account, password=made)
        flask.flash(f"{account.email} has an account now.")
        return _to(account)
    return _new_page(form)


@pages.route("/<int:user_id>", methods=["GET", "POST"])
@admin_only
def one(user_id: int) -> str | Response:
    """Show an account, and change what it may keep."""
    account = _get(user_id)
    form = _form_of(account) if request.method == "GET" else LimitsForm()
    limits = _read_limits(form) if form.validate_on_submit() else None
    if limits is None:
        return _page(account, form=form)
    parts().accounts.set_quota(account.email, limits[0])
    parts().accounts.set_rules(account.email, limits[1])
    _note("changed the limits of", account)
    flask.flash("The limits are changed. Files that are there already stay.")
    return _to(account)


@pages.post("/<int:user_id>/link")
@admin_only
def link(user_id: int) -> str:
    """Make a link for a new password, and show it once.

    Raises:
        Forbidden: the account is disabled.
    """
    account = _get(user_id)
    token = parts().accounts.begin_reset(account.email)
    if token is None:
        raise Forbidden("Enable the account first: nobody can sign in with it now.")
    _note("made a link for a new password of", account)
    url = page_url("resetting.reset", token=token)
    return _page(account, form=_form_of(account), link=url)


@pages.post("/<int:user_id>/do/<action>")
@admin_only
def do(user_id: int, action: str) -> Response:
    """Do one of `ACTIONS` to an account.

    Raises:
        NotFound: there is no such account, or no such action.
        Forbidden: one's own account is not for that, or nobody could administer.
    """
    account = _get(user_id)
    if action not in ACTIONS:
        raise NotFound(SENTENCES[404])
    if action in NOT_TO_ONESELF and _is_own(account):
        raise Forbidden("You would lock yourself out. Ask another administrator to do it.")
    try:
        sentence = ACTIONS[action](account)
    except LastAdmin:
        raise Forbidden(_LAST_ADMIN) from None
    _note(f"did {action} to", account)
    flask.flash(sentence)
    return _to(account)


@pages.route("/<int:user_id>/delete", methods=["GET", "POST"])
@admin_only
def delete(user_id: int) -> str | Response:
    """Delete an account and everything in it, after its address.

    Raises:
        Forbidden: it is one's own, or nobody could administer afterwards.
    """
    account = _get(user_id)
    accounts = parts().accounts
    if _is_own(account):
        return flask.redirect(flask.url_for("account.delete"), 303)
    form = DeleteForm()
    if form.validate_on_submit():
        if email_key(form.email.data) == email_key(account.email):
            try:
                accounts.leave(account.email)
            except LastAdmin:
                raise Forbidden(_LAST_ADMIN) from None
            _note("deleted", account)
            flask.flash(f"The account of {account.email} and everything in it is deleted.")
            return flask.redirect(flask.url_for("users.overview"), 303)
        blame(form.email, ValueError("this is not the address of this account"))
    files = accounts.count_files(account.email)
    return flask.render_template("delete_user.html", form=form, account=account, files=files)


_LAST_ADMIN = (
    "This is the only administrator who can sign in. Let somebody else be one first, "
    "or nobody could look after this server."
)


def _disable(account: Account) -> str:
    parts().accounts.disable(account.email)
    return "The account is disabled. Its files stay."


def _enable(account: Account) -> str:
    parts().accounts.enable(account.email)
    return "The account can sign in again."


def _make_admin(account: Account) -> str:
    parts().accounts.set_admin(account.email, admin=True)
    return "This account administers the server now."


def _end_admin(account: Account) -> str:
    parts().accounts.set_admin(account.email, admin=False)
    return "This account does not administer the server any more."


def _sign_out(account: Account) -> str:
    parts().accounts.sign_out(account.email)
    return "Every browser of the account is signed out."


def _end_devices(account: Account) -> str:
    parts().accounts.sign_out(account.email, devices=True)
    return "Every browser is signed out, and no device of the account comes in any more."


def _two_step_off(account: Account) -> str:
    parts().accounts.two_step.turn_off(account)
    return "The account signs in with the password alone."


def _release_brake(account: Account) -> str:
    parts().tree_of(parts().accounts.principal(account.email)).release_brake()
    return "The account can write again. What was changed stays changed."


def _mail_link(account: Account) -> str:
    postman = parts().postman
    if postman is None:
        raise Forbidden("This server has no mail server. Show a link instead.")
    postman.soon(mails.reset_job(parts().accounts, postman, account.email))
    return f"A mail with a link for a new password is on its way to {account.email}."


#: What an administrator can do to an account with one button, by the word in the URL.
ACTIONS: dict[str, Callable[[Account], str]] = {
    "disable": _disable,
    "enable": _enable,
    "make-admin": _make_admin,
    "end-admin": _end_admin,
    "sign-out": _sign_out,
    "end-devices": _end_devices,
    "two-step-off": _two_step_off,
    "release-brake": _release_brake,
    "mail-link": _mail_link,
}

#: Whoever did it to the own account could not take it back.
NOT_TO_ONESELF = frozenset({"disable", "end-admin"})


def fullness(account: Account) -> float:
    """How much of its quota an account uses: 0 without one, 1 when it is full."""
    if account.quota_bytes is None:
        return 0.0
    return account.used_bytes / account.quota_bytes if account.quota_bytes else 1.0


def _choice(name: str, table: Mapping[str, object]) -> str:
    """Read a word of the URL; the first of *table* stands for any other."""
    asked = request.args.get(name, "")
    return asked if asked in table else next(iter(table))


def _get(user_id: int) -> Account:
    try:
        return parts().accounts.get_by_id(user_id)
    except NoSuchAccount:
        raise NotFound("There is no such account. It may have been deleted.") from None


def _is_own(account: Account) -> bool:
    return account.id == get_signed_in().account.id


def _to(account: Account) -> Response:
    return flask.redirect(flask.url_for("users.one", user_id=account.id), 303)


def _read_limits(form: LimitsForm) -> tuple[int | None, Rules | None] | None:
    """Read quota and allow-list; None when a field is wrong and says why."""
    quota_bytes = rules = None
    try:
        quota_bytes = parse_quota(form.quota.data or "")
    except ValueError as fault:
        blame(form.quota, fault)
    try:
        text = (form.allow.data or "").strip()
        rules = Rules.parse(text) if text else None
    except ValueError as fault:
        blame(form.allow, fault)
    return None if form.quota.errors or form.allow.errors else (quota_bytes, rules)


def _form_of(account: Account) -> LimitsForm:
    """Fill in the limits as they are."""
    allow = "" if account.rules is None else str(account.rules)
    return LimitsForm(formdata=None, quota=_quota_text(account.quota_bytes), allow=allow)


def _quota_text(quota_bytes: int | None) -> str:
    """Write a quota so that it is the same to the byte when it is sent back."""
    if quota_bytes is None:
        return ""
    text = format_size(quota_bytes)
    return text if parse_quota(text) == quota_bytes else str(quota_bytes)


def _page(account: Account, *, form: LimitsForm, link: str | None = None) -> str:
    accounts = parts().accounts
    return flask.render_template(
        "user.html",
        account=account,
        form=form,
        link=link,
        own=_is_own(account),
        seen_us=accounts.last_seen().get(account.id),
        files=accounts.count_files(account.email),
        sessions=accounts.sessions.list_(account.id),
        devices=accounts.devices.list_(account),
        can_mail=parts().postman is not None,
        quota_hint=_QUOTA_HINT,
    )


def _new_page(form: NewForm) -> str:
    return flask.render_template("new_user.html", form=form, quota_hint=_QUOTA_HINT)


def _note(what: str, account: Account) -> None:
    """Leave in the log who did what to whom."""
    log.info("administrator %s %s %s", get_signed_in().account.email, what, account.email)
