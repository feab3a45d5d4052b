"""Jobs: progress and results by row."""

import base64
import binascii
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, Final, TypeAlias

import strawberry
from strawberry import Info

from crm.bulk import HANDLER_MODULES
from crm.jobs import cancel_retry, error_codec, handlers, undo
from db import tables
from db.paging import keyset
from db.paging.keyset import Page
from db.paging.sorting import NEWEST_FIRST
from db.queries import jobs
from db.queries.catalogue import agents
from db.tables.enums import JobKind as Kind
from db.tables.enums import Permission as P
from graph import lookup
from graph.access.actors import Actor, load_actors
from graph.access.permissions import guarded
from graph.catalogue.agents import Agent
from graph.change_log import FieldChange
from graph.context import Context
from graph.engine.field_declarations import ParentRows, batched, column
from graph.errors.error_objects import error_objects
from graph.errors.top_level import BadUserInput
from graph.errors.user_errors import UserError, mutation
from graph.filtering import list_arguments
from graph.jobs.job_files import JobFile, load_job_files
from graph.types import ids
from graph.types.connections import AfterArgument, Connection, FirstArgument, page_request, single_list
from graph.types.enums import JobKind, JobStatus, Outcome, Permission, describe_values
from graph.types.nodes import Id, Node, is_row_of
from graph.types.scalars import DateTime

__all__ = ["BulkOptions", "Job", "JobPayload", "Mutation", "Query"]
assert HANDLER_MODULES, "what became of a row is told in the words of its verb"

_ROW = struct.Struct(">q")
_ACTIONS: Final = {0: Outcome.CREATED, 1: Outcome.UPDATED, 2: Outcome.DELETED, 3: Outcome.MERGED}


class OnError(IntEnum):
    CONTINUE = 0
    ABORT = 1


describe_values(
    OnError,
    "What happens to the other rows if one fails.",
    CONTINUE="The other rows continue.",
    ABORT="All rows succeed or none is changed. On SQLite at most 5 000 rows.",
)


@strawberry.input(description="Options of a bulk mutation.")
class BulkOptions:
    dry_run: bool = strawberry.field(
        default=False, description="True reports outcomes and changes without writing anything."
    )
    on_error: OnError = strawberry.field(
        default=OnError.CONTINUE, description="What happens to the other rows if one fails."
    )
    label: str | None = strawberry.field(default=strawberry.UNSET, description="Label of the job.")


@strawberry.type(description="Number of rows with an outcome.")
class OutcomeCount:
    outcome: Outcome = column("The outcome.")
    count: int = column("Number of rows.")


@strawberry.type(description="Number of customers that an agent received.")
class AgentShare:
    agent: Agent = column("The agent.")
    count: int = column("Number of customers.")


@strawberry.type(description="Result of one row of a job.")
class JobRow:
    row: int = column("Row number from 0, in list order or in the order of the ids.")
    outcome: Outcome = column("Outcome, or the outcome that a dry run predicts.")
    node: Node | None = column("The record; null if there is none, it was deleted, or the viewer cannot see it.")
    changed: list[FieldChange] = column("Changed fields.")
    errors: list[UserError] = column("Errors of the row; empty on success.")


@dataclass(slots=True)
class _Row:
    row: int
    outcome: Outcome
    node: Any
    changed: list[Any]
    errors: list[Any]


@dataclass(frozen=True, slots=True)
class _Field:
    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class _Count:
    outcome: Outcome
    count: int


@dataclass(frozen=True, slots=True)
class _Share:
    agent: Any
    count: int


OutcomesArgument: TypeAlias = Annotated[
    list[Outcome] | None, strawberry.argument(description="Only rows with one of these outcomes.")
]


