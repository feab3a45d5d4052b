"""Bulk mutations: a target, options and a job."""

from typing import Annotated, Any, TypeAlias

import strawberry
from strawberry import Info, Maybe

from crm.bulk import requests
from db.tables.enums import JobKind
from graph.activities.activity_mutations import InteractionInput
from graph.assignment.assignment_inputs import AssigneesInput, ReleaseStage
from graph.customers.inputs import CustomerInput
from graph.customers.queries import CustomerRef
from graph.errors.user_errors import mutation
from graph.filtering.record_filters import CustomerFilter
from graph.filtering.sorts import CustomerSearchField
from graph.jobs.jobs import BulkOptions, JobPayload, job_payload, options_data
from graph.types.enums import ArchivedScope, Permission
from graph.types.inputs import input_data
from graph.types.scalars import DateTime


@strawberry.input(description="All customers that a query of the customer list finds. All conditions must match.")
class CustomerMatch:
    filter: Maybe[CustomerFilter | None] = strawberry.field(description="Only customers that match this filter.")
    search: Maybe[str | None] = strawberry.field(description="Only customers whose searched text contains every word.")
    search_fields: Maybe[list[CustomerSearchField] | None] = strawberry.field(
        description="Fields that the search covers. Default: all."
    )
    archived: ArchivedScope = strawberry.field(
        default=ArchivedScope.EXCLUDE, description="Whether archived customers are included. Default: EXCLUDE."
    )
    view: Maybe[strawberry.ID | None] = strawberry.field(description="Only customers of this saved view, in its order.")
    except_ids: Maybe[list[strawberry.ID] | None] = strawberry.field(
        description="Ids of customers to exclude; at most 1 000."
    )
    everyone: bool = strawberry.field(
        default=False,
        description="Must be true if the match selects all customers; otherwise it fails with UNBOUNDED_TARGET.",
    )
    expected_count: Maybe[int | None] = strawberry.field(
        description="Expected number of customers. A different number fails with COUNT_MISMATCH and changes nothing."
    )


@strawberry.input(description="Customers of a bulk mutation: exactly one of the fields.", one_of=True)
class CustomerTarget:
    ids: Maybe[list[strawberry.ID]] = strawberry.field(
        description="Ids of customers; duplicates count once. At most 1 000."
    )
    match: Maybe[CustomerMatch] = strawberry.field(description="All customers that the match finds, newest first.")


@strawberry.input(description="A customer to create or update.")
class CustomerRow:
    by: Maybe[CustomerRef | None] = strawberry.field(description="Customer to update; absent: a new customer.")
    input: CustomerInput = strawberry.field(description="Values of the customer.")


@strawberry.input(description="An interaction to record, with its customer.")
class InteractionRow:
    customer: CustomerRef = strawberry.field(description="With whom.")
    input: InteractionInput = strawberry.field(description="What happened.")


TargetArgument: TypeAlias = Annotated[CustomerTarget, strawberry.argument(description="Which customers.")]
OptionsArgument: TypeAlias = Annotated[BulkOptions | None, strawberry.argument(description="Options of the job.")]
BulkInputArgument: TypeAlias = Annotated[CustomerInput, strawberry.argument(description="Values for each customer.")]


def target_data(target: Any) -> Any:
    """The target as data for the rules, with the archive scope by name."""
    plain = input_data(target)
    if "match" in plain:
        match = plain["match"]
        match["archived"] = match["archived"].name
        if match.get("search_fields") is not None:
            match["search_fields"] = [one.name for one in match["search_fields"]]
    return plain


async def _begin(info: Info, kind: JobKind, arguments: Any, target: Any, options: Any) -> Any:
    wanted = options_data(options)
    return await info.context.mutate(
        lambda unit: requests.start_job(unit, kind, arguments, target_data(target), wanted), job_payload
    )


