"""Links the changes of notes, interactions and orders to their customer."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.LargeBinary(16)
ABOUT = {"Note": "note", "Interaction": "interaction", "Order": "customer_order"}
INDEX = "ix_change_customer_id_seq"


def upgrade() -> None:
    op.add_column("change", sa.Column("customer_id", ID, nullable=True))
    connection = op.get_bind()
    for entity, table in ABOUT.items():
        connection.execute(sa.text(LIVING.format(table=table)), {"entity": entity})
    _deleted(connection)
    known: Any = sa.text("customer_id IS NOT NULL")
    op.create_index(INDEX, "change", ["workspace_id", "customer_id", "seq"], postgresql_where=known, sqlite_where=known)
    if connection.dialect.name == "sqlite":
        # Planner statistics of a large workspace: a few changes per customer.
        row = {"index": INDEX, "stat": "1000000 1000000 3 1"}
        connection.execute(sa.text("INSERT INTO sqlite_stat1 VALUES ('change', :index, :stat)"), row)
        connection.exec_driver_sql("ANALYZE sqlite_schema")


LIVING = """
    UPDATE change SET customer_id = (
        SELECT one.customer_id FROM {table} AS one
        WHERE one.workspace_id = change.workspace_id AND one.id = change.node_id)
    WHERE entity = :entity
"""


def _deleted(connection: Any) -> None:
    """The last change of a deleted record names its customer."""
    gone = connection.execute(sa.text(GONE), {"note": "Note", "interaction": "Interaction", "order": "Order"})
    for workspace_id, node_id, audience in gone.fetchall():
        told = json.loads(audience) if isinstance(audience, str) else audience
        if told and "customer" in told:
            customer = bytes.fromhex(told["customer"])
            own = {"workspace": workspace_id, "node": node_id, "customer": customer}
            connection.execute(sa.text(NAMED), own)


GONE = """
    SELECT workspace_id, node_id, audience FROM change
    WHERE entity IN (:note, :interaction, :order) AND customer_id IS NULL AND audience IS NOT NULL
"""
NAMED = "UPDATE change SET customer_id = :customer WHERE workspace_id = :workspace AND node_id = :node"
