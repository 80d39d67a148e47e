"""The mails that pages send, and the jobs that send them.

A job is made while the request is there and run by the postman later, so the
answer takes the same time whether there is an account or not.
"""

from __future__ import annotations

from collections.abc import Callable

from ..accounts import AccountExists, Accounts, BadEmail
from ..mail import Postman
from .context import base_url, page_url

Job = Callable[[], None]

_SIGN_UP = """\
Hello,

somebody, probably you, wants to have an account with this address at

    {server}

To choose a password and begin, open this link within a week:

    {link}

If it was not you, there is nothing to do.
"""

_KNOWN = """\
Hello,

somebody, probably you, wants to have an account with this address at

    {server}

You have one already. If you forgot your password, set a new one here:

    {link}
"""

_RESET = """\
Hello,

to set a new password for {email} at

    {server}

open this link within an hour:

    {link}

If you did not ask for it, there is nothing to do: your password stays as it is.
"""


def sign_up_job(accounts: Accounts, postman: Postman, email: str) -> Job:
    """Prepare the mail to somebody who wants an account."""
    server = base_url()
    link = page_url("joining.sign_up", invitation="TOKEN")
    forgot = page_url("resetting.forgot")

    def job() -> None:
        try:
            token = accounts.invite(email)
        except AccountExists:
            text = _KNOWN.format(server=server, link=forgot)
        except BadEmail:
            return
        else:
            text = _SIGN_UP.format(server=server, link=link.replace("TOKEN", token))
        postman.send(email.strip(), "Your account", text)

    return job


def reset_job(accounts: Accounts, postman: Postman, email: str) -> Job:
    """Prepare the mail to somebody who forgot the password; nobody's address gets none."""
    server = base_url()
    link = page_url("resetting.reset", token="TOKEN")  # noqa: S106 - a place for one

    def job() -> None:
        token = accounts.begin_reset(email)
        if token is None:
            return
        account = accounts.get_reset(token)
        text = _RESET.format(server=server, link=link.replace("TOKEN", token), email=account.email)
        # To the address of the account, not to one that only compares as equal.
        postman.send(account.email, "A new password", text)

    return job
