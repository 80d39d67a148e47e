"""Passwords for devices: random, shown once, each with a scope of its own.

They have more than 128 random bits, so a fast hash keeps them as safe as a slow
one keeps what people make up, and a mounted drive costs nothing to let in.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from ..catalogue import Account, AppPassword, Catalogue, Login
from ..clock import Clock
from ..errors import Forbidden, NotFound
from ..model import Principal
from ..paths import DavPath
from .errors import BadScope
from .registry import principal_of
from .typed import ALPHABET, bare, hashed

_GROUPS, _GROUP_LENGTH = 6, 5  # 150 random bits
_LENGTH = _GROUPS * _GROUP_LENGTH
_FORM = re.compile(rf"[{ALPHABET}]{{{_LENGTH}}}")

LABEL_CHARACTERS_MAX = 80
_TYPED_MAX = 200

#: How exactly the last use is known: each note of it is a write.
_TOUCH_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Device:
    """An app password and what it reaches.

    Args:
        root: the collection that it is confined to; None when that is gone.
    """

    password: AppPassword
    root: DavPath | None


class Devices:
    """The app passwords of all accounts, as one process sees them."""

    def __init__(self, catalogue: Catalogue, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock

    def add(
        self, account: Account, label: str, *, read_only: bool = False, root: DavPath | None = None
    ) -> tuple[int, str]:
        """Make an app password.

        Args:
            root: the collection to confine it to; it may be renamed and moved
                later. None for the whole home.

        Returns:
            Its id, and the password, which is not kept.

        Raises:
            BadScope: there is no such collection.
        """
        secret = _random_secret()
        root_id = None if root is None or root.is_root else self._id_of(account, root)
        with self._catalogue.people(writes=True) as people:
            id_ = people.app_passwords.add(
                user_id=account.id,
                secret_hash=hashed(secret, _TYPED_MAX),
                label=label.strip()[:LABEL_CHARACTERS_MAX] or "A device",
                read_only=read_only,
                root_id=root_id,
                created_us=self._clock.now_us(),
            )
        return id_, secret

    def find(self, email_key: str, secret: str, address: str) -> Principal | None:
        """Find who signs in with an app password; None when it is none.

        Raises:
            Forbidden: the folder that it is confined to is gone.
        """
        account, found = self._catalogue.find_login_with_device(
            email_key, hashed(secret, _TYPED_MAX)
        ) or (None, None)
        if account is None or account.disabled or found is None:
            return None
        lease = self._clock.lease()
        if found.used is None or lease - found.used >= _TOUCH_SECONDS:
            with self._catalogue.people(writes=True) as people:
                people.app_passwords.touch(
                    found.id, used_us=self._clock.now_us(), used=lease, address=address
                )
        root = self._root_of(account, found)
        if root is None:
            raise Forbidden("The folder that this app password was for is gone.")
        return principal_of(account, read_only=found.read_only, root=root, via=found.label)

    def owns(self, account: Account, secret: str) -> bool:
        """Whether *secret* is an app password of *account*."""
        with self._catalogue.people() as people:
            return people.app_passwords.find(account.id, hashed(secret, _TYPED_MAX)) is not None

    def list_(self, account: Account) -> list[Device]:
        """List the app passwords of an account, the newest first."""
        with self._catalogue.people() as people:
            listed = people.app_passwords.list_(account.id)
        return [Device(one, self._root_of(account, one)) for one in listed]

    def revoke(self, account: Account, id_: int) -> bool:
        """End an app password, from the next request on; say whether there was one."""
        with self._catalogue.people(writes=True) as people:
            return people.app_passwords.revoke(account.id, id_)

    def _id_of(self, account: Account, root: DavPath) -> int:
        with self._catalogue.read(account.space_id, lease=self._clock.lease()) as reading:
            found = reading.find(root)
        if found is None or not found.is_collection:
            raise BadScope(f"there is no folder {root}")
        return found.id

    def _root_of(self, account: Account | Login, one: AppPassword) -> DavPath | None:
        if one.root_id is None:
            return DavPath()
        with self._catalogue.read(account.space_id, lease=self._clock.lease()) as reading:
            try:
                return reading.path_of(reading.get_by_id(one.root_id))
            except NotFound:
                return None


def looks_like_app_password(text: str) -> bool:
    """Whether *text* has the form of an app password, as it may be typed."""
    return len(text) >= _LENGTH and _FORM.fullmatch(bare(text, _TYPED_MAX)) is not None


def _random_secret() -> str:
    groups = (
        "".join(secrets.choice(ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)
    )
    return "-".join(groups)
