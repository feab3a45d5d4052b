"""Adds what a workspace needs before its first generated customer: departments, agents, tags, custom fields,
companies."""

from collections.abc import Iterable

from sqlmodel import col, select

from crm.errors import ErrorCode, InputError
from crm.seeding import companies as employers
from crm.seeding import custom_fields, loader, team
from crm.seeding import tags as labels
from crm.seeding.plan import SeedPlan
from crm.seeding.random_source import RandomSource
from crm.seeding.rows import ChunkRows
from db import tables
from db.engine import Transaction
from db.queries import workspaces
from db.queries.catalogue import agents
from db.queries.catalogue import custom_fields as stored_fields
from db.statements import in_workspace
from db.statements import prepare as prepared
from db.tables.enums import EntityType
from db.values.time_units import MS_PER_DAY

_HISTORY_MS = 3 * 365 * MS_PER_DAY
_TAGS_STATEMENT = prepared(select(tables.Tag).where(in_workspace(tables.Tag)).order_by(col(tables.Tag.id)))


async def prepare_workspace(
    transaction: Transaction, *, directory: tables.Directory, customers: int, seed: int, until: int
) -> SeedPlan:
    """Adds the records and returns the plan for the customers. Existing tags and custom fields are reused.

    Raises InputError if the workspace already has this seed's customers, which its agents show, as agents cannot be
    deleted."""
    rows, since = ChunkRows(directory.workspace_id), until - _HISTORY_MS
    departments = team.add_departments(rows, RandomSource(f"{seed}/departments"), since)
    agents_by_country = team.add_agents(
        rows,
        RandomSource(f"{seed}/agents"),
        since,
        customers=customers,
        server_wide=f"team{seed}.{directory.id.hex()[-12:]}.example",
        departments=departments,
    )
    await _check_not_seeded(transaction, seed, rows)
    existing_tags = {(tag.kind, tag.unique_key): tag.id for tag in await transaction.fetch_all(_TAGS_STATEMENT)}
    tags = labels.add_tags(rows, RandomSource(f"{seed}/tags"), since, existing=existing_tags)
    added, field_ids = custom_fields.plan_custom_fields(
        rows, RandomSource(f"{seed}/fields"), since, existing=await _existing_fields(transaction)
    )
    companies = employers.add_companies(
        rows,
        RandomSource(f"{seed}/companies"),
        since,
        seed=seed,
        customers=customers,
        agents_by_country=agents_by_country,
        fields=field_ids[EntityType.COMPANY],
    )
    await transaction.insert(*added)
    await loader.copy_rows(transaction, rows)
    await loader.copy_changes(transaction, rows)
    settings = await workspaces.workspace_settings(transaction)
    return SeedPlan(
        workspace_id=directory.workspace_id,
        seed=seed,
        customers=customers,
        since=since,
        until=until,
        tags=tags,
        agents=agents_by_country,
        departments={country: ids for country, ids in departments.items() if country},
        companies=companies,
        field_ids=field_ids[EntityType.CUSTOMER],
        follow_up_stages=tuple(settings.follow_up_stages) if settings else (),
        sources=tuple(settings.sources) if settings else (),
    )


async def _check_not_seeded(transaction: Transaction, seed: int, rows: ChunkRows) -> None:
    ids = [record[1] for record in rows.rows_of(tables.Agent)]
    if await agents.by_ids(transaction, ids):
        message = f"This workspace already has the customers of seed {seed}; use another --seed to add more."
        raise InputError(ErrorCode.TAKEN, message, ("seed",))


async def _existing_fields(transaction: Transaction) -> Iterable[tables.CustomField]:
    by_entity = await stored_fields.by_entities(transaction, list(EntityType))
    return [row for rows in by_entity.values() for row in rows]
