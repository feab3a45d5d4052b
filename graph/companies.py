"""Companies that customers belong to."""

from typing import Annotated, Any, cast

import strawberry
from strawberry import Info

from db import tables
from db.folding import fold
from db.queries import agents, companies, customers
from db.tables.enums import EntityType
from graph import fields, ids
from graph.agents import Agent
from graph.engine.fields import Rows, batched, column
from graph.enums import Permission
from graph.fields import CustomFieldValue, Key, Keys
from graph.nodes import Node, Record, read_from
from graph.paging import After, Before, Connection, First, Last, alone, window
from graph.permissions import guarded
from graph.values import Address, ExternalId, ExternalIdInput, addresses


@strawberry.type(description="An organisation that customers belong to.")
class Company(Record, Node):
    is_type_of = read_from(tables.Company)

    id: strawberry.ID = column("The company's id.", convert=ids.wire("Company"))
    name: str = column("Its name; several companies may share one.")
    domain: str | None = column("Its internet domain; unique in the workspace.")
    phone: str | None = column("Its number, in E.164.")

    @batched("Its ids in other systems.", needs=("id",))
    async def external_ids(parents: Rows, info: Info) -> list[list[ExternalId]]:
        return await info.context.many(companies.external_ids, parents, "id")

    @batched("Where it is; null when nothing of it is known.", needs=addresses.COLUMNS)
    async def address(parents: Rows, info: Info) -> list[Address | None]:
        return addresses.of(parents)

    @batched("The agent who looks after it.", needs=("owner_id",))
    async def owner(parents: Rows, info: Info) -> list[Agent | None]:
        return await info.context.one(agents.by_ids, parents, "owner_id")

    @batched("How many customers belong to it, archived ones left out.", needs=("id",))
    async def customer_count(parents: Rows, info: Info) -> list[int]:
        return await info.context.counts(customers.counts_by, parents, "company_id", info.context.viewer.sight)

    @batched("One custom field, with its value.", needs=("id",))
    async def custom_field(parents: Rows, info: Info, key: Key) -> list[CustomFieldValue | None]:
        return [found[0] for found in await fields.valued(info.context, parents, EntityType.COMPANY, [key])]

    @batched("The active custom fields in order, each with its value.", needs=("id",))
    async def custom_fields(parents: Rows, info: Info, keys: Keys = None) -> list[list[CustomFieldValue]]:
        return await fields.valued(info.context, parents, EntityType.COMPANY, keys)


@strawberry.input(description="Names one company.", one_of=True)
class CompanyRef:
    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="By its id.")
    external_id: strawberry.Maybe[ExternalIdInput] = strawberry.field(description="By its id in another system.")
    domain: strawberry.Maybe[str] = strawberry.field(description="By its domain, whatever the case.")


@strawberry.type
class Query:
    @guarded(Permission.CUSTOMER_VIEW, "One company; null when there is none.")
    async def company(
        self, info: Info, by: Annotated[CompanyRef, strawberry.argument(description="Which one.")]
    ) -> Company | None:
        if by.id:
            return await info.context.found(companies.by_ids, "Company", by.id.value)
        if by.domain:
            return cast(Any, await companies.by_domain(info.context.reading, fold(by.domain.value)))
        assert by.external_id is not None
        named = by.external_id.value
        return cast(Any, await companies.by_external_id(info.context.reading, named.system, named.value))

    @guarded(Permission.CUSTOMER_VIEW, "The workspace's companies, newest first.")
    async def companies(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Company]:
        page = await companies.page(info.context.reading, window(first, after, last, before))
        return alone(page, lambda at_most: companies.count(info.context.reading))