@strawberry.type(description="A bulk operation. It is durable: if a process stops, another continues it.")
class Job(Node):
    is_type_of = is_row_of(tables.Job)

    id: strawberry.ID = column("Id of the job.", convert=ids.id_encoder("Job"))
    kind: JobKind = column("Kind of job.")
    status: JobStatus = column("Status of the job.")
    label: str | None = column("Label of the job; null if it has none.")
    dry_run: bool = column("True if the job only previews its changes.")
    created_at: DateTime = column("Time of creation.")
    started_at: DateTime | None = column("Time when a worker started the job; null while it waits.")
    finished_at: DateTime | None = column("Time when the job ended; null until then.")
    matched: int = column("Number of rows of the job.")
    processed: int = column("Number of processed rows.")
    error: str | None = column("Reason of a failure; null unless the job failed.")

    @batched("Creator of the job.", parent_columns=("actor_kind", "actor_id"))
    async def created_by(parents: ParentRows, info: Info) -> list[Actor]:
        return await load_actors(info.context, parents, "actor")

    @batched("Progress, 0 to 1.", parent_columns=("matched", "processed", "finished_at", "status"))
    async def progress(parents: ParentRows, info: Info) -> list[float]:
        return [_progress(row) for row in parents]

    @batched(
        "Estimated seconds until the end; null if unknown or ended.",
        parent_columns=("matched", "processed", "started_at", "finished_at"),
    )
    async def eta_seconds(parents: ParentRows, info: Info) -> list[int | None]:
        return [_eta(row, info.context.now) for row in parents]

    @batched("Number of rows for each outcome so far, without outcomes of 0 rows.", parent_columns=("counts",))
    async def counts(parents: ParentRows, info: Info) -> list[list[OutcomeCount]]:
        return [_counts(row) for row in parents]  # type: ignore[misc] # read as them

    @batched("Results of the rows, in order.", parent_columns=("id", "kind", "dry_run", "counts", "arguments"))
    async def rows(
        parents: ParentRows,
        info: Info,
        outcome: OutcomesArgument = None,
        first: FirstArgument = None,
        after: AfterArgument = None,
    ) -> list[Connection[JobRow]]:
        return [_rows(info.context, row, outcome, first, after) for row in parents]

    @batched("Number of customers for each agent; empty unless the job assigns customers.", parent_columns=("state",))
    async def per_agent(parents: ParentRows, info: Info) -> list[list[AgentShare]]:
        return [await _shares(info.context, row) for row in parents]

    @batched(
        "Files of the job until their links expire: an export, or the failed rows of an import.", parent_columns=("id",)
    )
    async def files(parents: ParentRows, info: Info) -> list[list[JobFile]]:
        return await load_job_files(info.context, parents)

    @batched("Whether the viewer can cancel the job now.", parent_columns=("status",))
    async def can_cancel(parents: ParentRows, info: Info) -> list[bool]:
        return [cancel_retry.is_cancellable(row) for row in parents]

    @batched("Time until which `jobUndo` accepts the job; null if it cannot be undone.")
    async def undoable_until(parents: ParentRows, info: Info) -> list[DateTime | None]:
        undone = await info.context.load_one(jobs.undo_jobs_of, parents, "id")
        until = [None if by else undo.undoable_until(row) for row, by in zip(parents, undone, strict=True)]
        return until  # type: ignore[return-value] # moments are numbers until they are shown

    @batched("Job that undid this job; null if there is none.", parent_columns=("id",))
    async def undone_by(
        parents: ParentRows, info: Info
    ) -> list[Annotated["Job", strawberry.lazy("graph.jobs.jobs")] | None]:
        return await info.context.load_one(jobs.undo_jobs_of, parents, "id")


@strawberry.type(description="Result of a bulk mutation. Up to 200 rows are done in this answer.")
class JobPayload:
    job: Job | None = strawberry.field(
        default=None, description="The job, finished or waiting; null if there are errors."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Errors that prevented the job; empty on success."
    )


def job_payload(job: Any) -> Any:
    return JobPayload(job=job)


def _progress(row: Any) -> float:
    if row.finished_at is not None and row.status != JobStatus.CANCELLED:
        return 1.0
    return row.processed / row.matched if row.matched else 0.0


def _eta(row: Any, now: int) -> int | None:
    if row.finished_at is not None or row.started_at is None or not row.processed:
        return None
    return round((row.matched - row.processed) * max(0, now - row.started_at) / row.processed / 1000)


def _counts(row: Any) -> list[_Count]:
    return [_Count(one, row.counts[one.name]) for one in Outcome if row.counts.get(one.name)]


async def _shares(context: Context, row: Any) -> list[Any]:
    shares = (row.state or {}).get("shares", {})
    found = await context.load(agents.by_ids, [bytes.fromhex(one) for one in shares])
    return [_Share(found[bytes.fromhex(one)], count) for one, count in shares.items() if found.get(bytes.fromhex(one))]


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Page(Page):
    """Rows are found by number."""

    __slots__ = ()

    def cursor(self, row: Any) -> str:
        return base64.urlsafe_b64encode(_ROW.pack(row.row)).rstrip(b"=").decode()


