"""Merging customers into one of them."""

from typing import Annotated, Any

import strawberry
from strawberry import Info

from crm.merging import merge
from crm.merging.merge import MAX_MERGED_CUSTOMERS, FieldChoice
from graph.change_log import FieldChange, visible_field_changes
from graph.customers.types import Customer
from graph.errors.user_errors import UserError, mutation
from graph.jobs.jobs import Job
from graph.types.enums import Permission


@strawberry.input(
    description="Whose value of a field stays. Else it is the survivor's, or the first of the others' who has one."
)
class MergeTake:
    field: str = strawberry.field(description="The key of a FieldInfo, such as realName or custom.size.")
    from_: strawberry.ID = strawberry.field(name="from", description="One of the customers who are merged.")


@strawberry.type(description="What became of a merge.")
class CustomerMergePayload:
    customer: Customer | None = strawberry.field(
        default=None, description="Who stayed, as it is now; in a dry run as it still is; null when refused."
    )
    changed: list[FieldChange] = strawberry.field(
        default_factory=list, description="What is different in the one who stayed, or in a dry run would be."
    )
    job: Job | None = strawberry.field(
        default=None, description="The job by which jobUndo brings everybody back; null in a dry run."
    )
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


def _payload(done: merge.MergeResult) -> Any:
    return CustomerMergePayload(customer=done.customer, changed=visible_field_changes(done.changed), job=done.job)


@strawberry.type
class Mutation:
    @mutation(
        Permission.CUSTOMER_MERGE,
        f"Make one customer of up to {MAX_MERGED_CUSTOMERS}. Tags, numbers, addresses, notes, interactions, orders and memberships of "
        "all come together; the strictest subscription, the closest relationship and a block stay; old ids lead to "
        "the one who stayed.",
        payload=CustomerMergePayload,
    )
    async def customer_merge(
        self,
        info: Info,
        into: Annotated[strawberry.ID, strawberry.argument(description="Who stays.")],
        from_: Annotated[
            list[strawberry.ID],
            strawberry.argument(name="from", description=f"Who goes; {MAX_MERGED_CUSTOMERS - 1} at most."),
        ],
        take: Annotated[
            list[MergeTake] | None, strawberry.argument(description="Whose value of which field stays.")
        ] = None,
        dry_run: Annotated[
            bool, strawberry.argument(description="Only tell what would be different; nothing is written.")
        ] = False,
    ) -> CustomerMergePayload:
        takes = [FieldChoice(one.field, one.from_) for one in take or ()]
        return await info.context.mutate(
            lambda unit: merge.merge_customers(unit, into, from_, takes, dry_run=dry_run), _payload
        )
