"""Segments: stored questions about customers, and lists kept by hand."""

from typing import Annotated, Any, TypeAlias

import strawberry
from strawberry import UNSET, Info

from crm.catalogue import segments as rules
from db import tables
from db.paging.keyset import PageRequest
from db.queries.catalogue import segments
from db.queries.customers.customers import survivor_ids
from graph.access.permissions import guarded
from graph.engine.field_declarations import ParentRows, batched, column
from graph.errors.top_level import BadUserInput
from graph.errors.user_errors import UserError, mutation
from graph.filtering import customer_lists, list_arguments
from graph.filtering.record_filters import CustomerFilter
from graph.types import ids
from graph.types.connections import (
    AfterArgument,
    BeforeArgument,
    Connection,
    FirstArgument,
    LastArgument,
    load_counts,
    page_request,
)
from graph.types.enums import Permission, SegmentKind
from graph.types.ids import decode_id
from graph.types.inputs import input_data
from graph.types.nodes import Id, Node, Record, is_row_of
from graph.types.scalars import FilterJSON

MAX_CONTAINS_IDS = 1_000


@strawberry.type(description="A group of customers: found by a stored filter, or kept by hand.")
class Segment(Record, Node):
    is_type_of = is_row_of(tables.Segment)

    id: strawberry.ID = column("The segment's id.", convert=ids.id_encoder("Segment"))
    name: str = column("Its name.")
    kind: SegmentKind = column("How its members are found.")
    description: str | None = column("What it is for.")
    filter: FilterJSON | None = column("The stored filter of a dynamic segment; null for a static one.")

    @batched("How many customers are in it, archived ones left out.", parent_columns=("id",))
    async def customer_count(parents: ParentRows, info: Info) -> list[int]:
        return await load_counts(await list_arguments.customers_by_segment(info.context, parents, PageRequest()), None)

    customers = customer_lists.customers_field(
        "The customers in it, archived ones left out.", list_arguments.customers_by_segment
    )

    @batched(
        "Whether each customer is in it, in the order given; false for ids that are not in sight.",
        parent_columns=("id",),
    )
    async def contains(
        parents: ParentRows,
        info: Info,
        customers: Annotated[
            list[strawberry.ID], strawberry.argument(description=f"The customers' ids, {MAX_CONTAINS_IDS} at most.")
        ],
    ) -> list[list[bool]]:
        if len(customers) > MAX_CONTAINS_IDS:
            message = f"At most {MAX_CONTAINS_IDS} ids, not {len(customers)}."
            raise BadUserInput(message, reason="LIMIT_EXCEEDED", limit=MAX_CONTAINS_IDS, argument=["customers"])
        named = [decode_id("Customer", one) for one in customers]
        stayed = await survivor_ids(info.context.session, [one for one in named if one])
        meant = [one and stayed.get(one, one) for one in named]
        held = await list_arguments.segment_memberships(
            info.context, [one for one in meant if one], [parent.id for parent in parents]
        )
        return [[one is not None and parent.id in held.get(one, ()) for one in meant] for parent in parents]


@strawberry.type
class Query:
    @guarded(Permission.CUSTOMER_VIEW, "A segment by its id; null when there is none.")
    async def segment(self, info: Info, id: Id) -> Segment | None:
        return await info.context.load_by_wire_id(segments.by_ids, "Segment", id)

    @guarded(Permission.CUSTOMER_VIEW, "The workspace's segments.")
    async def segments(
        self,
        info: Info,
        filter: list_arguments.SegmentFilterArgument = UNSET,
        search: list_arguments.NameSearchArgument = None,
        sort: list_arguments.SegmentSortArgument = None,
        first: FirstArgument = None,
        after: AfterArgument = None,
        last: LastArgument = None,
        before: BeforeArgument = None,
    ) -> Connection[Segment]:
        place = page_request(first, after, last, before)
        return await list_arguments.record_list(
            info.context, "segments", place, filter=filter, search=search, sort=sort
        )


@strawberry.input(description="What a segment is to be. What is left out stays as it is.")
class SegmentInput:
    name: strawberry.Maybe[str | None] = strawberry.field(description="Its name; needed on create.")
    kind: strawberry.Maybe[SegmentKind | None] = strawberry.field(
        description="How its members are found: DYNAMIC unless given. It never changes."
    )
    description: strawberry.Maybe[str | None] = strawberry.field(description="What it is for.")
    filter: strawberry.Maybe[CustomerFilter | None] = strawberry.field(
        description="Who is in it; a dynamic one has one, a static one has none."
    )


@strawberry.type(description="What became of a segment.")
class SegmentPayload:
    segment: Segment | None = strawberry.field(default=None, description="As it is now, or was; null when refused.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


def _payload(done: Any) -> SegmentPayload:
    return SegmentPayload(segment=done)


_Which: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="Which segment.")]
_Input: TypeAlias = Annotated[SegmentInput, strawberry.argument(description="What the segment is to be.")]


@strawberry.type
class Mutation:
    @mutation(Permission.SEGMENT_MANAGE, "Make a segment.", payload=SegmentPayload)
    async def segment_create(self, info: Info, input: _Input) -> SegmentPayload:
        return await info.context.mutate(lambda unit: rules.create(unit, input_data(input)), _payload)

    @mutation(Permission.SEGMENT_MANAGE, "Change a segment.", payload=SegmentPayload)
    async def segment_update(
        self,
        info: Info,
        id: _Which,
        input: _Input,
        if_version: Annotated[
            int | None, strawberry.argument(description="Only if the segment is still at this version.")
        ] = None,
    ) -> SegmentPayload:
        return await info.context.mutate(
            lambda unit: rules.update(unit, id, input_data(input), if_version=if_version), _payload
        )

    @mutation(
        Permission.SEGMENT_MANAGE, "Delete a segment that nothing uses; its customers stay.", payload=SegmentPayload
    )
    async def segment_delete(self, info: Info, id: _Which) -> SegmentPayload:
        return await info.context.mutate(lambda unit: rules.delete(unit, id), _payload)
