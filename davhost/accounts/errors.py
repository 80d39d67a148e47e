"""What administration of accounts can run into; sign-ins are refused by `davhost.errors`."""

from __future__ import annotations


class AccountExists(ValueError):
    """The e-mail address has an account already."""


class NoSuchAccount(ValueError):
    """No account has the e-mail address."""


class WeakPassword(ValueError):
    """The password is too short, or too long to be one."""


class BadEmail(ValueError):
    """The text cannot be an e-mail address."""


class BadScope(ValueError):
    """There is no folder of the name that an app password is to be confined to."""


class LinkExpired(ValueError):
    """An invitation or a link for a new password was used already, or is too old."""


class NotRefused(ValueError):
    """No file of the type that is asked for was refused."""


class LastAdmin(ValueError):
    """The account is the only one that administers."""
