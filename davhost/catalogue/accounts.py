"""Finding accounts, which is the first thing that happens in a request."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, exists, select

from ..model import Rules
from .devices import APP_PASSWORD, AppPassword, app_password_of
from .prepared import Asked, Prepared
from .schema import app_password, space, two_step, user


class Account(NamedTuple):
    """A person's row, with the numbers of the home.

    Args:
        two_step: whether the page asks for a code after the password.
        braked_us: not None while the home can only be read: when the burst of
            changes began that stopped it.
        rules: the home's own allow-list; None takes the server's.
    """

    id: int
    email: str
    password_hash: str
    admin: bool
    disabled: bool
    created_us: int
    space_id: int
    quota_bytes: int | None
    used_bytes: int
    two_step: bool
    braked_us: int | None
    rules: Rules | None


class Login(NamedTuple):
    """What signing in asks of an account, with nearly every request; as in `Account`."""

    id: int
    email: str
    password_hash: str
    admin: bool
    disabled: bool
    space_id: int
    two_step: bool


_HAS_TWO_STEPS = exists().where(two_step.c.user_id == user.c.id)

#: Accounts, all of them by e-mail address, in the order of the fields.
ACCOUNTS = (
    select(
        user.c.id,
        user.c.email,
        user.c.password_hash,
        user.c.admin,
        user.c.disabled,
        user.c.created_us,
        user.c.space_id,
        space.c.quota_bytes,
        space.c.used_bytes,
        _HAS_TWO_STEPS,
        space.c.braked_us,
        space.c.rules,
    )
    .select_from(user.join(space, space.c.id == user.c.space_id))
    .order_by(user.c.email_key)
)
_BY_EMAIL = Prepared(ACCOUNTS.where(user.c.email_key == bindparam("email_key")))
_LOGIN = select(
    user.c.id,
    user.c.email,
    user.c.password_hash,
    user.c.admin,
    user.c.disabled,
    user.c.space_id,
    _HAS_TWO_STEPS,
).where(user.c.email_key == bindparam("email_key"))
_LOGIN_BY_EMAIL = Prepared(_LOGIN)
_LOGIN_WITH_DEVICE = Prepared(
    _LOGIN.outerjoin(
        app_password,
        and_(
            app_password.c.user_id == user.c.id,
            app_password.c.secret_hash == bindparam("secret_hash"),
        ),
    ).add_columns(*APP_PASSWORD)
)
_BY_ID = Prepared(ACCOUNTS.where(user.c.id == bindparam("id")))


def find(asked: Asked, email_key: str) -> Account | None:
    """Find an account by its case-folded e-mail address."""
    row = asked.row(_BY_EMAIL, email_key=email_key)
    return None if row is None else account_of(row)


def find_login(asked: Asked, email_key: str) -> Login | None:
    """Find what signing in asks of an account, as `find` does."""
    row = asked.row(_LOGIN_BY_EMAIL, email_key=email_key)
    return None if row is None else _login_of(row)


def find_login_with_device(
    asked: Asked, email_key: str, secret_hash: str
) -> tuple[Login, AppPassword | None] | None:
    """Do so, and find the app password of the account that has this hash, by one statement."""
    row = asked.row(_LOGIN_WITH_DEVICE, email_key=email_key, secret_hash=secret_hash)
    if row is None:
        return None
    end = len(row) - len(APP_PASSWORD)
    device = app_password_of(row[end:]) if row[end] is not None else None
    return _login_of(row[:end]), device


def find_by_id(asked: Asked, user_id: int) -> Account | None:
    """Find an account by its id."""
    row = asked.row(_BY_ID, id=user_id)
    return None if row is None else account_of(row)


def account_of(row: Any) -> Account:
    """Make the value of a row of `ACCOUNTS`."""
    id_, email, hash_, admin, disabled, created, home, quota, used, steps, braked, rules = row
    return Account(
        id_,
        email,
        hash_,
        bool(admin),
        bool(disabled),
        created,
        home,
        quota,
        used,
        bool(steps),
        braked,
        Rules.parse(rules) if rules else None,
    )


def _login_of(row: Any) -> Login:
    id_, email, hash_, admin, disabled, home, steps = row
    return Login(id_, email, hash_, bool(admin), bool(disabled), home, bool(steps))
