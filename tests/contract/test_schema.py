"""The schema goes up and down on both databases, and never by surprise."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from davhost.catalogue import Catalogue, SchemaOutdated, migrations
from davhost.catalogue.schema import metadata


def test_the_schema_goes_up_and_down(empty_database_url: str) -> None:
    """Every step can be taken back, and taken again."""
    catalogue = Catalogue(empty_database_url)
    for _ in range(2):
        catalogue.upgrade()
        catalogue.check_schema()
        engine = create_engine(empty_database_url)
        assert set(metadata.tables) <= set(inspect(engine).get_table_names())
        catalogue.downgrade("base")
        assert set(inspect(engine).get_table_names()) == {"alembic_version"}
        engine.dispose()
    catalogue.close()


def test_the_steps_make_the_tables_that_the_program_uses(empty_database_url: str) -> None:
    """Migrations and schema.py say the same."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    catalogue = Catalogue(empty_database_url)
    catalogue.upgrade()
    engine = create_engine(empty_database_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
    catalogue.close()


def test_the_steps_are_counted_as_alembic_counts_them() -> None:
    """The number that a step's file begins with is its revision, and they are in order."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    steps = [step.revision for step in ScriptDirectory.from_config(config).walk_revisions()]
    assert migrations.head() == steps[0]
    assert all(migrations.knows(step) for step in steps)
    assert not migrations.knows("no such step")


def test_an_empty_database_is_not_served(empty_database_url: str) -> None:
    """The refusal names the command that mends it."""
    catalogue = Catalogue(empty_database_url)
    with pytest.raises(SchemaOutdated, match="davhost db upgrade"):
        catalogue.check_schema()
    catalogue.close()


def test_a_newer_database_is_not_served(empty_database_url: str) -> None:
    """An older program does not touch what it does not understand."""
    catalogue = Catalogue(empty_database_url)
    catalogue.upgrade()
    engine = create_engine(empty_database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(SchemaOutdated, match="newer davhost"):
        catalogue.check_schema()
    with pytest.raises(ValueError, match="no schema 77"):
        catalogue.downgrade("77")
    catalogue.close()
