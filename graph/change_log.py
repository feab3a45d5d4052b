"""The change log: the feed of the workspace and the timeline of a customer."""

import base64
import binascii
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import Info, Maybe
from strawberry.scalars import JSON

from db import tables
from db.queries import change_log, jobs
from db.queries.customers import timelines as history
from db.queries.matching.matches import CustomerMatch, CustomerQuery
from graph import lookup
from graph.access.actors import Actor, load_actors
from graph.access.permissions import guarded
from graph.activities.activity_types import Interaction, Note, Order
from graph.context import Context
from graph.engine.field_declarations import ParentRows, batched, column
from graph.errors.top_level import BadUserInput
from graph.filtering import list_arguments
from graph.filtering.record_filters import CustomerFilter
from graph.types import ids
from graph.types.connections import AfterArgument, FirstArgument, PageInfo, read_page_size
from graph.types.enums import ChangeAction, Permission
from graph.types.nodes import Node, is_row_of
from graph.types.scalars import DateTime

if TYPE_CHECKING:
    from graph.jobs.jobs import Job

# A cursor of the feed is the number of a change. A cursor of a timeline is the time and the id of an entry.
_NUMBER = struct.Struct(">q")
_PLACE = struct.Struct(">q16s")

# Number of changes that one page examines. A viewer who can see few of them continues from its end.
_SCANNED = 5_000
_AT_ONCE = 500


def _id(seq: int) -> str:
    return ids.id_encoder("Change")(change_log.change_id(seq))


@strawberry.type(description="Change of one field.")
class FieldChange:
    field: str = column("Key of the field, such as realName, address.city or custom.<key>.")
    before: JSON | None = column("Value before the change, in output form; null if it was empty.")
    after: JSON | None = column("Value after the change, in output form; null if it is empty.")


@dataclass(frozen=True, slots=True)
class _Field:
    field: str
    before: Any
    after: Any


def visible_field_changes(told: Sequence[Mapping[str, Any]]) -> list[Any]:
    """The changed fields as clients see them."""
    return [_Field(one["field"], one["before"], one["after"]) for one in told]


@strawberry.type(description="The effect of one transaction on one record.")
class Change(Node):
    is_type_of = is_row_of(tables.Change)

    id: strawberry.ID = column("Id of the change.", column_name="seq", convert=_id)
    cursor: str = column(
        "Cursor in the feed, for the argument `after`.", column_name="seq", convert=lambda seq: _cursor(seq)
    )
    at: DateTime = column("When.")
    action: ChangeAction = column("What the mutation did.")
    entity: str = column("Type of the record.")
    version: int = column("Version of the record after the change; 1 for records without versions.")
    request_id: str | None = column("Id of the request that made the change; null if there was none.")

    @batched("Id of the record.", parent_columns=("entity", "node_id"))
    async def node_id(parents: ParentRows, info: Info) -> list[strawberry.ID]:
        return [strawberry.ID(ids.id_encoder(row.entity)(row.node_id)) for row in parents]

    @batched(
        "The record in its current state; null if it was deleted or the viewer cannot see it.",
        parent_columns=("entity", "node_id"),
    )
    async def node(parents: ParentRows, info: Info) -> list[Node | None]:
        return await lookup.load_nodes(info.context, [ids.id_encoder(row.entity)(row.node_id) for row in parents])

    @batched("Changed fields.", parent_columns=("fields",))
    async def fields(parents: ParentRows, info: Info) -> list[list[FieldChange]]:
        return [visible_field_changes(row.fields) for row in parents]

    @batched(
        "Job that made the change; null if there was none or it belongs to another agent.", parent_columns=("job_id",)
    )
    async def job(parents: ParentRows, info: Info) -> list[Annotated["Job", strawberry.lazy("graph.jobs.jobs")] | None]:
        viewer = info.context.viewer
        everybodys = viewer.has_permission(Permission.SETTINGS_MANAGE)
        return await info.context.load_one(
            jobs.by_ids, parents, "job_id", everybodys, viewer.actor_kind, viewer.actor_id
        )

    @batched("Originator of the change.", parent_columns=("actor_kind", "actor_id"))
    async def actor(parents: ParentRows, info: Info) -> list[Actor]:
        return await load_actors(info.context, parents, "actor")


