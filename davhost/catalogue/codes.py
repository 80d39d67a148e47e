"""The second step of signing in: secrets of programs that make codes, and recovery codes."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, func, insert, select, update

from .schema import recovery_code, two_step
from .transactions import Transaction


class CodeRows:
    """A transaction over what codes are checked with."""

    def __init__(self, connection: Transaction) -> None:
        self._connection = connection

    def find_secret(self, user_id: int) -> str | None:
        """Find the secret of an account; None when it has no second step."""
        found = select(two_step.c.secret).where(two_step.c.user_id == user_id)
        return self._connection.execute(found).scalar_one_or_none()

    def turn_on(self, user_id: int, secret: str, step: int, hashes: Iterable[str]) -> None:
        """Store a secret and the hashes of recovery codes, in place of those of before.

        Args:
            step: of the code that proved the secret: it is used up.
        """
        self.turn_off(user_id)
        values = {"user_id": user_id, "secret": secret, "last_step": step}
        self._connection.execute(insert(two_step).values(**values))
        rows = [{"user_id": user_id, "code_hash": code_hash} for code_hash in hashes]
        self._connection.execute(insert(recovery_code), rows)

    def turn_off(self, user_id: int) -> None:
        """Forget the secret and the recovery codes."""
        self._connection.execute(delete(two_step).where(two_step.c.user_id == user_id))
        self._connection.execute(delete(recovery_code).where(recovery_code.c.user_id == user_id))

    def use_step(self, user_id: int, step: int) -> bool:
        """Use up the code of a step and all before; False when they were used already."""
        later = (
            update(two_step)
            .where(two_step.c.user_id == user_id, two_step.c.last_step < step)
            .values(last_step=step)
        )
        return self._connection.execute(later).rowcount == 1

    def use_recovery(self, user_id: int, code_hash: str) -> bool:
        """Use up a recovery code; False when there is no such one."""
        used = delete(recovery_code).where(
            recovery_code.c.user_id == user_id, recovery_code.c.code_hash == code_hash
        )
        return self._connection.execute(used).rowcount == 1

    def count_recovery(self, user_id: int) -> int:
        """Count the recovery codes that are left."""
        counted = select(func.count()).where(recovery_code.c.user_id == user_id)
        return int(self._connection.execute(counted).scalar_one())
