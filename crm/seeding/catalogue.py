"""What is there before the first customer: departments, agents, tags, custom fields, companies."""

from collections.abc import Iterable

from sqlmodel import col, select

from crm.errors import ErrorCode, InputError
from crm.seeding import companies as employers
from crm.seeding import custom_fields, loader, team
from crm.seeding import tags as labels
from crm.seeding.plan import Plan
from crm.seeding.random_source import Dice
from crm.seeding.rows import Rows
from db import tables
from db.engine import Transaction
from db.queries import workspaces
from db.queries.catalogue import agents
from db.queries.catalogue import custom_fields as stored_fields
from db.statements import in_workspace
from db.statements import prepare as prepared
from db.tables.enums import EntityType

_YEARS = 3 * 365 * 86_400_000
_TAGS = prepared(select(tables.Tag).where(in_workspace(tables.Tag)).order_by(col(tables.Tag.id)))


async def prepare(
    transaction: Transaction, *, directory: tables.Directory, customers: int, seed: int, until: int
) -> Plan:
    """Adds it all and returns what customers are made of. Tags and custom fields that are there are used as they are.

    Raises InputError where the workspace has this seed's customers: its agents, who cannot be deleted, are there.
    """
    rows, since = Rows(directory.workspace_id), until - _YEARS
    departments = team.departments(rows, Dice(f"{seed}/departments"), since)
    seats = team.agents(
        rows,
        Dice(f"{seed}/agents"),
        since,
        customers=customers,
        server_wide=f"team{seed}.{directory.id.hex()[-12:]}.example",
        departments=departments,
    )
    await _refuse_twice(transaction, seed, rows)
    there = {(tag.kind, tag.unique_key): tag.id for tag in await transaction.fetch_all(_TAGS)}
    tags = labels.tags(rows, Dice(f"{seed}/tags"), since, there=there)
    added, field_ids = custom_fields.fields(rows, Dice(f"{seed}/fields"), since, there=await _fields(transaction))
    companies = employers.companies(
        rows,
        Dice(f"{seed}/companies"),
        since,
        seed=seed,
        customers=customers,
        seats=seats,
        fields=field_ids[EntityType.COMPANY],
    )
    await transaction.insert(*added)
    await loader.add(transaction, rows)
    await loader.log(transaction, rows)
    settings = await workspaces.workspace_settings(transaction)
    return Plan(
        workspace_id=directory.workspace_id,
        seed=seed,
        customers=customers,
        since=since,
        until=until,
        tags=tags,
        seats=seats,
        departments={country: ids for country, ids in departments.items() if country},
        employers=companies,
        fields=field_ids[EntityType.CUSTOMER],
        follow_up_stages=tuple(settings.follow_up_stages) if settings else (),
        sources=tuple(settings.sources) if settings else (),
    )


async def _refuse_twice(transaction: Transaction, seed: int, rows: Rows) -> None:
    ids = [record[1] for record in rows.of(tables.Agent)]
    if await agents.by_ids(transaction, ids):
        message = f"This workspace has the customers of seed {seed} already; another --seed adds more."
        raise InputError(ErrorCode.TAKEN, message, ("seed",))


async def _fields(transaction: Transaction) -> Iterable[tables.CustomField]:
    by_entity = await stored_fields.by_entities(transaction, list(EntityType))
    return [row for rows in by_entity.values() for row in rows]
