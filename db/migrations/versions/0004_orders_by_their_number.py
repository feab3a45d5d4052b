"""Adds an index of orders by their number."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

INDEX = "ix_customer_order_number_key_customer_id"


def upgrade() -> None:
    op.create_index(INDEX, "customer_order", ["workspace_id", "number_key", "customer_id"])
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        # Planner statistics of a large workspace: a number occurs in a few sources at most.
        row = {"index": INDEX, "stat": "1000000 1000000 2 1"}
        connection.execute(sa.text("INSERT INTO sqlite_stat1 VALUES ('customer_order', :index, :stat)"), row)
        connection.exec_driver_sql("ANALYZE sqlite_schema")
