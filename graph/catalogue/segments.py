"""Segments."""

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


@strawberry.type(description="A group of customers, determined by a stored filter or maintained by hand.")
class Segment(Record, Node):
    is_type_of = is_row_of(tables.Segment)

    id: strawberry.ID = column("Id of the segment.", convert=ids.id_encoder("Segment"))
    name: str = column("Its name.")
    kind: SegmentKind = column("How the members are determined.")
    description: str | None = column("Purpose, as text for people.")
    filter: FilterJSON | None = column("Stored filter of a dynamic segment; null for a static segment.")

    @batched("Number of members, without archived customers.", parent_columns=("id",))
    async def customer_count(parents: ParentRows, info: Info) -> list[int]:
        return await load_counts(await list_arguments.customers_by_segment(info.context, parents, PageRequest()), None)

    customers = customer_lists.customers_field(
        "Members, without archived customers.", list_arguments.customers_by_segment
    )

    @batched(
        (
            "Whether each customer is a member, in the order of `customers`; false for customers that the viewer "
            "cannot see."
        ),
        parent_columns=("id",),
    )
    async def contains(
        parents: ParentRows,
        info: Info,
        customers: Annotated[
            list[strawberry.ID], strawberry.argument(description=f"Ids of customers; at most {MAX_CONTAINS_IDS}.")
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
    @guarded(Permission.CUSTOMER_VIEW, "A segment by id; null if there is none.")
    async def segment(self, info: Info, id: Id) -> Segment | None:
        return await info.context.load_by_wire_id(segments.by_ids, "Segment", id)

    @guarded(Permission.CUSTOMER_VIEW, "Segments of the workspace.")
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


@strawberry.input(description="Values of a segment. Absent fields keep their value.")
class SegmentInput:
    name: strawberry.Maybe[str | None] = strawberry.field(description="Name; required on create.")
    kind: strawberry.Maybe[SegmentKind | None] = strawberry.field(
        description="How the members are determined. Default: DYNAMIC. It never changes."
    )
    description: strawberry.Maybe[str | None] = strawberry.field(description="Purpose, as text for people.")
    filter: strawberry.Maybe[CustomerFilter | None] = strawberry.field(
        description="Filter of the members; required for a DYNAMIC segment, not allowed for a STATIC segment."
    )


@strawberry.type(description="Result of a segment mutation.")
class SegmentPayload:
    segment: Segment | None = strawberry.field(
        default=None,
        description="The record after the mutation, or as it was before its deletion; null if there are errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Errors that prevented the change; empty on success."
    )


def _payload(done: Any) -> SegmentPayload:
    return SegmentPayload(segment=done)


_Which: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="Which segment.")]
_Input: TypeAlias = Annotated[SegmentInput, strawberry.argument(description="Values of the segment.")]


@strawberry.type
class Mutation:
    @mutation(
        Permission.SEGMENT_MANAGE,
        "Creates a segment. Requires SEGMENT_MANAGE. Errors: BLANK, TOO_LONG, TAKEN, INVALID, FIELD_UNKNOWN, "
        "SEGMENT_CYCLE, LIMIT_EXCEEDED.",
        payload=SegmentPayload,
    )
    async def segment_create(self, info: Info, input: _Input) -> SegmentPayload:
        return await info.context.mutate(lambda unit: rules.create(unit, input_data(input)), _payload)

    @mutation(
        Permission.SEGMENT_MANAGE,
        "Changes a segment. Requires SEGMENT_MANAGE. Errors: NOT_FOUND, CONFLICT, INVALID, FIELD_UNKNOWN, "
        "SEGMENT_CYCLE.",
        payload=SegmentPayload,
    )
    async def segment_update(
        self,
        info: Info,
        id: _Which,
        input: _Input,
        if_version: Annotated[
            int | None,
            strawberry.argument(
                description="Expected version. If the segment has another version, the mutation fails with CONFLICT."
            ),
        ] = None,
    ) -> SegmentPayload:
        return await info.context.mutate(
            lambda unit: rules.update(unit, id, input_data(input), if_version=if_version), _payload
        )

    @mutation(
        Permission.SEGMENT_MANAGE,
        "Deletes a segment; its customers stay. Fails with IN_USE while a view, rule or segment uses it. "
        "Requires SEGMENT_MANAGE. Errors: NOT_FOUND, CONFLICT.",
        payload=SegmentPayload,
    )
    async def segment_delete(self, info: Info, id: _Which) -> SegmentPayload:
        return await info.context.mutate(lambda unit: rules.delete(unit, id), _payload)
