"""Companies that customers belong to."""

from typing import Annotated, Any, TypeAlias, cast

import strawberry
from strawberry import UNSET, Info

from crm.catalogue import companies as rules
from db import tables
from db.queries.catalogue import agents, companies
from db.queries.customers import customers
from db.tables.enums import EntityType
from db.values.folding import fold
from graph.access.permissions import guarded
from graph.catalogue import custom_fields as fields
from graph.catalogue.agents import Agent, AgentRef
from graph.catalogue.custom_fields import CustomFieldValue, CustomFieldValueInput, FieldKeyArgument, FieldKeysArgument
from graph.engine.field_declarations import ParentRows, batched, column
from graph.errors.user_errors import UserError, mutation
from graph.filtering import customer_lists, list_arguments
from graph.types import addresses, ids
from graph.types.addresses import Address, AddressInput
from graph.types.connections import AfterArgument, BeforeArgument, Connection, FirstArgument, LastArgument, page_request
from graph.types.enums import Outcome, Permission
from graph.types.external_ids import ExternalId, ExternalIdInput
from graph.types.inputs import input_data
from graph.types.nodes import Node, Record, is_row_of


@strawberry.type(description="An organisation that customers belong to.")
class Company(Record, Node):
    is_type_of = is_row_of(tables.Company)

    id: strawberry.ID = column("The company's id.", convert=ids.id_encoder("Company"))
    name: str = column("Its name; several companies may share one.")
    domain: str | None = column("Its internet domain; unique in the workspace.")
    phone: str | None = column("Its number, in E.164.")

    @batched("Its ids in other systems.", parent_columns=("id",))
    async def external_ids(parents: ParentRows, info: Info) -> list[list[ExternalId]]:
        return await info.context.load_many(companies.external_ids, parents, "id")

    @batched("Where it is; null when nothing of it is known.", parent_columns=addresses.ADDRESS_COLUMNS)
    async def address(parents: ParentRows, info: Info) -> list[Address | None]:
        return addresses.address_of(parents)

    @batched("The agent who looks after it.", parent_columns=("owner_id",))
    async def owner(parents: ParentRows, info: Info) -> list[Agent | None]:
        return await info.context.load_one(agents.by_ids, parents, "owner_id")

    @batched("How many customers belong to it, archived ones left out.", parent_columns=("id",))
    async def customer_count(parents: ParentRows, info: Info) -> list[int]:
        return await info.context.load_counts(
            customers.customer_counts_by, parents, "company_id", info.context.viewer.visibility
        )

    @batched("One custom field, with its value.", parent_columns=("id",))
    async def custom_field(parents: ParentRows, info: Info, key: FieldKeyArgument) -> list[CustomFieldValue | None]:
        return [found[0] for found in await fields.custom_values_of(info.context, parents, EntityType.COMPANY, [key])]

    @batched("The active custom fields in order, each with its value.", parent_columns=("id",))
    async def custom_fields(
        parents: ParentRows, info: Info, keys: FieldKeysArgument = None
    ) -> list[list[CustomFieldValue]]:
        return await fields.custom_values_of(info.context, parents, EntityType.COMPANY, keys)

    customers = customer_lists.customers_field(
        "The customers who belong to it, archived ones left out.",
        customer_lists.read_by_parent(companies.COMPANIES_AS_PARENTS),
    )


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
            return await info.context.load_by_wire_id(companies.by_ids, "Company", by.id.value)
        if by.domain:
            return cast(Any, await companies.by_domain(info.context.session, fold(by.domain.value)))
        assert by.external_id is not None
        named = by.external_id.value
        return cast(Any, await companies.by_external_id(info.context.session, named.system, named.value))

    @guarded(Permission.CUSTOMER_VIEW, "The workspace's companies.")
    async def companies(
        self,
        info: Info,
        filter: list_arguments.CompanyFilterArgument = UNSET,
        search: list_arguments.NameSearchArgument = None,
        sort: list_arguments.CompanySortArgument = None,
        first: FirstArgument = None,
        after: AfterArgument = None,
        last: LastArgument = None,
        before: BeforeArgument = None,
    ) -> Connection[Company]:
        place = page_request(first, after, last, before)
        return await list_arguments.record_list(
            info.context, "companies", place, filter=filter, search=search, sort=sort
        )


@strawberry.input(description="What a company is to be. What is left out stays as it is; null clears it.")
class CompanyInput:
    external_ids: strawberry.Maybe[list[ExternalIdInput] | None] = strawberry.field(
        description=f"All ids in other systems; they replace the present ones. {rules.MAX_EXTERNAL_IDS_PER_COMPANY} at most."
    )
    name: strawberry.Maybe[str | None] = strawberry.field(description="Its name; needed on create.")
    domain: strawberry.Maybe[str | None] = strawberry.field(description="Its internet domain; unique.")
    phone: strawberry.Maybe[str | None] = strawberry.field(description="Its number.")
    address: strawberry.Maybe[AddressInput | None] = strawberry.field(description="Where it is.")
    owner: strawberry.Maybe[AgentRef | None] = strawberry.field(description="The agent who looks after it.")
    custom_fields: strawberry.Maybe[list[CustomFieldValueInput] | None] = strawberry.field(
        description="Values of custom fields; those not named stay. null clears all of them."
    )


@strawberry.type(description="What became of a company.")
class CompanyPayload:
    company: Company | None = strawberry.field(default=None, description="As it is now, or was; null when refused.")
    outcome: Outcome = strawberry.field(default=Outcome.FAILED, description="What was done.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


def _payload(done: rules.CompanyResult) -> CompanyPayload:
    return CompanyPayload(company=done.company, outcome=done.outcome)


_By: TypeAlias = Annotated[CompanyRef, strawberry.argument(description="Which company.")]
_Input: TypeAlias = Annotated[CompanyInput, strawberry.argument(description="What the company is to be.")]


@strawberry.type
class Mutation:
    @mutation(Permission.COMPANY_MANAGE, "Make a company.", payload=CompanyPayload)
    async def company_create(self, info: Info, input: _Input) -> CompanyPayload:
        return await info.context.mutate(lambda unit: rules.create(unit, input_data(input)), _payload)

    @mutation(Permission.COMPANY_MANAGE, "Change a company.", payload=CompanyPayload)
    async def company_update(
        self,
        info: Info,
        by: _By,
        input: _Input,
        if_version: Annotated[
            int | None, strawberry.argument(description="Only if the company is still at this version.")
        ] = None,
    ) -> CompanyPayload:
        return await info.context.mutate(
            lambda unit: rules.update(unit, input_data(by), input_data(input), if_version=if_version), _payload
        )

    @mutation(
        Permission.COMPANY_MANAGE,
        "Change the company, or make one where there is none; it keeps the reference.",
        payload=CompanyPayload,
    )
    async def company_upsert(self, info: Info, by: _By, input: _Input) -> CompanyPayload:
        return await info.context.mutate(lambda unit: rules.upsert(unit, input_data(by), input_data(input)), _payload)

    @mutation(Permission.COMPANY_MANAGE, "Delete a company.", payload=CompanyPayload)
    async def company_delete(
        self,
        info: Info,
        by: _By,
        detach_customers: Annotated[
            bool, strawberry.argument(description="Its customers stay without a company; else it must have none.")
        ] = False,
    ) -> CompanyPayload:
        return await info.context.mutate(
            lambda unit: rules.delete(unit, input_data(by), detach=detach_customers), _payload
        )