@strawberry.type(description="A change with its cursor.")
class ChangeEdge:
    cursor: str = column("Cursor of the change, for the argument `after`.")
    node: Change = column("The change.")


@strawberry.type(
    description="A page of the feed. Pass `endCursor` as `after` to continue: no change is skipped or repeated."
)
class ChangeConnection:
    edges: list[ChangeEdge] = column("Changes with their cursors, oldest first.")
    nodes: list[Change] = column("Changes, oldest first.")
    page_info: PageInfo = column("Position of the page. An empty page returns the cursor from `after` as `endCursor`.")


@strawberry.input(description="Conditions on changes. All conditions must match.")
class ChangeFilter:
    entities: Maybe[list[str]] = strawberry.field(description="Types of records, such as Customer, Note or Tag.")
    actions: Maybe[list[ChangeAction]] = strawberry.field(description="Actions.")
    nodes: Maybe[list[strawberry.ID]] = strawberry.field(description="Ids of records.")
    fields: Maybe[list[str]] = strawberry.field(description="Changes of at least one of these fields.")
    since: Maybe[DateTime] = strawberry.field(description="Changes at this time or later.")
    customer: Maybe[CustomerFilter] = strawberry.field(
        description=(
            "Changes of customers that match this filter now, including archived customers, and of their notes, "
            "interactions and orders."
        )
    )
    exclude_own: bool = strawberry.field(default=False, description="True excludes the viewer's own changes.")


TimelineEntry = Annotated[
    Change | Note | Interaction | Order,
    strawberry.union("TimelineEntry", description="An entry of a customer's timeline."),
]


@strawberry.type(description="A timeline entry with its cursor.")
class TimelineEdge:
    cursor: str = column("Cursor of the entry, for the argument `after`.")
    node: TimelineEntry = column("The entry.")


@strawberry.type(description="A page of a customer's timeline.")
class TimelineConnection:
    edges: list[TimelineEdge] = column("Entries with their cursors, newest first.")
    nodes: list[TimelineEntry] = column("Entries, newest first.")
    page_info: PageInfo = column("Position of the page.")


# ── the feed ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@strawberry.type
class Query:
    @guarded(
        Permission.CUSTOMER_VIEW,
        "The change log of the workspace, oldest first: every change exactly once, in commit order.",
    )
    async def changes(
        self,
        info: Info,
        filter: Annotated[ChangeFilter | None, strawberry.argument(description="Which changes.")] = None,
        first: FirstArgument = None,
        after: AfterArgument = None,
    ) -> ChangeConnection:
        start = _held(after, _NUMBER)
        rows, end, more = await _read(info.context, filter, start[0] if start else 0, read_page_size(first))
        part: Any = _Part(rows, lambda row: _cursor(row.seq), more, after, _cursor(end) if end else after)
        return part


def _cursor(seq: int) -> str:
    return _shown(_NUMBER.pack(seq))


def _shown(held: bytes) -> str:
    return base64.urlsafe_b64encode(held).rstrip(b"=").decode()


