"""The rows of a chunk as tuples by table, which are copied to the database and passed between processes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlmodel import SQLModel

from db import tables
from db.tables.enums import ActorKind, ChangeAction

# In the order that foreign keys require. Columns that are not listed are null for all generated customers.
COLUMNS_BY_TABLE: Mapping[type[SQLModel], Sequence[str]] = {
    tables.Department: ("workspace_id", "id", "created_at", "name", "name_key", "parent_id"),
    tables.Agent: (
        "workspace_id", "id", "created_at", "updated_at", "version", "name", "name_key", "email", "email_key",
        "active", "role",
    ),
    tables.Account: ("id", "workspace_id", "email_key"),
    tables.AgentDepartment: ("workspace_id", "agent_id", "department_id", "position"),
    tables.Tag: ("workspace_id", "id", "created_at", "name", "name_key", "unique_key", "kind", "color", "description"),
    tables.Company: (
        "workspace_id", "id", "created_at", "updated_at", "version", "name", "name_key", "domain", "domain_key",
        "phone", "address_line1", "city", "region", "postal_code", "country", "owner_id",
    ),
    tables.CompanyExternalId: ("workspace_id", "system", "value", "company_id"),
    tables.CompanyValue: (
        "workspace_id", "company_id", "field_id", "position", "text", "text_key", "text_folded", "number", "boolean",
        "date", "date_time", "option", "unique_key",
    ),
    tables.Customer: (
        "workspace_id", "id", "created_at", "updated_at", "version", "name", "name_key", "nickname", "nickname_key",
        "real_name", "real_name_key", "phone", "phone_count", "email", "email_key", "email_count", "gender",
        "birth_date", "value", "address_line1", "address_line2", "city", "region", "postal_code", "country", "source",
        "channel", "relationship_status", "subscription_status", "stage", "verification", "follow_up_stage", "owner_id",
        "owned_since", "previous_owner_id", "released_at", "department_id", "company_id", "reseller_relationship",
        "archived_at", "last_interaction_at", "tag_count", "first_tag_key",
    ),
    tables.CustomerPhone: ("workspace_id", "customer_id", "position", "phone"),
    tables.CustomerEmail: ("workspace_id", "customer_id", "position", "email", "email_key"),
    tables.CustomerExternalId: ("workspace_id", "system", "value", "customer_id"),
    tables.CustomerTag: ("workspace_id", "customer_id", "tag_id"),
    tables.WechatFriend: ("workspace_id", "customer_id", "agent_id"),
    tables.CustomerBlock: ("workspace_id", "customer_id", "reason", "until", "actor_kind", "actor_id", "at"),
    tables.Note: (
        "workspace_id", "id", "created_at", "updated_at", "version", "customer_id", "body", "body_key", "author_kind",
        "author_id",
    ),
    tables.Interaction: (
        "workspace_id", "id", "created_at", "customer_id", "kind", "direction", "channel", "outcome", "subject",
        "campaign", "amount", "occurred_at", "agent_id", "external_system", "external_value", "pending",
    ),
    tables.Order: (
        "workspace_id", "id", "created_at", "customer_id", "source", "number", "status", "total", "currency",
        "placed_at", "lines",
    ),
    tables.CustomerValue: (
        "workspace_id", "customer_id", "field_id", "position", "text", "text_key", "text_folded", "number", "boolean",
        "date", "date_time", "option", "unique_key",
    ),
    tables.CustomerSearch: ("workspace_id", "customer_id", "text"),
}  # fmt: skip

# The change log comes last: its numbers are taken after all other rows are written, and prepended to each change.
CHANGE_COLUMNS = ("workspace_id", "at", "action", "entity", "node_id", "version", "actor_kind", "fields")

# The last column of these tables is serialized JSON: processes exchange bytes instead of object trees.
TABLES_WITH_JSON_LAST = frozenset({tables.Order, tables.Change})

Records = list[tuple[Any, ...]]
"""Rows of one table, in the order of the columns here."""


class ChunkRows:
    """The rows of one workspace by table, and the change log without its numbers."""

    __slots__ = ("_by_table", "changes", "workspace_id")

    def __init__(self, workspace_id: int) -> None:
        self.workspace_id = workspace_id
        self._by_table: dict[type[SQLModel], Records] = {table: [] for table in COLUMNS_BY_TABLE}
        self.changes: Records = []

    def rows_of(self, table: type[SQLModel]) -> Records:
        return self._by_table[table]

    def log_created(self, entity: str, node_id: bytes, created_at: int, fields: Iterable[tuple[str, Any]]) -> None:
        """Adds the log entry of a new record: every non-empty field, before it null.

        Values are in output form: names of enums, ids as clients see them."""
        logged = [
            {"field": name, "before": None, "after": value}
            for name, value in fields
            if value is not None and value != []
        ]
        self.changes.append(
            (self.workspace_id, created_at, _CREATED, entity, node_id, 1, _SYSTEM, orjson.dumps(logged)),
        )


_CREATED = ChangeAction.CREATED.value
_SYSTEM = ActorKind.SYSTEM.value
