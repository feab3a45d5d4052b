"""Mutations of one customer."""

from typing import Annotated, Any, TypeAlias

import strawberry
from strawberry import Info

from crm.customers import records
from graph.customers.inputs import CustomerInput
from graph.customers.queries import CustomerRef
from graph.customers.types import Customer
from graph.errors.user_errors import UserError, mutation
from graph.types.enums import Outcome, Permission
from graph.types.inputs import input_data

CustomerReferenceArgument: TypeAlias = Annotated[CustomerRef, strawberry.argument(description="Which customer.")]
CustomerInputArgument: TypeAlias = Annotated[CustomerInput, strawberry.argument(description="Values of the customer.")]
IfVersionArgument: TypeAlias = Annotated[
    int | None,
    strawberry.argument(
        description="Expected version. If the record has another version, the mutation fails with CONFLICT."
    ),
]


@strawberry.type(description="Result of a customer mutation.")
class CustomerPayload:
    customer: Customer | None = strawberry.field(
        default=None, description="The record after the mutation; null if there are errors."
    )
    outcome: Outcome = strawberry.field(default=Outcome.FAILED, description="What the mutation did.")
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Errors that prevented the change; empty on success."
    )


def _payload(done: records.CustomerResult) -> Any:
    customer: Any = done.customer
    return CustomerPayload(customer=customer, outcome=done.outcome)


@strawberry.type
class Mutation:
    @mutation(
        Permission.CUSTOMER_CREATE,
        "Creates a customer. Requires CUSTOMER_CREATE; tags, statuses and owner require their own "
        "permissions. Errors: BLANK, INVALID, TOO_LONG, TAKEN, LIMIT_EXCEEDED, NOT_FOUND, FORBIDDEN.",
        payload=CustomerPayload,
    )
    async def customer_create(self, info: Info, input: CustomerInputArgument) -> CustomerPayload:
        return await info.context.mutate(lambda unit: records.create(unit, input_data(input)), _payload)

    @mutation(
        Permission.CUSTOMER_UPDATE,
        "Changes a customer. Requires CUSTOMER_UPDATE; tags, statuses and owner require their own "
        "permissions. Errors: NOT_FOUND, FORBIDDEN, CONFLICT, CUSTOMER_ARCHIVED, CUSTOMER_BLOCKED, "
        "INVALID_TRANSITION, LIMIT_EXCEEDED, TAKEN.",
        payload=CustomerPayload,
    )
    async def customer_update(
        self,
        info: Info,
        by: CustomerReferenceArgument,
        input: CustomerInputArgument,
        if_version: IfVersionArgument = None,
    ) -> CustomerPayload:
        return await info.context.mutate(
            lambda unit: records.update(unit, input_data(by), input_data(input), if_version=if_version), _payload
        )

    @mutation(
        Permission.CUSTOMER_CREATE,
        (
            "Updates the customer, or creates it with the reference as its value. Requires CUSTOMER_CREATE; an "
            "update requires CUSTOMER_UPDATE. Errors as for `customerCreate` and `customerUpdate`."
        ),
        payload=CustomerPayload,
    )
    async def customer_upsert(
        self, info: Info, by: CustomerReferenceArgument, input: CustomerInputArgument
    ) -> CustomerPayload:
        return await info.context.mutate(lambda unit: records.upsert(unit, input_data(by), input_data(input)), _payload)

    @mutation(
        Permission.CUSTOMER_DELETE,
        (
            "Deletes one customer permanently, with notes, interactions and orders. There is no undo. Requires "
            "CUSTOMER_DELETE. Errors: NOT_FOUND, FORBIDDEN, CONFLICT."
        ),
        payload=CustomerPayload,
    )
    async def customer_delete(
        self, info: Info, by: CustomerReferenceArgument, if_version: IfVersionArgument = None
    ) -> CustomerPayload:
        return await info.context.mutate(
            lambda unit: records.delete(unit, input_data(by), if_version=if_version), _payload
        )
