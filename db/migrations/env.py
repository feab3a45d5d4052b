"""Alembic's entry point: runs the migrations on the connection that `db.migrations.runner` provides."""

from alembic import context

from db import tables

context.configure(connection=context.config.attributes["connection"], target_metadata=tables.metadata)
with context.begin_transaction():
    context.run_migrations()
