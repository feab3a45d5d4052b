"""Companies that customers belong to."""

from typing import Annotated, Any, TypeAlias, cast

import strawberry
from strawberry import UNSET, Info

from crm.catalogue import companies as rules
from crm.values.addresses import ADDRESS_COLUMNS
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

    id: strawberry.ID = column("Id of the company.", convert=ids.id_encoder("Company"))
    name: str = column("Name; it need not be unique.")
    domain: str | None = column("Internet domain; unique in the workspace.")
    phone: str | None = column("Phone number in E.164 format.")

    @batched("Ids in other systems.", parent_columns=("id",))
    async def external_ids(parents: ParentRows, info: Info) -> list[list[ExternalId]]:
        return await info.context.load_many(companies.external_ids, parents, "id")

    @batched("Postal address; null if no part is known.", parent_columns=ADDRESS_COLUMNS)
    async def address(parents: ParentRows, info: Info) -> list[Address | None]:
        return addresses.address_of(parents)

    @batched("Agent who is responsible for the company.", parent_columns=("owner_id",))
    async def owner(parents: ParentRows, info: Info) -> list[Agent | None]:
        return await info.context.load_one(agents.by_ids, parents, "owner_id")

    @batched("Number of customers of the record, without archived customers.", parent_columns=("id",))
    async def customer_count(parents: ParentRows, info: Info) -> list[int]:
        return await info.context.load_counts(
            customers.customer_counts_by, parents, "company_id", info.context.viewer.visibility
        )

    @batched("One custom field with its value.", parent_columns=("id",))
    async def custom_field(parents: ParentRows, info: Info, key: FieldKeyArgument) -> list[CustomFieldValue | None]:
        return [found[0] for found in await fields.custom_values_of(info.context, parents, EntityType.COMPANY, [key])]

    @batched("Active custom fields in order, each with its value.", parent_columns=("id",))
    async def custom_fields(
        parents: ParentRows, info: Info, keys: FieldKeysArgument = None
    ) -> list[list[CustomFieldValue]]:
        return await fields.custom_values_of(info.context, parents, EntityType.COMPANY, keys)

    customers = customer_lists.customers_field(
        "Customers of the company, without archived customers.",
        customer_lists.read_by_parent(companies.COMPANIES_AS_PARENTS),
    )


@strawberry.input(description="Reference to one company: exactly one of the fields.", one_of=True)
class CompanyRef:
    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="Id of the record.")
    external_id: strawberry.Maybe[ExternalIdInput] = strawberry.field(description="Id in another system.")
    domain: strawberry.Maybe[str] = strawberry.field(description="Internet domain, case-insensitive.")


@strawberry.type
class Query:
    @guarded(Permission.CUSTOMER_VIEW, "One company; null if there is none.")
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

    @guarded(Permission.CUSTOMER_VIEW, "Companies of the workspace.")
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


@strawberry.input(description="Values of a company. Absent fields keep their value; null clears a value.")
class CompanyInput:
    external_ids: strawberry.Maybe[list[ExternalIdInput] | None] = strawberry.field(
        description=(
            f"All ids in other systems; they replace the current list. At most {rules.MAX_EXTERNAL_IDS_PER_COMPANY}."
        )
    )
    name: strawberry.Maybe[str | None] = strawberry.field(description="Name; required on create.")
    domain: strawberry.Maybe[str | None] = strawberry.field(description="Internet domain; unique in the workspace.")
    phone: strawberry.Maybe[str | None] = strawberry.field(description="Its number.")
    address: strawberry.Maybe[AddressInput | None] = strawberry.field(description="Postal address.")
    owner: strawberry.Maybe[AgentRef | None] = strawberry.field(description="Agent who is responsible for the company.")
    custom_fields: strawberry.Maybe[list[CustomFieldValueInput] | None] = strawberry.field(
        description="Values of custom fields. Fields that are not listed keep their value; null clears all fields."
    )


@strawberry.type(description="Result of a company mutation.")
class CompanyPayload:
    company: Company | None = strawberry.field(
        default=None,
        description="The record after the mutation, or as it was before its deletion; null if there are errors.",
    )
    outcome: Outcome = strawberry.field(default=Outcome.FAILED, description="What the mutation did.")
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Errors that prevented the change; empty on success."
    )


def _payload(done: rules.CompanyResult) -> CompanyPayload:
    return CompanyPayload(company=done.company, outcome=done.outcome)


_By: TypeAlias = Annotated[CompanyRef, strawberry.argument(description="Which company.")]
_Input: TypeAlias = Annotated[CompanyInput, strawberry.argument(description="Values of the company.")]


@strawberry.type
class Mutation:
    @mutation(
        Permission.COMPANY_MANAGE,
        "Creates a company. Requires COMPANY_MANAGE. Errors: BLANK, TOO_LONG, INVALID, TAKEN, NOT_FOUND.",
        payload=CompanyPayload,
    )
    async def company_create(self, info: Info, input: _Input) -> CompanyPayload:
        return await info.context.mutate(lambda unit: rules.create(unit, input_data(input)), _payload)

    @mutation(
        Permission.COMPANY_MANAGE,
        "Changes a company. Requires COMPANY_MANAGE. Errors: NOT_FOUND, CONFLICT, INVALID, TAKEN.",
        payload=CompanyPayload,
    )
    async def company_update(
        self,
        info: Info,
        by: _By,
        input: _Input,
        if_version: Annotated[
            int | None,
            strawberry.argument(
                description="Expected version. If the company has another version, the mutation fails with CONFLICT."
            ),
        ] = None,
    ) -> CompanyPayload:
        return await info.context.mutate(
            lambda unit: rules.update(unit, input_data(by), input_data(input), if_version=if_version), _payload
        )

    @mutation(
        Permission.COMPANY_MANAGE,
        (
            "Updates the company, or creates it with the reference as its value. Requires COMPANY_MANAGE. "
            "Errors: INVALID, TAKEN, BLANK."
        ),
        payload=CompanyPayload,
    )
    async def company_upsert(self, info: Info, by: _By, input: _Input) -> CompanyPayload:
        return await info.context.mutate(lambda unit: rules.upsert(unit, input_data(by), input_data(input)), _payload)

    @mutation(
        Permission.COMPANY_MANAGE,
        "Deletes a company. A company with customers is deleted only with `detachCustomers` (else "
        "COMPANY_HAS_CUSTOMERS). Requires COMPANY_MANAGE. Errors: NOT_FOUND, CONFLICT, LIMIT_EXCEEDED.",
        payload=CompanyPayload,
    )
    async def company_delete(
        self,
        info: Info,
        by: _By,
        detach_customers: Annotated[
            bool,
            strawberry.argument(
                description="True detaches the company's customers. False: the company must have no customers."
            ),
        ] = False,
    ) -> CompanyPayload:
        return await info.context.mutate(
            lambda unit: rules.delete(unit, input_data(by), detach=detach_customers), _payload
        )
