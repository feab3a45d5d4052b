"""Targets: the customers that a job is about. The list filter finds them, and safeguards prevent changing more
customers than intended."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from crm.access.permissions import Viewer
from crm.errors import ErrorCode, InputError, LimitError, Path, counted
from crm.jobs.handlers import JobItem
from crm.jobs.unbounded_targets import matches_everything
from crm.unit_of_work import UnitOfWork
from db.engine import Session
from db.filtering.errors import QueryError
from db.paging import keyset
from db.paging.keyset import ListQuery
from db.paging.sorting import Sort
from db.queries.catalogue import saved_views
from db.queries.customers import customers
from db.queries.matching import matches
from db.queries.matching import targets as stored
from db.queries.matching.matches import CustomerQuery
from db.values import wire_format

MAX_INLINE_CUSTOMERS: Final = 200
"""Number of customers up to which a job runs within the request. Larger jobs run in the background."""

MAX_INLINE_TARGET_ROWS: Final = 10_000
"""Rows up to which the request stores the target. The worker stores larger targets."""

MAX_TARGET_IDS: Final = 1_000

TargetData = Mapping[str, Any]
"""{"ids": […]} or {"match": {…}}, as plain data."""


@dataclass(frozen=True, slots=True)
class TargetReader:
    """What resolving a target needs: a session, the viewer and the time."""

    session: Session
    viewer: Viewer
    now: int


@dataclass(slots=True)
class Target:
    """The customers of a target: `items` if they are few or given by id, else a `listing` to be stored with the job.

    `count` is their number. `query` is the list query that found them at the time `now`."""

    stored_form: dict[str, Any]
    items: list[JobItem] = field(default_factory=list)
    listing: ListQuery | None = None
    sort: Sort | None = None
    query: CustomerQuery | None = None
    match_count: int = 0
    now: int = 0
    expected_count: int | None = None
    path: Path = ()

    @property
    def count(self) -> int:
        return self.match_count if self.listing is not None else len(self.items)

    @property
    def is_large(self) -> bool:
        """Whether the worker has to store the target."""
        return self.listing is not None and self.match_count > MAX_INLINE_TARGET_ROWS

    @property
    def source(self) -> dict[str, Any]:
        """The source from which the worker reads the target."""
        if self.query is None:
            return {"listed": [item.id.hex() for item in self.items]}
        return {"matching": self.query.stored_form, "now": self.now, "expected": self.expected_count}

    async def store(self, unit: UnitOfWork, job_id: bytes, start: int = 0) -> int:
        """Stores the rows of the listing as the job's target and returns their number. Raises InputError
        COUNT_MISMATCH."""
        assert self.listing is not None
        assert self.sort is not None
        count = await stored.store_matches(unit.transaction, job_id, self.listing, self.sort, start - 1)
        check_expected_count(self.expected_count, count, self.path)
        return count


def reader_of(unit: UnitOfWork) -> TargetReader:
    """Reads targets in the transaction of the unit of work."""
    return TargetReader(unit.transaction, unit.viewer, unit.now)


async def resolve_target(
    reader: TargetReader, data: TargetData, *, path: Path = ("target",), unbounded_too: bool = False
) -> Target:
    """Resolves ids or a match to customers. Raises InputError EMPTY_TARGET, UNBOUNDED_TARGET (unless `unbounded_too`),
    COUNT_MISMATCH, NOT_FOUND, and the errors of the filter."""
    if data.get("ids") is not None:
        return await _resolve_ids(reader, data["ids"], (*path, "ids"))
    return await _resolve_match(reader, data["match"], (*path, "match"), unbounded_too)


def check_expected_count(expected: int | None, count: int, path: Path) -> None:
    """Raises InputError COUNT_MISMATCH if the number of customers is not the expected one."""
    if expected is not None and expected != count:
        message = (
            f"You expected {counted(expected, 'customer')}, but the filter now finds {count}; check the list "
            "again. Nothing was changed."
        )
        raise InputError(ErrorCode.COUNT_MISMATCH, message, (*path, "expectedCount"))


# ── ids ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _resolve_ids(reader: TargetReader, requested_ids: Sequence[str], path: Path) -> Target:
    """Lists each customer once, in the order of the ids. The id of a merged customer stands for its survivor."""
    if not requested_ids:
        raise InputError(ErrorCode.EMPTY_TARGET, "No customer is selected; choose at least one.", path)
    if len(requested_ids) > MAX_TARGET_IDS:
        message = (
            f"You can select at most {MAX_TARGET_IDS} customers by id, but you gave {len(requested_ids)}; use a "
            "filter for more."
        )
        raise LimitError(message, path, limit=MAX_TARGET_IDS, current=len(requested_ids))
    parsed_ids = {wire_id: wire_format.decode_id("Customer", wire_id) or b"" for wire_id in requested_ids}
    visible_customers = await customers.by_ids(
        reader.session, list(set(parsed_ids.values()) - {b""}), reader.viewer.visibility
    )
    positions: dict[bytes | str, int] = {}
    items: list[JobItem] = []
    wire_ids: list[str] = []
    for position, wire_id in enumerate(requested_ids):
        identifier = (
            visible_customers[parsed_ids[wire_id]].id
            if parsed_ids[wire_id] in visible_customers
            else parsed_ids[wire_id]
        )
        if (identifier or wire_id) in positions:
            continue
        positions[identifier or wire_id] = position
        items.append(JobItem(len(items), identifier))
        wire_ids.append(wire_id)
    return Target({"ids": wire_ids, "places": list(positions.values())}, items)


# ── a match ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _resolve_match(reader: TargetReader, data: TargetData, path: Path, unbounded_too: bool) -> Target:
    query = await _build_query(reader, data, path)
    match, sort = await _compile(reader, query, path)
    is_bounded = query.archived == "ONLY" or match.search is not None or not matches_everything(match.parsed_filter)
    if not is_bounded and not data.get("everyone") and not unbounded_too:
        message = "This filter matches all customers; confirm with `everyone: true` if you mean all of them."
        raise InputError(ErrorCode.UNBOUNDED_TARGET, message, path)
    if data.get("except_ids"):
        exclusion = ({"not": {"id": {"in": list(data["except_ids"])}}}, ("exceptIds",))
        query = CustomerQuery(
            query.filter, query.search, query.sections, query.sort, query.archived,
            (*query.more, exclusion),
        )  # fmt: skip
        match, sort = await _compile(reader, query, path)
    listing = matches.full_list_query(reader.session, match)
    expected = data.get("expected_count")
    ids = await stored.first_ids(reader.session, listing, sort, MAX_INLINE_CUSTOMERS + 1)
    target = {"match": dict(data)}
    if len(ids) > MAX_INLINE_CUSTOMERS:
        match_count = await keyset.count_rows(reader.session, listing)
        check_expected_count(expected, match_count, path)
        return Target(
            target,
            listing=listing,
            sort=sort,
            query=query,
            match_count=match_count,
            now=reader.now,
            expected_count=expected,
            path=path,
        )
    check_expected_count(expected, len(ids), path)
    return Target(target, [JobItem(row, identifier) for row, identifier in enumerate(ids)])


async def _build_query(reader: TargetReader, data: TargetData, path: Path) -> CustomerQuery:
    """Combines the filter and search of the target with those of its saved view."""
    for name, wire_name in (("filter", "filter"), ("search", "search")):
        if name in data and data[name] is None:
            message = f"`{wire_name}` must not be null; leave it out to match all customers."
            raise InputError(ErrorCode.INVALID, message, (*path, wire_name))
    view = await _view(reader, data["view"], (*path, "view")) if data.get("view") is not None else None
    more = () if view is None or not view.filter else ((view.filter, ("view",)),)
    fields = data.get("search_fields")
    return CustomerQuery(
        data.get("filter"),
        " ".join(text for text in (data.get("search"), view and view.search) if text) or None,
        None if fields is None else list(fields),
        None if view is None else view.sort,
        str(data.get("archived") or "EXCLUDE"),
        more,
    )


async def _view(reader: TargetReader, wire_id: str, path: Path) -> Any:
    identifier = wire_format.decode_id("SavedView", wire_id)
    views = await saved_views.by_ids(reader.session, [identifier], reader.viewer.agent_id) if identifier else {}
    if identifier is None or identifier not in views:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no saved view “{wire_id}” in this workspace.", path)
    return views[identifier]


async def _compile(reader: TargetReader, query: CustomerQuery, path: Path) -> tuple[matches.CustomerMatch, Sort]:
    viewer = reader.viewer
    try:
        return await matches.compile_query(
            reader.session, query, visibility=viewer.visibility, agent_id=viewer.agent_id, now=reader.now
        )
    except QueryError as error:
        raise filter_error(error, path) from None


def filter_error(error: QueryError, path: Iterable[str | int]) -> InputError:
    """Converts a filter error into an input error of a mutation's payload."""
    error_path = (*path, *error.path)
    if error.limit is not None:
        return LimitError(error.message, error_path, limit=error.limit, current=error.limit + 1)
    is_known_code = error.reason in ErrorCode.__members__
    return InputError(ErrorCode[error.reason] if is_known_code else ErrorCode.INVALID, error.message, error_path)
