"""Merging of customers."""

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
    description="Choice of a field's value. Default: the survivor's value, or the first value of the other customers."
)
class MergeTake:
    field: str = strawberry.field(description="Key of the field, such as realName or custom.size.")
    from_: strawberry.ID = strawberry.field(name="from", description="Id of the customer whose value wins.")


@strawberry.type(description="Result of a merge.")
class CustomerMergePayload:
    customer: Customer | None = strawberry.field(
        default=None, description="The survivor after the merge, or unchanged in a dry run; null if there are errors."
    )
    changed: list[FieldChange] = strawberry.field(
        default_factory=list, description="Changed fields of the survivor, or the changes that a dry run would make."
    )
    job: Job | None = strawberry.field(
        default=None, description="Job for `jobUndo`, which restores the merged customers; null in a dry run."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Errors that prevented the change; empty on success."
    )


def _payload(done: merge.MergeResult) -> Any:
    return CustomerMergePayload(customer=done.customer, changed=visible_field_changes(done.changed), job=done.job)


@strawberry.type
class Mutation:
    @mutation(
        Permission.CUSTOMER_MERGE,
        (
            f"Merges up to {MAX_MERGED_CUSTOMERS} customers into the survivor. Tags, phone numbers, e-mail "
            "addresses, notes, interactions, orders and segment memberships are combined. The strictest "
            "subscription status, the highest relationship status and a block win. Old ids keep resolving to the "
            "survivor. Preview: `dryRun`; undo: `jobUndo` of the returned job. Requires CUSTOMER_MERGE. Errors: "
            "NOT_FOUND, CUSTOMER_ARCHIVED, LIMIT_EXCEEDED, CONFLICT."
        ),
        payload=CustomerMergePayload,
    )
    async def customer_merge(
        self,
        info: Info,
        into: Annotated[strawberry.ID, strawberry.argument(description="Who stays.")],
        from_: Annotated[
            list[strawberry.ID],
            strawberry.argument(
                name="from", description=f"Customers to merge into the survivor; at most {MAX_MERGED_CUSTOMERS - 1}."
            ),
        ],
        take: Annotated[
            list[MergeTake] | None, strawberry.argument(description="Explicit choices of field values.")
        ] = None,
        dry_run: Annotated[
            bool, strawberry.argument(description="True reports the changes without writing anything.")
        ] = False,
    ) -> CustomerMergePayload:
        takes = [FieldChoice(one.field, one.from_) for one in take or ()]
        return await info.context.mutate(
            lambda unit: merge.merge_customers(unit, into, from_, takes, dry_run=dry_run), _payload
        )
