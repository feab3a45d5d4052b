"""Alembic's entry: runs the versions on the connection that db.migrating hands over."""

from alembic import context

from db import tables

context.configure(connection=context.config.attributes["connection"], target_metadata=tables.metadata)
with context.begin_transaction():
    context.run_migrations()
