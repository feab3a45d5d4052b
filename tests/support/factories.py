"""Rows for tests with plausible defaults."""

from itertools import count, groupby
from typing import Any

from sqlmodel import SQLModel

from db import tables
from db.engine import Database, Transaction
from db.tables.enums import (
    ActorKind,
    CustomerStage,
    CustomFieldType,
    EntityType,
    InteractionKind,
    JobKind,
    JobStatus,
    Role,
)
from db.values import ids
from db.values.folding import email_key as address_key
from db.values.folding import fold, fold_case

_numbers = count(1)


async def workspace(database: Database, **settings: Any) -> int:
    """A new workspace with settings only; returns its number."""
    number = ids.id_time(ids.new_id()) * 1000 + next(_numbers)

    async def founded(transaction: Transaction) -> None:
        await transaction.insert(tables.Directory(workspace_id=number, id=ids.new_id(), created_at=ids.current_time()))
        await transaction.insert(
            tables.Workspace(
                **{
                    "workspace_id": number,
                    "name": "Test",
                    "automation_rules": [0, 1, 2, 3],
                    "follow_up_stages": ["First contact", "Offer sent"],
                    "sources": ["Website"],
                    **settings,
                }
            )
        )
        await transaction.insert(tables.Counter(workspace_id=number))

    await database.write(number, founded)
    return number


async def saved(database: Database, workspace_id: int, *rows: SQLModel) -> None:
    """Inserts rows into the workspace unchanged, in order; adjacent rows of a table are inserted together."""

    async def insert(transaction: Transaction) -> None:
        for _, neighbours in groupby(rows, type):
            await transaction.insert(*neighbours)

    for row in rows:
        row.workspace_id = workspace_id  # type: ignore[attr-defined] # every row of a workspace has one
    await database.write(workspace_id, insert)


def customer(name: str = "Nguyễn Văn An", **values: Any) -> tables.Customer:
    """`created_at` determines the id; an owner makes it FOLLOW_UP."""
    if "created_at" in values:
        values.setdefault("id", ids.id_at(values["created_at"]))
    if values.get("owner_id"):
        values.setdefault("stage", CustomerStage.FOLLOW_UP)
    for text in ("nickname", "real_name"):
        if text in values:
            values[f"{text}_key"] = fold(values[text])
    if "email" in values:
        values.setdefault("email_key", address_key(values["email"]))
    return tables.Customer(workspace_id=0, name=name, name_key=fold(name), **values)


def agent(name: str = "Trần Bình", **values: Any) -> tables.Agent:
    email = values.pop("email", f"agent{next(_numbers)}@clientela.example")
    values.setdefault("role", Role.AGENT)
    return tables.Agent(
        workspace_id=0, name=name, name_key=fold(name), email=email, email_key=address_key(email), **values
    )


def department(name: str = "Sales", **values: Any) -> tables.Department:
    return tables.Department(workspace_id=0, name=name, name_key=fold(name), **values)


def works_in(agent: tables.Agent, department: tables.Department, position: int = 0) -> tables.AgentDepartment:
    return tables.AgentDepartment(workspace_id=0, agent_id=agent.id, department_id=department.id, position=position)


def company(name: str = "Samsung", **values: Any) -> tables.Company:
    if "domain" in values:
        values["domain_key"] = fold(values["domain"])
    return tables.Company(workspace_id=0, name=name, name_key=fold(name), **values)


def tag(name: str = "vip", **values: Any) -> tables.Tag:
    return tables.Tag(workspace_id=0, name=name, name_key=fold(name), unique_key=fold_case(name), **values)


def worn(customer: tables.Customer, tag: tables.Tag) -> tables.CustomerTag:
    return tables.CustomerTag(workspace_id=0, customer_id=customer.id, tag_id=tag.id)


def phone(customer: tables.Customer, number: str, position: int = 0) -> tables.CustomerPhone:
    return tables.CustomerPhone(workspace_id=0, customer_id=customer.id, position=position, phone=number)