def _held(cursor: str | None, form: struct.Struct) -> Any:
    """The content of a cursor. Raises BadUserInput with the reason BAD_CURSOR for a cursor of another list."""
    if cursor is None:
        return None
    try:
        held = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return form.unpack(held)
    except (binascii.Error, ValueError, struct.error):
        raise BadUserInput("`after` is not a cursor of this list.", reason="BAD_CURSOR") from None


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows after a cursor: the source of a connection without a count."""

    nodes: Sequence[Any]
    cursor: Callable[[Any], str]
    more: bool
    after: str | None
    end: str | None

    @property
    def edges(self) -> list[Any]:
        return [_Edge(self.cursor(row), row) for row in self.nodes]

    @property
    def page_info(self) -> Any:
        start = self.cursor(self.nodes[0]) if self.nodes else None
        return _PageInfo(self.more, self.after is not None, start, self.end)


@dataclass(frozen=True, slots=True)
class _Edge:
    cursor: str
    node: Any


@dataclass(frozen=True, slots=True)
class _PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


async def _read(context: Context, wanted: ChangeFilter | None, start: int, size: int) -> tuple[list[Any], int, bool]:
    """The visible matching changes, at most `size`; the last examined number; and whether more may follow."""
    assert context.viewer is not None
    viewer, asked = context.viewer, _asked(context, wanted)
    fields = set(wanted.fields.value) if wanted and wanted.fields else None
    match = await _match(context, wanted)
    if match is not None:
        asked = replace(asked, customers=await change_log.related_customer_ids(context.session, match))
    found: list[Any] = []
    end, scanned = start, 0
    while scanned < _SCANNED:
        room = size + 1 if scanned == 0 and fields is None else _AT_ONCE
        batch = await change_log.fetch_changes(context.session, end, room, asked)
        if match is not None and asked.customers is None:
            seen = await change_log.changes_of_customer(context.session, batch, match)
        else:
            seen = await change_log.visible_nodes(context.session, batch, viewer.visibility)
        seen = await change_log.visible_changes(context.session, seen, viewer.actor_id, hidden=_hidden(context))
        for row in seen:
            if fields is not None and not any(one["field"] in fields for one in row.fields):
                continue
            if len(found) == size:
                return found, found[-1].seq, True
            found.append(row)
        scanned += len(batch)
        if batch:
            end = batch[-1].seq
        if len(batch) < room:
            return found, end, False
    return found, end, True


async def _match(context: Context, wanted: ChangeFilter | None) -> CustomerMatch | None:
    """The customers that changes must belong to; None if there is no condition. Raises BadUserInput."""
    if wanted is None or wanted.customer is None:
        return None
    question = CustomerQuery(archived="INCLUDE", more=((wanted.customer.value, ("filter", "customer")),))
    with list_arguments.query_errors_as_bad_input():
        match, _ = await list_arguments.compile_for_viewer(context, question)
    return match


def _hidden(context: Context) -> frozenset[str]:
    """The types whose changes the viewer must not read."""
    assert context.viewer is not None
    needed = {"ApiKey": Permission.KEY_MANAGE, "Webhook": Permission.WEBHOOK_MANAGE}
    return frozenset(entity for entity, permission in needed.items() if not context.viewer.has_permission(permission))


def _asked(context: Context, wanted: ChangeFilter | None) -> change_log.ChangeQuery:
    assert context.viewer is not None
    if wanted is None:
        return change_log.ChangeQuery()
    named = [ids.split_id(one) for one in wanted.nodes.value] if wanted.nodes else None
    return change_log.ChangeQuery(
        entities=tuple(wanted.entities.value) if wanted.entities else None,
        actions=tuple(int(one) for one in wanted.actions.value) if wanted.actions else None,
        nodes=None if named is None else tuple(one[1] for one in named if one),
        since=int(wanted.since.value) if wanted.since else None,
        not_by=(int(context.viewer.actor_kind), context.viewer.actor_id) if wanted.exclude_own else None,
    )


# ── a timeline ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def load_timelines(context: Context, parents: Sequence[Any], first: int | None, after: str | None) -> list[Any]:
    """A page of each customer's timeline, newest first: changes, notes, interactions and orders."""
    size, start = read_page_size(first), _held(after, _PLACE)
    found = await history.fetch_entries(context.session, [parent.id for parent in parents], size + 1, start)
    return [_page(found.get(parent.id, []), size, after) for parent in parents]


def _page(rows: Sequence[Any], size: int, after: str | None) -> _Part:
    shown = rows[:size]
    end = _entry(shown[-1]) if shown else None
    return _Part(shown, _entry, len(rows) > size, after, end)


def _entry(row: Any) -> str:
    return _shown(_PLACE.pack(*history.position_of(row)))
