"""Tags."""

from typing import Annotated, TypeAlias

import strawberry
from strawberry import UNSET, Info

from crm.catalogue import tags as rules
from db import tables
from db.queries.catalogue import tags
from graph.access.permissions import guarded
from graph.engine.field_declarations import ParentRows, batched, column
from graph.errors.user_errors import UserError, mutation
from graph.filtering import customer_lists, list_arguments
from graph.types import ids
from graph.types.connections import AfterArgument, BeforeArgument, Connection, FirstArgument, LastArgument, page_request
from graph.types.enums import Permission, TagKind
from graph.types.inputs import input_data
from graph.types.nodes import Id, Node, is_row_of
from graph.types.scalars import DateTime


@strawberry.type(description="A label for customers.")
class Tag(Node):
    is_type_of = is_row_of(tables.Tag)

    id: strawberry.ID = column("Id of the tag.", convert=ids.id_encoder("Tag"))
    name: str = column("Name: 1 to 50 characters, unique within its kind, case-insensitive.")
    kind: TagKind = column("Origin of the tag.")
    color: str | None = column("Display colour.")
    description: str | None = column("Meaning of the tag, as text for people.")
    created_at: DateTime = column("Time of creation.")

    @batched("Number of customers with the tag, without archived customers.", parent_columns=("id",))
    async def customer_count(parents: ParentRows, info: Info) -> list[int]:
        return await info.context.load_counts(tags.customer_counts, parents, info.context.viewer.visibility)

    customers = customer_lists.customers_field(
        "Customers with the tag, without archived customers.", customer_lists.read_by_parent(tags.TAGS_AS_PARENTS)
    )


@strawberry.input(description="Reference to one tag: exactly one of the fields.", one_of=True)
class TagRef:
    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="Id of the record.")
    name: strawberry.Maybe[str] = strawberry.field(
        description=(
            "Name, case-insensitive. An unknown name creates the tag if the workspace and the viewer's "
            "permissions allow it."
        )
    )


@strawberry.type
class Query:
    @guarded(Permission.CUSTOMER_VIEW, "A tag by id; null if there is none.")
    async def tag(self, info: Info, id: Id) -> Tag | None:
        return await info.context.load_by_wire_id(tags.by_ids, "Tag", id)

    @guarded(Permission.CUSTOMER_VIEW, "Tags of the workspace.")
    async def tags(
        self,
        info: Info,
        filter: list_arguments.TagFilterArgument = UNSET,
        search: list_arguments.NameSearchArgument = None,
        sort: list_arguments.TagSortArgument = None,
        first: FirstArgument = None,
        after: AfterArgument = None,
        last: LastArgument = None,
        before: BeforeArgument = None,
    ) -> Connection[Tag]:
        place = page_request(first, after, last, before)
        return await list_arguments.record_list(info.context, "tags", place, filter=filter, search=search, sort=sort)


@strawberry.input(description="Values of a tag. Absent fields keep their value.")
class TagInput:
    name: strawberry.Maybe[str | None] = strawberry.field(
        description="Name: 1 to 50 characters, unique within its kind, case-insensitive; required on create."
    )
    kind: strawberry.Maybe[TagKind | None] = strawberry.field(
        description="Origin of the tag. Default: BUSINESS. It never changes."
    )
    color: strawberry.Maybe[str | None] = strawberry.field(description="Display colour.")
    description: strawberry.Maybe[str | None] = strawberry.field(description="Meaning of the tag, as text for people.")


@strawberry.type(description="Result of a tag mutation.")
class TagPayload:
    tag: Tag | None = strawberry.field(
        default=None,
        description="The record after the mutation, or as it was before its deletion; null if there are errors.",
    )
    affected_customers: int | None = strawberry.field(
        default=None, description="Number of customers that had the tag, after a deletion or merge."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Errors that prevented the change; empty on success."
    )


def _payload(done: rules.TagResult) -> TagPayload:
    return TagPayload(tag=done.tag, affected_customers=done.customers)


_Which: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="Which tag.")]
_Input: TypeAlias = Annotated[TagInput, strawberry.argument(description="Values of the tag.")]


@strawberry.type
class Mutation:
    @mutation(
        Permission.TAG_MANAGE, "Creates a tag. Requires TAG_MANAGE. Errors: BLANK, TOO_LONG, TAKEN.", payload=TagPayload
    )
    async def tag_create(self, info: Info, input: _Input) -> TagPayload:
        return await info.context.mutate(lambda unit: rules.create(unit, input_data(input)), _payload)

    @mutation(
        Permission.TAG_MANAGE,
        "Changes a tag; its customers keep it. A rename of a tag with more than 5 000 customers fails with "
        "LIMIT_EXCEEDED. Requires TAG_MANAGE. Errors: NOT_FOUND, CONFLICT, TAKEN, TOO_LONG.",
        payload=TagPayload,
    )
    async def tag_update(self, info: Info, id: _Which, input: _Input) -> TagPayload:
        return await info.context.mutate(lambda unit: rules.update(unit, id, input_data(input)), _payload)

    @mutation(
        Permission.TAG_MANAGE,
        "Removes a tag from every customer and deletes it. A tag with more than 5 000 customers fails with "
        "LIMIT_EXCEEDED: remove it with `customersUpdate` first. Requires TAG_MANAGE. Errors: NOT_FOUND, "
        "CONFLICT.",
        payload=TagPayload,
    )
    async def tag_delete(self, info: Info, id: _Which) -> TagPayload:
        return await info.context.mutate(lambda unit: rules.delete(unit, id), _payload)

    @mutation(
        Permission.TAG_MANAGE,
        "Merges tags of one kind into one of them. More than 5 000 affected customers fail with "
        "LIMIT_EXCEEDED. Requires TAG_MANAGE. Errors: NOT_FOUND, TAG_KIND_MISMATCH, INVALID.",
        payload=TagPayload,
    )
    async def tag_merge(
        self,
        info: Info,
        into: Annotated[strawberry.ID, strawberry.argument(description="Tag that remains.")],
        from_: Annotated[
            list[strawberry.ID], strawberry.argument(name="from", description="Tags to merge into it; at most 1 000.")
        ],
    ) -> TagPayload:
        return await info.context.mutate(lambda unit: rules.merge(unit, into, from_), _payload)
