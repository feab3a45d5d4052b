"""Column types and constraints that all tables use."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.schema import ColumnCollectionConstraint
from sqlmodel import Field, SQLModel

from db.values import ids


def _columns(constraint: ColumnCollectionConstraint | Index, table: Table) -> str:
    """The distinguishing part of a constraint's name. All constraints start with the workspace; no name includes it."""
    return "_".join(column.name for column in constraint.columns if column.name != "workspace_id")


SQLModel.metadata = MetaData(
    naming_convention={
        "columns": _columns,
        "ix": "ix_%(table_name)s_%(columns)s",
        "uq": "uq_%(table_name)s_%(columns)s",
        "fk": "fk_%(table_name)s_%(columns)s",
        "pk": "pk_%(table_name)s",
    }
)

# A UUIDv7 as sixteen bytes.
Id = LargeBinary(16)
# Milliseconds since 1970 in UTC: the same integer on every database, and exact in a cursor.
Moment = BigInteger()
# Money in ten-thousandths: exact, and every database sums it alike.
Amount = BigInteger()
# The position of a value in an enum of `db.tables.enums`.
Code = SmallInteger()
# Text that is compared or sorted byte by byte: folded keys, codes, ISO dates.
Key = Text().with_variant(Text(collation="C"), "postgresql")
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class InWorkspace(SQLModel):
    """A row of one workspace. `workspace_id` distributes the tables over a cluster and starts every key."""

    # pydantic validates no rows of tables, so its validators are built only on demand.
    model_config = {"defer_build": True}

    workspace_id: int = Field(sa_type=BigInteger, primary_key=True)


class Stored(InWorkspace):
    """A row with an id. `created_at` is the time in the id, to the millisecond, so either sorts for both."""

    id: bytes = Field(sa_type=Id, primary_key=True)
    created_at: int = Field(sa_type=Moment)

    def __init__(self, **values: Any) -> None:
        made = values.setdefault("id", ids.new_id())
        values.setdefault("created_at", ids.id_time(made))
        super().__init__(**values)


class Versioned(Stored):
    """A record whose `version` each change increments."""

    updated_at: int = Field(sa_type=Moment)
    version: int = 1

    def __init__(self, **values: Any) -> None:
        made = values.setdefault("id", ids.new_id())
        values.setdefault("updated_at", values.get("created_at", ids.id_time(made)))
        super().__init__(**values)


def foreign_key(column: str, table: str, *, cascade: bool = False) -> ForeignKeyConstraint:
    """The row belongs to a row of `table` in the same workspace; with `cascade` it is deleted with it."""
    return ForeignKeyConstraint(
        ["workspace_id", column],
        [f"{table}.workspace_id", f"{table}.id"],
        ondelete="CASCADE" if cascade else None,
    )


def workspace_index(*columns: str, where: str | None = None, unique: bool = False) -> Index:
    """An index within the workspace; `where` restricts it to the rows that are queried."""
    condition = text(where) if where else None
    return Index(None, "workspace_id", *columns, unique=unique, postgresql_where=condition, sqlite_where=condition)


# Rows that are only found by their whole key are stored inside the key's tree on SQLite.
CLUSTERED: dict[str, Any] = {"sqlite_with_rowid": False}
