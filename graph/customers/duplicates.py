"""Who may be the same person: groups of them, and telling them apart."""

import base64
import binascii
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import strawberry
from strawberry import Info

from crm.merging import duplicates as rules
from db.paging.keyset import Page, PageRequest
from db.queries.customers import customers, duplicates
from db.queries.customers.duplicates import DuplicateKeyGroup
from graph.access.permissions import guarded
from graph.context import Context
from graph.engine.field_declarations import ParentRows, batched, column
from graph.errors.top_level import BadUserInput
from graph.errors.user_errors import UserError, mutation
from graph.types import ids
from graph.types.connections import AfterArgument, Connection, FirstArgument, page_request, single_list
from graph.types.enums import DuplicateKey, Permission
from graph.types.nodes import Node

if TYPE_CHECKING:
    from graph.customers.types import Customer

_CUSTOMER = strawberry.lazy("graph.customers.types")
_wire = ids.id_encoder("DuplicateGroup")


@strawberry.type(description="Another customer who may be the same person.")
class DuplicateMatch:
    on: list[DuplicateKey] = column("What the two share.")
    score: float = column(
        "How likely they are one person, from 0 to 1: an address alone .95, a number .9, a name .5; "
        "each that is shared takes its part of the doubt that the others leave."
    )

    @batched("The other customer.", parent_columns=("customer_id",))
    async def customer(parents: ParentRows, info: Info) -> list[Annotated["Customer", _CUSTOMER]]:
        return await info.context.load_one(customers.by_ids, parents, "customer_id", info.context.viewer.visibility)


@strawberry.type(description="Customers who share a number, an address or a name, and may be one person.")
class DuplicateGroup(Node):
    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return isinstance(value, DuplicateKeyGroup)

    id: strawberry.ID = column("The group's id; the same for as long as what they share is.", convert=_wire)

    @batched("All that every one of them shares.", parent_columns=("customer_ids",))
    async def on(parents: ParentRows, info: Info) -> list[list[DuplicateKey]]:
        return [list(keys) for keys in await _shared(info.context, parents)]

    @batched(
        "How likely they are one person, from 0 to 1, by what all of them share.", parent_columns=("customer_ids",)
    )
    async def score(parents: ParentRows, info: Info) -> list[float]:
        return [rules.score(keys) for keys in await _shared(info.context, parents)]

    @batched(f"The customers, oldest first; {duplicates.MAX_GROUP_MEMBERS} at most.", parent_columns=("customer_ids",))
    async def customers(parents: ParentRows, info: Info) -> list[list[Annotated["Customer", _CUSTOMER]]]:
        wanted = [one for group in parents for one in group.customer_ids]
        found = await info.context.load(customers.by_ids, wanted, info.context.viewer.visibility)
        return [[found[one] for one in group.customer_ids if found[one] is not None] for group in parents]


async def _shared(context: Context, groups: Sequence[DuplicateKeyGroup]) -> list[Sequence[DuplicateKey]]:
    found = await context.load(rules.keys_of, groups)
    return [found[group] or () for group in groups]


async def duplicate_matches(context: Context, parents: Sequence[Any]) -> list[list[Any]]:
    """The likeliest duplicates of each customer."""
    assert context.viewer is not None
    return await context.load_many(rules.find_matches, parents, "id", context.viewer.visibility)


# ── pages ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Groups(Page):
    """A page whose cursors are what its groups share."""

    def cursor(self, row: DuplicateKeyGroup) -> str:
        held = orjson.dumps([int(row.key), row.value])
        return base64.urlsafe_b64encode(held).rstrip(b"=").decode()


def _place(cursor: str | None) -> tuple[DuplicateKey, str] | None:
    if cursor is None:
        return None
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        key, value = orjson.loads(text)
        if not isinstance(value, str) or "\0" in value:
            raise TypeError
        return DuplicateKey(key), value
    except (binascii.Error, ValueError, TypeError):
        message = "`after` is no cursor of this list; take it from one of its pages."
        raise BadUserInput(message, reason="BAD_CURSOR", argument=["after"]) from None


def _listed(context: Context, keys: Sequence[DuplicateKey], place: PageRequest) -> Any:
    assert context.viewer is not None
    visibility, session, after = context.viewer.visibility, context.session, _place(place.after)

    async def page() -> Page:
        found = await duplicates.fetch_groups(session, keys, visibility, size=place.size + 1, after=after)
        more = len(found) > place.size
        return _Groups(found[: place.size], has_next=more, has_previous=after is not None)

    return single_list(page, lambda at_most: duplicates.count_groups(session, keys, visibility, at_most))


DuplicateKeysArgument = Annotated[
    list[DuplicateKey], strawberry.argument(description="What they share: numbers, addresses or names; any of these.")
]


@strawberry.type
class Query:
    @guarded(
        Permission.CUSTOMER_VIEW,
        "Groups of customers who may be one person, archived ones and those known to be different left out: by address "
        "first, then by number, then by name. Whoever stands together in one group is not listed again in a later one.",
    )
    async def duplicates(
        self,
        info: Info,
        on: DuplicateKeysArgument = [DuplicateKey.PHONE],  # noqa: B006 - it is only read.
        first: FirstArgument = None,
        after: AfterArgument = None,
    ) -> Connection[DuplicateGroup]:
        return _listed(info.context, on, page_request(first, after))


@strawberry.type(description="How many pairs are told apart.")
class DuplicateDismissPayload:
    dismissed: int = strawberry.field(default=0, description="How many pairs were not known to be different before.")
    errors: list[UserError] = strawberry.field(default_factory=list, description="Why nothing was done.")


@strawberry.type
class Mutation:
    @mutation(
        Permission.CUSTOMER_MERGE,
        "These are different people, each from each other: they are not suggested any more.",
        payload=DuplicateDismissPayload,
    )
    async def duplicate_dismiss(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID],
            strawberry.argument(description=f"The customers, 2 at least and {rules.MAX_DISMISSED_PAIRS} at most."),
        ],
    ) -> DuplicateDismissPayload:
        return await info.context.mutate(
            lambda unit: rules.dismiss_pair(unit, ids), lambda done: DuplicateDismissPayload(dismissed=done)
        )