@strawberry.type
class Mutation:
    @mutation(
        Permission.CUSTOMER_UPDATE,
        "Applies the same changes to many customers. Up to 200 customers are done in the answer; more become "
        "a Job. Dry run: `options.dryRun`; undo: `jobUndo`. Requires CUSTOMER_UPDATE; tags, statuses and "
        "owner require their own permissions. Errors by row: NOT_FOUND, FORBIDDEN, CUSTOMER_ARCHIVED, "
        "CUSTOMER_BLOCKED, INVALID_TRANSITION, LIMIT_EXCEEDED.",
        payload=JobPayload,
    )
    async def customers_update(
        self, info: Info, target: TargetArgument, input: BulkInputArgument, options: OptionsArgument = None
    ) -> JobPayload:
        return await info.context.mutate(
            lambda unit: requests.update_customers(unit, input_data(input), target_data(target), options_data(options)),
            job_payload,
        )

    @mutation(
        Permission.CUSTOMER_CREATE,
        (
            "Creates or updates up to 1 000 customers with individual values. Up to 200 rows are done in the "
            "answer; more become a Job. Dry run: `options.dryRun`; undo: `jobUndo`. Requires CUSTOMER_CREATE; "
            "updates require CUSTOMER_UPDATE."
        ),
        payload=JobPayload,
    )
    async def customers_upsert(
        self,
        info: Info,
        rows: Annotated[list[CustomerRow], strawberry.argument(description="Rows; at most 1 000.")],
        options: OptionsArgument = None,
    ) -> JobPayload:
        return await info.context.mutate(
            lambda unit: requests.upsert_customers(unit, input_data(rows), options_data(options)), job_payload
        )

    @mutation(
        Permission.CUSTOMER_ASSIGN,
        "Assigns many customers evenly, round robin, in list order. Up to 200 customers are done in the "
        "answer; more become a Job. Dry run: `options.dryRun`; undo: `jobUndo`. Requires CUSTOMER_ASSIGN. "
        "Errors by row: CUSTOMER_BLOCKED, AGENT_AT_CAPACITY, INVALID_TRANSITION.",
        payload=JobPayload,
    )
    async def customers_assign(
        self,
        info: Info,
        target: TargetArgument,
        to: Annotated[AssigneesInput, strawberry.argument(description="Whom to.")],
        options: OptionsArgument = None,
    ) -> JobPayload:
        return await info.context.mutate(
            lambda unit: requests.assign_customers(unit, input_data(to), target_data(target), options_data(options)),
            job_payload,
        )

    @mutation(
        Permission.CUSTOMER_VIEW,
        (
            "Releases many customers from their owners. Own customers require CUSTOMER_UPDATE, those of other "
            "agents CUSTOMER_ASSIGN. Up to 200 customers are done in the answer; more become a Job. Dry run: "
            "`options.dryRun`; undo: `jobUndo`."
        ),
        payload=JobPayload,
    )
    async def customers_release(
        self,
        info: Info,
        target: TargetArgument,
        to: Annotated[ReleaseStage, strawberry.argument(description="Stage after the release.")] = ReleaseStage.POOL,
        reason: Annotated[
            str | None, strawberry.argument(description="Reason; it becomes the label of a job without a label.")
        ] = None,
        options: OptionsArgument = None,
    ) -> JobPayload:
        return await info.context.mutate(
            lambda unit: requests.release_customers(
                unit, int(to), reason or None, target_data(target), options_data(options)
            ),
            job_payload,
        )

    @mutation(
        Permission.CUSTOMER_CLAIM,
        (
            "Claims customers from the pool or from the queues of the viewer's departments. Of two agents who "
            "claim the same customer one succeeds. Up to 200 customers are done in the answer; more become a "
            "Job. Dry run: `options.dryRun`; undo: `jobUndo`. Requires CUSTOMER_CLAIM; API keys cannot claim. "
            "Errors by row: ALREADY_CLAIMED, CLAIM_LIMIT, CLAIM_COOLDOWN, AGENT_AT_CAPACITY."
        ),
        payload=JobPayload,
    )
    async def customers_claim(self, info: Info, target: TargetArgument, options: OptionsArgument = None) -> JobPayload:
        context, wanted = info.context, target_data(target)
        before = await requests.claimable_ids(context.session, context.viewer, wanted)
        return await context.mutate(
            lambda unit: requests.claim_customers(unit, before, wanted, options_data(options)), job_payload
        )

    @mutation(
        Permission.CUSTOMER_UPDATE,
        (
            "Verifies many NEW customers. Valid customers move to TO_BE_ASSIGNED; invalid customers stay NEW. Up "
            "to 200 customers are done in the answer; more become a Job. Dry run: `options.dryRun`; undo: "
            "`jobUndo`. Requires CUSTOMER_UPDATE and CUSTOMER_VIEW_ALL."
        ),
        payload=JobPayload,
    )
    async def customers_verify(
        self,
        info: Info,
        target: TargetArgument,
        valid: Annotated[bool, strawberry.argument(description="Whether the customers are valid.")],
        options: OptionsArgument = None,
    ) -> JobPayload:
        return await info.context.mutate(
            lambda unit: requests.verify_customers(unit, valid, target_data(target), options_data(options)), job_payload
        )

    @mutation(
        Permission.CUSTOMER_ARCHIVE,
        "Archives many customers; they keep all their data. Up to 200 customers are done in the answer; more "
        "become a Job. Dry run: `options.dryRun`; undo: `jobUndo`. Requires CUSTOMER_ARCHIVE.",
        payload=JobPayload,
    )
    async def customers_archive(
        self, info: Info, target: TargetArgument, options: OptionsArgument = None
    ) -> JobPayload:
        return await _begin(info, JobKind.ARCHIVE, {}, target, options)

    @mutation(
        Permission.CUSTOMER_ARCHIVE,
        "Unarchives many customers. Interactions recorded meanwhile take effect now. Up to 200 customers are "
        "done in the answer; more become a Job. Dry run: `options.dryRun`; undo: `jobUndo`. Requires "
        "CUSTOMER_ARCHIVE.",
        payload=JobPayload,
    )
    async def customers_unarchive(
        self, info: Info, target: TargetArgument, options: OptionsArgument = None
    ) -> JobPayload:
        return await _begin(info, JobKind.UNARCHIVE, {}, target, options)

    @mutation(
        Permission.CUSTOMER_BLOCK,
        "Blocks many customers until a time or without end. Up to 200 customers are done in the answer; more "
        "become a Job. Dry run: `options.dryRun`; undo: `jobUndo`. Requires CUSTOMER_BLOCK.",
        payload=JobPayload,
    )
    async def customers_block(
        self,
        info: Info,
        target: TargetArgument,
        reason: Annotated[str, strawberry.argument(description="Why.")],
        until: Annotated[DateTime | None, strawberry.argument(description="End of the block. Default: no end.")] = None,
        options: OptionsArgument = None,
    ) -> JobPayload:
        end = None if not until else int(until)
        return await info.context.mutate(
            lambda unit: requests.block_customers(unit, reason, end, target_data(target), options_data(options)),
            job_payload,
        )

    @mutation(
        Permission.CUSTOMER_BLOCK,
        "Unblocks many customers. Up to 200 customers are done in the answer; more become a Job. Dry run: "
        "`options.dryRun`; undo: `jobUndo`. Requires CUSTOMER_BLOCK.",
        payload=JobPayload,
    )
    async def customers_unblock(
        self, info: Info, target: TargetArgument, options: OptionsArgument = None
    ) -> JobPayload:
        return await _begin(info, JobKind.UNBLOCK, {}, target, options)

    @mutation(
        Permission.CUSTOMER_BULK_DELETE,
        (
            "Deletes many customers permanently, as far as `Workspace.bulkDelete` allows (else "
            "BULK_DELETE_NOT_ALLOWED by row). Up to 200 customers are done in the answer; more become a Job. Dry "
            "run: `options.dryRun`; there is no undo. Requires CUSTOMER_BULK_DELETE."
        ),
        payload=JobPayload,
    )
    async def customers_delete(self, info: Info, target: TargetArgument, options: OptionsArgument = None) -> JobPayload:
        return await _begin(info, JobKind.DELETE, {}, target, options)

    @mutation(
        Permission.INTERACTION_RECORD,
        "Records up to 1 000 interactions. Up to 200 rows are done in the answer; more become a Job. Dry "
        "run: `options.dryRun`; undo: `jobUndo`. Requires INTERACTION_RECORD.",
        payload=JobPayload,
    )
    async def interactions_record(
        self,
        info: Info,
        rows: Annotated[list[InteractionRow], strawberry.argument(description="Interactions; at most 1 000.")],
        options: OptionsArgument = None,
    ) -> JobPayload:
        return await info.context.mutate(
            lambda unit: requests.record_interactions(unit, input_data(rows), options_data(options)), job_payload
        )

    @mutation(
        Permission.SEGMENT_MANAGE,
        (
            "Adds customers to a STATIC segment and removes customers from it. Up to 200 customers are done in "
            "the answer; more become a Job. Dry run: `options.dryRun`; undo: `jobUndo`. Requires SEGMENT_MANAGE. "
            "Errors: NOT_FOUND, SEGMENT_IS_DYNAMIC, EMPTY_TARGET."
        ),
        payload=JobPayload,
    )
    async def segment_members_change(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Which segment.")],
        add: Annotated[CustomerTarget | None, strawberry.argument(description="Customers to add.")] = None,
        remove: Annotated[
            CustomerTarget | None, strawberry.argument(description="Customers to remove, after the additions.")
        ] = None,
        options: OptionsArgument = None,
    ) -> JobPayload:
        coming, going = (target_data(one) if one else None for one in (add, remove))
        return await info.context.mutate(
            lambda unit: requests.change_segment_members(unit, str(id), coming, going, options_data(options)),
            job_payload,
        )
