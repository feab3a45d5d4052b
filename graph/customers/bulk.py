"""Many customers at once: one target, one options, one answer."""

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


@strawberry.input(description="Customers found as a list finds them.")
class CustomerMatch:
    filter: Maybe[CustomerFilter | None] = strawberry.field(description="Only those of whom this holds.")
    search: Maybe[str | None] = strawberry.field(description="Only those in whom every word occurs.")
    search_fields: Maybe[list[CustomerSearchField] | None] = strawberry.field(
        description="What the search looks through: all unless given."
    )
    archived: ArchivedScope = strawberry.field(
        default=ArchivedScope.EXCLUDE, description="Whether archived customers are among them."
    )
    view: Maybe[strawberry.ID | None] = strawberry.field(
        description="Only those whom this saved view finds, in its order."
    )
    except_ids: Maybe[list[strawberry.ID] | None] = strawberry.field(description="Not these; 1 000 at most.")
    everyone: bool = strawberry.field(
        default=False, description="Say true where everybody is meant: a match that leaves nobody out is refused else."
    )
    expected_count: Maybe[int | None] = strawberry.field(
        description="How many the person saw; where there is another number, nothing is done."
    )


@strawberry.input(description="Which customers: those displayed, or all that a match finds.", one_of=True)
class CustomerTarget:
    ids: Maybe[list[strawberry.ID]] = strawberry.field(description="These, each once; 1 000 at most.")
    match: Maybe[CustomerMatch] = strawberry.field(description="All that are found, newest first.")


@strawberry.input(description="A customer to make or to change.")
class CustomerRow:
    by: Maybe[CustomerRef | None] = strawberry.field(description="Which customer; without it, a new one.")
    input: CustomerInput = strawberry.field(description="What the customer is to be.")


@strawberry.input(description="An interaction to record, and with whom.")
class InteractionRow:
    customer: CustomerRef = strawberry.field(description="With whom.")
    input: InteractionInput = strawberry.field(description="What happened.")


TargetArgument: TypeAlias = Annotated[CustomerTarget, strawberry.argument(description="Which customers.")]
OptionsArgument: TypeAlias = Annotated[BulkOptions | None, strawberry.argument(description="How it is to be done.")]
BulkInputArgument: TypeAlias = Annotated[CustomerInput, strawberry.argument(description="What each customer is to be.")]


