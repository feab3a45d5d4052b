"""Possible duplicates: groups and dismissal."""

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


@strawberry.type(description="Another customer that may be the same person.")
class DuplicateMatch:
    on: list[DuplicateKey] = column("Keys that both customers share.")
    score: float = column(
        "Probability that both are the same person, 0 to 1. A shared e-mail address alone gives 0.95, a "
        "phone number 0.9, a name 0.5; several keys combine."
    )

    @batched("The other customer.", parent_columns=("customer_id",))
    async def customer(parents: ParentRows, info: Info) -> list[Annotated["Customer", _CUSTOMER]]:
        return await info.context.load_one(customers.by_ids, parents, "customer_id", info.context.viewer.visibility)


@strawberry.type(
    description="Customers that share a phone number, an e-mail address or a name and may be the same person."
)
class DuplicateGroup(Node):
    @classmethod
    def is_type_of(cls, value: Any, info: Any) -> bool:
        return isinstance(value, DuplicateKeyGroup)

    id: strawberry.ID = column(
        "Id of the group. It stays the same while the customers share the same value.", convert=_wire
    )

    @batched("Keys that all customers of the group share.", parent_columns=("customer_ids",))
    async def on(parents: ParentRows, info: Info) -> list[list[DuplicateKey]]:
        return [list(keys) for keys in await _shared(info.context, parents)]

    @batched(
        "Probability that the customers are the same person, 0 to 1, by the keys that all of them share.",
        parent_columns=("customer_ids",),
    )
    async def score(parents: ParentRows, info: Info) -> list[float]:
        return [rules.score(keys) for keys in await _shared(info.context, parents)]

    @batched(
        f"Customers of the group, oldest first; at most {duplicates.MAX_GROUP_MEMBERS}.",
        parent_columns=("customer_ids",),
    )
    async def customers(parents: ParentRows, info: Info) -> list[list[Annotated["Customer", _CUSTOMER]]]:
        wanted = [one for group in parents for one in group.customer_ids]
        found = await info.context.load(customers.by_ids, wanted, info.context.viewer.visibility)
        return [[found[one] for one in group.customer_ids if found[one] is not None] for group in parents]


async def _shared(context: Context, groups: Sequence[DuplicateKeyGroup]) -> list[Sequence[DuplicateKey]]:
    found = await context.load(rules.keys_of, groups)
    return [found[group] or () for group in groups]


async def duplicate_matches(context: Context, parents: Sequence[Any]) -> list[list[Any]]:
    """The most likely duplicates of each customer."""
    assert context.viewer is not None
    return await context.load_many(rules.find_matches, parents, "id", context.viewer.visibility)


# ── pages ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Groups(Page):
    """A page whose cursors are the keys of its groups."""

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
        message = "`after` is not a cursor of this list; use a cursor from one of its pages."
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
    list[DuplicateKey], strawberry.argument(description="Keys to group by; any of these. Default: all.")
]


@strawberry.type
class Query:
    @guarded(
        Permission.CUSTOMER_VIEW,
        (
            "Groups of possible duplicates: first by e-mail address, then by phone number, then by name. "
            "Archived customers and dismissed pairs are excluded. Customers of one group are not listed together "
            "again in a later group."
        ),
    )
    async def duplicates(
        self,
        info: Info,
        on: DuplicateKeysArgument = [DuplicateKey.PHONE],  # noqa: B006 - it is only read.
        first: FirstArgument = None,
        after: AfterArgument = None,
    ) -> Connection[DuplicateGroup]:
        return _listed(info.context, on, page_request(first, after))


@strawberry.type(description="Number of dismissed pairs.")
class DuplicateDismissPayload:
    dismissed: int = strawberry.field(default=0, description="Number of pairs that were not dismissed before.")
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Errors that prevented the change; empty on success."
    )


@strawberry.type
class Mutation:
    @mutation(
        Permission.CUSTOMER_MERGE,
        (
            "Marks customers as different people, each from each other. They are no longer suggested as "
            "duplicates. Requires CUSTOMER_MERGE. Errors: NOT_FOUND, LIMIT_EXCEEDED."
        ),
        payload=DuplicateDismissPayload,
    )
    async def duplicate_dismiss(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID],
            strawberry.argument(description=f"Ids of customers: at least 2, at most {rules.MAX_DISMISSED_PAIRS}."),
        ],
    ) -> DuplicateDismissPayload:
        return await info.context.mutate(
            lambda unit: rules.dismiss_pair(unit, ids), lambda done: DuplicateDismissPayload(dismissed=done)
        )