def email(customer: tables.Customer, address: str, position: int = 0) -> tables.CustomerEmail:
    return tables.CustomerEmail(
        workspace_id=0, customer_id=customer.id, position=position, email=address, email_key=address_key(address)
    )


def external_id(customer: tables.Customer, system: str, value: str) -> tables.CustomerExternalId:
    return tables.CustomerExternalId(workspace_id=0, customer_id=customer.id, system=system, value=value)


def block(customer: tables.Customer, **values: Any) -> tables.CustomerBlock:
    return tables.CustomerBlock(
        **{
            "workspace_id": 0,
            "customer_id": customer.id,
            "reason": "Abusive",
            "actor_kind": ActorKind.SYSTEM,
            "at": ids.current_time(),
            **values,
        }
    )


def note(customer: tables.Customer, body: str = "Called twice.", **values: Any) -> tables.Note:
    values.setdefault("author_kind", ActorKind.SYSTEM)
    return tables.Note(workspace_id=0, customer_id=customer.id, body=body, body_key=fold(body), **values)


def interaction(customer: tables.Customer, **values: Any) -> tables.Interaction:
    values.setdefault("kind", InteractionKind.CALL)
    values.setdefault("occurred_at", ids.current_time())
    return tables.Interaction(workspace_id=0, customer_id=customer.id, **values)


def order(customer: tables.Customer, **values: Any) -> tables.Order:
    values.setdefault("source", "shop")
    values.setdefault("number", str(next(_numbers)))
    values.setdefault("placed_at", ids.current_time())
    return tables.Order(workspace_id=0, customer_id=customer.id, **values)


def custom_field(key: str, type: CustomFieldType = CustomFieldType.TEXT, **values: Any) -> tables.CustomField:
    values.setdefault("entity", EntityType.CUSTOMER)
    values.setdefault("options", [])
    return tables.CustomField(workspace_id=0, key=key, label=key.title(), type=type, **values)


def value(customer: tables.Customer, field: tables.CustomField, **values: Any) -> tables.CustomerValue:
    if "text" in values:
        values |= {"text_key": fold(values["text"]), "text_folded": fold(values["text"])}
    return tables.CustomerValue(workspace_id=0, customer_id=customer.id, field_id=field.id, **values)


def segment(name: str = "Regulars", **values: Any) -> tables.Segment:
    return tables.Segment(workspace_id=0, name=name, name_key=fold(name), **values)


def rule(name: str = "Everybody", **values: Any) -> tables.AssignmentRule:
    return tables.AssignmentRule(workspace_id=0, name=name, **values)


def assigns(
    rule: tables.AssignmentRule,
    position: int = 0,
    *,
    agent: tables.Agent | None = None,
    department: tables.Department | None = None,
) -> tables.AssignmentRuleMember:
    """Exactly one of the two is given."""
    return tables.AssignmentRuleMember(
        workspace_id=0,
        rule_id=rule.id,
        position=position,
        agent_id=agent.id if agent else None,
        department_id=department.id if department else None,
    )


def view(name: str = "Mine", **values: Any) -> tables.SavedView:
    values.setdefault("columns", [{"field": "name", "width": None}])
    return tables.SavedView(workspace_id=0, name=name, name_key=fold(name), **values)


def api_key(name: str = "Shop", **values: Any) -> tables.ApiKey:
    """Its secret is unknown."""
    given = {"permissions": [], "hint": "abcd", "created_by": ids.new_id(), "created_at": ids.current_time(), **values}
    return tables.ApiKey(id=ids.new_id(), workspace_id=0, name=name, secret_hash=ids.new_id(), **given)


def job(**values: Any) -> tables.Job:
    """A finished job that changed nothing."""
    known = {
        "workspace_id": 0,
        "kind": JobKind.UPDATE,
        "status": JobStatus.DONE,
        "arguments": {"verb": int(JobKind.UPDATE), "given": {"input": {"source": "Fair"}}},
        "actor_kind": ActorKind.AGENT,
        "counts": {},
        "started_at": ids.current_time(),
        "finished_at": ids.current_time(),
    }
    return tables.Job(**{**known, **values})