def _place(after: str | None) -> int:
    if after is None:
        return -1
    try:
        (found,) = _ROW.unpack(base64.b64decode(after + "=" * (-len(after) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, struct.error):
        raise BadUserInput("`after` is not a cursor of these rows.", reason="BAD_CURSOR") from None
    return int(found)


def _rows(context: Context, job: Any, outcome: Sequence[Outcome] | None, first: int | None, after: str | None) -> Any:
    place, size = _place(after), page_request(first, None).size
    wanted = None if outcome is None else {Outcome(one) for one in outcome}

    async def page() -> Page:
        found = await _read(context, job, wanted, place, size + 1)
        return _Page(await _shown(context, job, found[:size]), has_next=len(found) > size, has_previous=place >= 0)

    async def count(at_most: int | None) -> int:
        total = sum(one.count for one in _counts(job) if wanted is None or one.outcome in wanted)
        return total if at_most is None else min(total, at_most)

    return single_list(page, count)


async def _read(context: Context, job: Any, wanted: set[Outcome] | None, after: int, size: int) -> list[Any]:
    """Merges the changed rows from the change log with the stored rows, by number."""
    actions = None if wanted is None else [action for action, one in _ACTIONS.items() if one in wanted]
    logged = [] if job.dry_run else await jobs.changed_rows(context.session, job.id, after, size, actions)
    codes = None if wanted is None else [int(one) for one in wanted]
    apart = await jobs.stored_rows(context.session, job.id, after, size, codes)
    return sorted([*logged, *apart], key=lambda row: row.row)[:size]


async def _shown(context: Context, job: Any, rows: Sequence[Any]) -> list[Any]:
    entity = _entity(job)
    wires = {
        row.row: [ids.id_encoder(one)(row.node_id) for one in _of(row, job, entity)] for row in rows if row.node_id
    }
    records = {one for row in rows for plain in _errors(row) if (one := error_codec.referenced_record_id(plain))}
    everything = list(dict.fromkeys([*(one for each in wires.values() for one in each), *records]))
    known = dict(zip(everything, await lookup.load_nodes(context, everything), strict=True))
    nodes = {row: next((found for one in each if (found := known[one])), None) for row, each in wires.items()}
    return [_one(row, nodes.get(row.row), known) for row in rows]


def _entity(job: Any) -> str:
    arguments = job.arguments["given"] if job.kind == Kind.UNDO else job.arguments
    return handlers.HANDLERS[Kind(arguments["verb"])].entity


def _of(row: Any, job: Any, entity: str) -> Sequence[str]:
    """The possible types of the row's record: an undo restores interactions and the customers that they affected."""
    if row.table is tables.Change:
        return (row.entity,)
    return (entity, "Customer") if job.kind == Kind.UNDO and entity != "Customer" else (entity,)


def _errors(row: Any) -> Sequence[Mapping[str, Any]]:
    return () if row.table is tables.Change else row.errors or ()


def _one(row: Any, node: Any, known: Mapping[str, Any]) -> _Row:
    logged = row.table is tables.Change
    outcome = _ACTIONS[row.action] if logged else Outcome(row.outcome)
    fields = [_Field(one["field"], one["before"], one["after"]) for one in row.fields or ()]
    refused = [error_codec.decode_error(plain, known) for plain in _errors(row)]
    return _Row(row.row, outcome, node, fields, error_objects(refused))


# ── asking ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def visible_job(context: Context) -> tuple[bool, Any, bytes]:
    """The actor whose jobs the viewer can see."""
    viewer = context.viewer
    assert viewer is not None
    return viewer.has_permission(P.SETTINGS_MANAGE), viewer.actor_kind, viewer.actor_id


@strawberry.type
class Query:
    @guarded(
        Permission.CUSTOMER_VIEW,
        "A job by id. Agents see their own jobs; SETTINGS_MANAGE shows every job. Otherwise null.",
    )
    async def job(self, info: Info, id: Id) -> Job | None:
        return await info.context.load_by_wire_id(jobs.by_ids, "Job", id, *visible_job(info.context))

    @guarded(Permission.CUSTOMER_VIEW, "The viewer's own jobs, newest first; with SETTINGS_MANAGE every job.")
    async def jobs(
        self,
        info: Info,
        status: Annotated[
            list[JobStatus] | None, strawberry.argument(description="Only jobs with this status.")
        ] = None,
        first: FirstArgument = None,
        after: AfterArgument = None,
    ) -> Connection[Job]:
        context, place = info.context, page_request(first, after)
        listing = jobs.list_query(*visible_job(context), None if status is None else [int(one) for one in status])
        with list_arguments.query_errors_as_bad_input():
            keyset.check_request(NEWEST_FIRST, place)
        return single_list(
            lambda: keyset.fetch_page(context.session, listing, place),
            lambda at_most: keyset.count_rows(context.session, listing, at_most),
        )


_Options: TypeAlias = Annotated[BulkOptions | None, strawberry.argument(description="Options of the job.")]


@strawberry.type
class Mutation:
    @mutation(
        Permission.CUSTOMER_VIEW,
        "Cancels a job at the end of its current chunk. Processed rows stay changed. Errors: NOT_FOUND, INVALID.",
        payload=JobPayload,
    )
    async def job_cancel(self, info: Info, id: Id) -> JobPayload:
        return await info.context.mutate(lambda unit: cancel_retry.cancel_job(unit, id), job_payload)

    @mutation(
        Permission.CUSTOMER_VIEW,
        (
            "Undoes a job: restores every record that nobody has changed since, and lists the others as SKIPPED. "
            "More than 200 rows become a Job. Requires the permission of the undone job. Errors: NOT_FOUND, "
            "NOT_UNDOABLE."
        ),
        payload=JobPayload,
    )
    async def job_undo(self, info: Info, id: Id, options: _Options = None) -> JobPayload:
        return await info.context.mutate(lambda unit: undo.undo_job(unit, id, options_data(options)), job_payload)

    @mutation(
        Permission.CUSTOMER_VIEW,
        "Runs the failed rows of a job again, as a new Job. Errors: NOT_FOUND, EMPTY_TARGET.",
        payload=JobPayload,
    )
    async def job_retry(self, info: Info, id: Id) -> JobPayload:
        return await info.context.mutate(lambda unit: cancel_retry.retry_job(unit, id), job_payload)


def options_data(options: BulkOptions | None) -> dict[str, Any] | None:
    if not options:
        return None
    return {"dry_run": options.dry_run, "on_error": int(options.on_error), "label": options.label or None}
