"""Makes tag names unique by their letters: case is ignored, accents count."""

import unicodedata
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INDEX = "ix_tag_kind_unique_key"


def upgrade() -> None:
    # SQLite cannot add a NOT NULL column without a default, nor remove the default later.
    op.add_column("tag", sa.Column("unique_key", KEY, nullable=False, server_default=""))
    connection = op.get_bind()
    tags = connection.execute(sa.text("SELECT workspace_id, id, name FROM tag")).all()
    if tags:
        own = [{"key": _caseless(name), "workspace": number, "id": identifier} for number, identifier, name in tags]
        connection.execute(sa.text(KEPT), own)
    op.drop_index("ix_tag_kind_name_key", "tag")
    op.create_index(INDEX, "tag", ["workspace_id", "kind", "unique_key"], unique=True)
    if connection.dialect.name == "sqlite":
        _describe(connection)
    else:
        op.alter_column("tag", "unique_key", server_default=None)


KEPT = "UPDATE tag SET unique_key = :key WHERE workspace_id = :workspace AND id = :id"


def _caseless(text: str) -> str:
    composed = unicodedata.normalize("NFC", text)
    return " ".join(unicodedata.normalize("NFC", composed.casefold()).split())


def _describe(connection: Any) -> None:
    """Planner statistics of a large workspace."""
    row = {"index": INDEX, "stat": "500 500 500 1"}
    connection.execute(sa.text("INSERT INTO sqlite_stat1 VALUES ('tag', :index, :stat)"), row)
    connection.exec_driver_sql("ANALYZE sqlite_schema")
