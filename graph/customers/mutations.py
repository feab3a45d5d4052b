"""Making, changing and deleting one customer."""

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
CustomerInputArgument: TypeAlias = Annotated[
    CustomerInput, strawberry.argument(description="What the customer is to be.")
]
IfVersionArgument: TypeAlias = Annotated[
    int | None, strawberry.argument(description="Only if the record is still at this version.")
]


@strawberry.type(description="What became of a customer.")
class CustomerPayload:
    customer: Customer | None = strawberry.field(default=None, description="As it is now; null when refused.")
    outcome: Outcome = strawberry.field(default=Outcome.FAILED, description="What was done.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


def _payload(done: records.CustomerResult) -> Any:
    customer: Any = done.customer
    return CustomerPayload(customer=customer, outcome=done.outcome)


@strawberry.type
class Mutation:
    @mutation(Permission.CUSTOMER_CREATE, "Make a customer.", payload=CustomerPayload)
    async def customer_create(self, info: Info, input: CustomerInputArgument) -> CustomerPayload:
        return await info.context.mutate(lambda unit: records.create(unit, input_data(input)), _payload)

    @mutation(Permission.CUSTOMER_UPDATE, "Change a customer.", payload=CustomerPayload)
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
        "Change the customer, or make one where there is none; it keeps the reference. Changing needs CUSTOMER_UPDATE.",
        payload=CustomerPayload,
    )
    async def customer_upsert(
        self, info: Info, by: CustomerReferenceArgument, input: CustomerInputArgument
    ) -> CustomerPayload:
        return await info.context.mutate(lambda unit: records.upsert(unit, input_data(by), input_data(input)), _payload)

    @mutation(
        Permission.CUSTOMER_DELETE,
        "Delete any one customer for ever, with notes, interactions and orders.",
        payload=CustomerPayload,
    )
    async def customer_delete(
        self, info: Info, by: CustomerReferenceArgument, if_version: IfVersionArgument = None
    ) -> CustomerPayload:
        return await info.context.mutate(
            lambda unit: records.delete(unit, input_data(by), if_version=if_version), _payload
        )