def target_data(target: Any) -> Any:
    """As plain data; the scope by its name."""
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
    @mutation(Permission.CUSTOMER_UPDATE, "Change many customers alike.", payload=JobPayload)
    async def customers_update(
        self, info: Info, target: TargetArgument, input: BulkInputArgument, options: OptionsArgument = None
    ) -> JobPayload:
        return await info.context.mutate(
            lambda unit: requests.update_customers(unit, input_data(input), target_data(target), options_data(options)),
            job_payload,
        )

    @mutation(
        Permission.CUSTOMER_CREATE,
        "Make and change many customers, each with values of its own. Changing needs CUSTOMER_UPDATE.",
        payload=JobPayload,
    )
    async def customers_upsert(
        self,
        info: Info,
        rows: Annotated[list[CustomerRow], strawberry.argument(description="The customers: 1 000 at most.")],
        options: OptionsArgument = None,
    ) -> JobPayload:
        return await info.context.mutate(
            lambda unit: requests.upsert_customers(unit, input_data(rows), options_data(options)), job_payload
        )

    @mutation(Permission.CUSTOMER_ASSIGN, "Assign many customers evenly, by turns.", payload=JobPayload)
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
        "Take many customers from their owners: one's own with CUSTOMER_UPDATE, those of others with CUSTOMER_ASSIGN.",
        payload=JobPayload,
    )
    async def customers_release(
        self,
        info: Info,
        target: TargetArgument,
        to: Annotated[ReleaseStage, strawberry.argument(description="Where they go.")] = ReleaseStage.POOL,
        reason: Annotated[
            str | None, strawberry.argument(description="Why; it labels the job without a label.")
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
        "Take many customers from the pool, or one's own departments' queues, for oneself.",
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
        "Say whether many NEW customers are real: then they wait for an agent. Needs CUSTOMER_VIEW_ALL as well.",
        payload=JobPayload,
    )
    async def customers_verify(
        self,
        info: Info,
        target: TargetArgument,
        valid: Annotated[bool, strawberry.argument(description="Whether they are.")],
        options: OptionsArgument = None,
    ) -> JobPayload:
        return await info.context.mutate(
            lambda unit: requests.verify_customers(unit, valid, target_data(target), options_data(options)), job_payload
        )

    @mutation(Permission.CUSTOMER_ARCHIVE, "Put many customers away; they keep what they have.", payload=JobPayload)
    async def customers_archive(
        self, info: Info, target: TargetArgument, options: OptionsArgument = None
    ) -> JobPayload:
        return await _begin(info, JobKind.ARCHIVE, {}, target, options)

    @mutation(Permission.CUSTOMER_ARCHIVE, "Fetch many archived customers back.", payload=JobPayload)
    async def customers_unarchive(
        self, info: Info, target: TargetArgument, options: OptionsArgument = None
    ) -> JobPayload:
        return await _begin(info, JobKind.UNARCHIVE, {}, target, options)

    @mutation(Permission.CUSTOMER_BLOCK, "Block many customers, until a moment or for good.", payload=JobPayload)
    async def customers_block(
        self,
        info: Info,
        target: TargetArgument,
        reason: Annotated[str, strawberry.argument(description="Why.")],
        until: Annotated[DateTime | None, strawberry.argument(description="Until when; for good unless given.")] = None,
        options: OptionsArgument = None,
    ) -> JobPayload:
        end = None if not until else int(until)
        return await info.context.mutate(
            lambda unit: requests.block_customers(unit, reason, end, target_data(target), options_data(options)),
            job_payload,
        )

    @mutation(Permission.CUSTOMER_BLOCK, "End the blocks of many customers.", payload=JobPayload)
    async def customers_unblock(
        self, info: Info, target: TargetArgument, options: OptionsArgument = None
    ) -> JobPayload:
        return await _begin(info, JobKind.UNBLOCK, {}, target, options)

    @mutation(
        Permission.CUSTOMER_BULK_DELETE,
        "Delete many customers for ever: those whom the workspace's `bulkDelete` lets go.",
        payload=JobPayload,
    )
    async def customers_delete(self, info: Info, target: TargetArgument, options: OptionsArgument = None) -> JobPayload:
        return await _begin(info, JobKind.DELETE, {}, target, options)

    @mutation(Permission.INTERACTION_RECORD, "Record many interactions.", payload=JobPayload)
    async def interactions_record(
        self,
        info: Info,
        rows: Annotated[list[InteractionRow], strawberry.argument(description="The interactions: 1 000 at most.")],
        options: OptionsArgument = None,
    ) -> JobPayload:
        return await info.context.mutate(
            lambda unit: requests.record_interactions(unit, input_data(rows), options_data(options)), job_payload
        )

    @mutation(
        Permission.SEGMENT_MANAGE,
        "Put many customers into a STATIC segment, and take many out of it.",
        payload=JobPayload,
    )
    async def segment_members_change(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Which segment.")],
        add: Annotated[CustomerTarget | None, strawberry.argument(description="Who comes in.")] = None,
        remove: Annotated[CustomerTarget | None, strawberry.argument(description="Who goes out, afterwards.")] = None,
        options: OptionsArgument = None,
    ) -> JobPayload:
        coming, going = (target_data(one) if one else None for one in (add, remove))
        return await info.context.mutate(
            lambda unit: requests.change_segment_members(unit, str(id), coming, going, options_data(options)),
            job_payload,
        )
