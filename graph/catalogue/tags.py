"""Tags: labels that customers share."""

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


@strawberry.type(description="A label that customers share.")
class Tag(Node):
    is_type_of = is_row_of(tables.Tag)

    id: strawberry.ID = column("The tag's id.", convert=ids.id_encoder("Tag"))
    name: str = column("Its name, 1 to 50 characters; unique within its kind whatever the case.")
    kind: TagKind = column("Where it comes from.")
    color: str | None = column("The colour it is shown in.")
    description: str | None = column("What it means.")
    created_at: DateTime = column("When it was created.")

    @batched("How many customers wear it, archived ones left out.", parent_columns=("id",))
    async def customer_count(parents: ParentRows, info: Info) -> list[int]:
        return await info.context.load_counts(tags.customer_counts, parents, info.context.viewer.visibility)

    customers = customer_lists.customers_field(
        "The customers who wear it, archived ones left out.", customer_lists.read_by_parent(tags.TAGS_AS_PARENTS)
    )


@strawberry.input(description="Names one tag.", one_of=True)
class TagRef:
    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="By its id.")
    name: strawberry.Maybe[str] = strawberry.field(
        description="By its name, whatever the case; made when there is none, where that is allowed."
    )


@strawberry.type
class Query:
    @guarded(Permission.CUSTOMER_VIEW, "A tag by its id; null when there is none.")
    async def tag(self, info: Info, id: Id) -> Tag | None:
        return await info.context.load_by_wire_id(tags.by_ids, "Tag", id)

    @guarded(Permission.CUSTOMER_VIEW, "The catalogue of tags.")
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


@strawberry.input(description="What a tag is to be. What is left out stays as it is.")
class TagInput:
    name: strawberry.Maybe[str | None] = strawberry.field(
        description="1 to 50 characters; unique within its kind, whatever the case. Needed on create."
    )
    kind: strawberry.Maybe[TagKind | None] = strawberry.field(
        description="Where it comes from: BUSINESS unless given. It never changes."
    )
    color: strawberry.Maybe[str | None] = strawberry.field(description="The colour to show it in.")
    description: strawberry.Maybe[str | None] = strawberry.field(description="What it means.")


@strawberry.type(description="What became of a tag.")
class TagPayload:
    tag: Tag | None = strawberry.field(default=None, description="As it is now, or was; null when refused.")
    affected_customers: int | None = strawberry.field(
        default=None, description="How many customers wore it, where it was deleted or merged."
    )
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


def _payload(done: rules.TagResult) -> TagPayload:
    return TagPayload(tag=done.tag, affected_customers=done.customers)


_Which: TypeAlias = Annotated[strawberry.ID, strawberry.argument(description="Which tag.")]
_Input: TypeAlias = Annotated[TagInput, strawberry.argument(description="What the tag is to be.")]


@strawberry.type
class Mutation:
    @mutation(Permission.TAG_MANAGE, "Make a tag.", payload=TagPayload)
    async def tag_create(self, info: Info, input: _Input) -> TagPayload:
        return await info.context.mutate(lambda unit: rules.create(unit, input_data(input)), _payload)

    @mutation(Permission.TAG_MANAGE, "Rename or recolour a tag; its customers keep it.", payload=TagPayload)
    async def tag_update(self, info: Info, id: _Which, input: _Input) -> TagPayload:
        return await info.context.mutate(lambda unit: rules.update(unit, id, input_data(input)), _payload)

    @mutation(Permission.TAG_MANAGE, "Take a tag off every customer and delete it.", payload=TagPayload)
    async def tag_delete(self, info: Info, id: _Which) -> TagPayload:
        return await info.context.mutate(lambda unit: rules.delete(unit, id), _payload)

    @mutation(Permission.TAG_MANAGE, "Merge tags of one kind into one of them.", payload=TagPayload)
    async def tag_merge(
        self,
        info: Info,
        into: Annotated[strawberry.ID, strawberry.argument(description="The tag that stays.")],
        from_: Annotated[
            list[strawberry.ID], strawberry.argument(name="from", description="The tags that go; 1 000 at most.")
        ],
    ) -> TagPayload:
        return await info.context.mutate(lambda unit: rules.merge(unit, into, from_), _payload)
