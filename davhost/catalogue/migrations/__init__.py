"""The steps of the schema, up and down, by Alembic.

Alembic is imported when a step is taken, and not before: every start of the
server and every command compares revisions, and would wait for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

if TYPE_CHECKING:
    from alembic.config import Config

_HERE = Path(__file__).parent


def head() -> str:
    """The revision that this version of davhost works with."""
    return _revisions()[-1]


def knows(revision: str) -> bool:
    """Whether this version of davhost has the step to *revision*."""
    return revision in _revisions()


def current(engine: Engine) -> str | None:
    """The revision of the database; None when it has no tables."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(text("SELECT version_num FROM alembic_version"))
        return found.scalar_one_or_none()


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Take every step up to *revision*, in one transaction."""
    from alembic import command

    with engine.begin() as connection:
        command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take steps back to *revision*, in one transaction."""
    from alembic import command

    with engine.begin() as connection:
        command.downgrade(_config(connection), revision)


def _revisions() -> list[str]:
    """List the steps in their order, by the numbers that their files begin with."""
    return sorted(file.stem.partition("_")[0] for file in (_HERE / "versions").glob("[0-9]*.py"))


def _config(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.attributes["connection"] = connection
    return config
