"""Run by Alembic: take the steps on the connection that was handed over."""

from __future__ import annotations

from alembic import context

from davhost.catalogue.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
