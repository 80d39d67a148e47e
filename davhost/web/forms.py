"""What forms ask for, and how it is judged, the same on every page."""

from __future__ import annotations

from wtforms import Field, PasswordField, StringField
from wtforms.validators import InputRequired

from ..accounts import PASSWORD_CHARACTERS_MIN

#: Shown under every field for a new password.
PASSWORD_HINT = (
    f"At least {PASSWORD_CHARACTERS_MIN} characters. A few words in a row are easy to keep in mind."
)


def email_field() -> StringField:
    """Ask for an e-mail address."""
    return StringField("E-mail address", [InputRequired("Type your e-mail address.")])


def password_field(label: str = "Password") -> PasswordField:
    """Ask for a password that there is."""
    return PasswordField(label, [InputRequired("Type your password.")])


def new_password_field() -> PasswordField:
    """Ask for a password that will be."""
    return PasswordField("New password", [InputRequired("Choose a password.")])


def blame(field: Field, fault: Exception) -> None:
    """Say below *field* what is wrong with what it holds."""
    sentence = str(fault)
    field.errors = [f"{sentence[:1].upper()}{sentence[1:].rstrip('.')}."]
