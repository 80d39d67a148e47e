"""App passwords, one for each device, each with its mount kit."""

from __future__ import annotations

from collections.abc import Sequence

import flask
import segno
from flask import Blueprint
from flask_wtf import FlaskForm
from markupsafe import Markup
from werkzeug.wrappers import Response
from wtforms import HiddenField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from ..accounts import BadScope
from ..errors import BadRequest
from ..kits import KITS, Drive, Kit
from ..paths import ROOT, DavPath
from ..tree import Entry
from .context import base_url, get_signed_in, get_tree, parts, signed_in_only
from .forms import blame

pages = Blueprint("devices", __name__, url_prefix="/-/devices")

#: How many folders are offered to confine a device to.
_FOLDERS_MAX = 200

_KINDS = [
    SelectChoice("windows", "Windows"),
    SelectChoice("macos", "Mac"),
    SelectChoice("gnome", "Linux desktop (GNOME)"),
    SelectChoice("davfs2", "Linux (davfs2)"),
    SelectChoice("rclone", "rclone"),
    SelectChoice("cyberduck", "Cyberduck"),
    SelectChoice("phone", "Phone or tablet"),
    SelectChoice("other", "Something else"),
]


_RIGHTS = [SelectChoice("all", "Read and write"), SelectChoice("read", "Only read")]


class DeviceForm(FlaskForm):  # type: ignore[misc]
    """Which device, and what it may do."""

    label = StringField("Name of the device", [InputRequired("Give it a name to know it by.")])
    kind = SelectField("What it is", choices=_KINDS)
    folder = SelectField("What it sees", validate_choice=False)
    rights = RadioField("What it may do", choices=_RIGHTS, default="all")


class KitForm(FlaskForm):  # type: ignore[misc]
    """Whose kit it is; the password comes from the page that showed it."""

    kind = HiddenField(validators=[InputRequired()])
    label = HiddenField()
    password = HiddenField(validators=[InputRequired()])


@pages.route("", methods=["GET", "POST"])
@signed_in_only
def overview() -> str:
    """Show the devices, and make a password for another."""
    account = get_signed_in().account
    form = DeviceForm()
    form.folder.choices = [SelectChoice("/", "Everything"), *_folders()]
    if form.validate_on_submit():
        root = DavPath.from_text(form.folder.data or "/")
        try:
            _, password = parts().accounts.devices.add(
                account, form.label.data, read_only=form.rights.data == "read", root=root
            )
        except BadScope as fault:
            blame(form.folder, fault)
        else:
            return _made(form, Drive(base_url(), account.email, password, form.label.data.strip()))
    listed = parts().accounts.devices.list_(account)
    return flask.render_template("devices.html", form=form, devices=listed, root=ROOT)


def _made(form: DeviceForm, drive: Drive) -> str:
    make = KITS.get(form.kind.data)
    codes = {}
    if form.kind.data == "phone":
        codes = {"The address": draw_code(drive.url), "The password": draw_code(drive.password)}
    return flask.render_template(
        "device_made.html",
        drive=drive,
        kind=form.kind.data,
        kit=None if make is None else make(drive),
        codes=codes,
        steps=[] if make is None else [_typed(step) for step in make(drive).steps],
    )


@pages.post("/kit")
@signed_in_only
def kit() -> Response:
    """Write the ready file of a kit, for the password that was shown a moment ago.

    Raises:
        BadRequest: there is no such kit, or the password is not one of the account.
    """
    form = KitForm()
    account = get_signed_in().account
    make = KITS.get(form.kind.data or "")
    password = form.password.data or ""
    if not form.validate() or make is None or not parts().accounts.devices.owns(account, password):
        raise BadRequest("This password is not there any more. Make another for the device.")
    return _file(make(Drive(base_url(), account.email, password, form.label.data or "Drive")))


@pages.post("/<int:password_id>/revoke")
@signed_in_only
def revoke(password_id: int) -> Response:
    """End the password of a device."""
    if parts().accounts.devices.revoke(get_signed_in().account, password_id):
        flask.flash("That device is signed out and cannot come back with its password.")
    return flask.redirect(flask.url_for("devices.overview"), 303)


def _file(made: Kit) -> Response:
    response = flask.make_response(made.content)
    response.headers["Content-Type"] = made.media_type
    response.headers["Content-Disposition"] = f'attachment; filename="{made.file_name}"'
    return response


def _folders() -> list[SelectChoice]:
    """List the folders at the top and one below, as far as a list stays readable."""
    tree = get_tree()
    found: list[DavPath] = []
    for place in (ROOT, *_below(tree.listing(ROOT, depth=1, dead=False, locks=False).entries)):
        listing = tree.listing(place, depth=1, dead=False, locks=False)
        found += _below(listing.entries[1:])
        if len(found) >= _FOLDERS_MAX:
            break
    return [
        SelectChoice(path.text, path.text)
        for path in sorted(found, key=lambda p: p.text.casefold())
    ]


def _below(entries: Sequence[Entry]) -> list[DavPath]:
    return [e.path for e in entries if e.resource.is_collection and not e.path.is_root]


def draw_code(text: str) -> Markup:
    """Draw a QR code; its colours are its own, in the dark too."""
    drawn = segno.make(text, error="m").svg_inline(
        scale=5, border=4, dark="#000", light="#fff", omitsize=False
    )
    return Markup(drawn)  # noqa: S704 - segno draws squares, whatever the text is


def _typed(step: str) -> list[tuple[bool, str]]:
    """Part a step into what is read and what is typed."""
    return [(bool(index % 2), text) for index, text in enumerate(step.split("`")) if text]
