"""Relations between records: columns, link tables, and which related rows count."""

from dataclasses import dataclass
from typing import Any

from db import tables


@dataclass(frozen=True, slots=True)
class Relation:
    """Leads from `own_column` of a record to the rows of `target` with the same `target_column`, optionally through
    `link`, whose `link_column` is the id of `target`. With `visible_only`, only visible customers that are not archived
    count."""

    own_column: str
    target: Any
    target_column: str
    link: Any = None
    link_column: str | None = None
    visible_only: bool = False
    where: tuple[str, int] | None = None
    """A column of the record and the value it must have; otherwise the relation is empty."""


# Relations by their names in filters.
RELATIONS: dict[str, Relation] = {
    "owner": Relation("owner_id", tables.Agent, "id"),
    "department": Relation("department_id", tables.Department, "id"),
    "company": Relation("company_id", tables.Company, "id"),
    "agent": Relation("agent_id", tables.Agent, "id"),
    "author": Relation("author_id", tables.Agent, "id", where=("author_kind", 0)),
    "wechatFriendOf": Relation("id", tables.Agent, "customer_id", tables.WechatFriend, "agent_id"),
    "departments": Relation("id", tables.Department, "agent_id", tables.AgentDepartment, "department_id"),
    "tags": Relation("id", tables.Tag, "customer_id", tables.CustomerTag, "tag_id"),
    "members": Relation("id", tables.SegmentMember, "customer_id"),
    "notes": Relation("id", tables.Note, "customer_id"),
    "interactions": Relation("id", tables.Interaction, "customer_id"),
    "orders": Relation("id", tables.Order, "customer_id"),
    "block": Relation("id", tables.CustomerBlock, "customer_id"),
    "externalId": Relation("id", tables.CustomerExternalId, "customer_id"),
    "companyExternalId": Relation("id", tables.CompanyExternalId, "company_id"),
    "companyCustomers": Relation("id", tables.Customer, "company_id", visible_only=True),
    "tagCustomers": Relation("id", tables.Customer, "tag_id", tables.CustomerTag, "customer_id", visible_only=True),
    "customerValue": Relation("id", tables.CustomerValue, "customer_id"),
    "companyValue": Relation("id", tables.CompanyValue, "company_id"),
}
