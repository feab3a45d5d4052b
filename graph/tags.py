"""Tags: labels that customers share."""

import strawberry
from strawberry import Info

from db import tables
from db.queries import tags
from graph import ids
from graph.engine.fields import Rows, batched, column
from graph.enums import Permission, TagKind
from graph.nodes import Id, Node, read_from
from graph.paging import After, Before, Connection, First, Last, alone, window
from graph.permissions import guarded
from graph.scalars import DateTime


@strawberry.type(description="A label that customers share.")
class Tag(Node):
    is_type_of = read_from(tables.Tag)

    id: strawberry.ID = column("The tag's id.", convert=ids.wire("Tag"))
    name: str = column("Its name, 1 to 50 characters; unique within its kind whatever the case.")
    kind: TagKind = column("Where it comes from.")
    color: str | None = column("The colour it is shown in.")
    description: str | None = column("What it means.")
    created_at: DateTime = column("When it was created.")

    @batched("How many customers wear it, archived ones left out.", needs=("id",))
    async def customer_count(parents: Rows, info: Info) -> list[int]:
        return await info.context.counts(tags.customer_counts, parents, info.context.viewer.sight)


@strawberry.type
class Query:
    @guarded(Permission.CUSTOMER_VIEW, "A tag by its id; null when there is none.")
    async def tag(self, info: Info, id: Id) -> Tag | None:
        return await info.context.found(tags.by_ids, "Tag", id)

    @guarded(Permission.CUSTOMER_VIEW, "The catalogue of tags, newest first.")
    async def tags(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Tag]:
        page = await tags.page(info.context.reading, window(first, after, last, before))
        return alone(page, lambda at_most: tags.count(info.context.reading))
