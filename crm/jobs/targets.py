"""Targets: which customers a job is about, found by the list's own filter, and never more than was meant."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from crm.errors import ErrorCode, InputError, LimitError, Path
from crm.jobs.handlers import JobItem
from crm.jobs.unbounded_targets import matches_everything
from crm.unit_of_work import UnitOfWork
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
"""So many customers are done in the answer; more run behind it."""

MAX_INLINE_TARGET_ROWS: Final = 10_000
"""Rows up to which a target is kept in the request that names it. A worker gathers those of a larger one."""

MAX_TARGET_IDS: Final = 1_000

TargetData = Mapping[str, Any]
"""{"ids": […]} or {"match": {…}}, as plain data."""


@dataclass(slots=True)
class Target:
    """The customers of a target: `items` where they are few or were named, else a list to be kept with the job; `count`
    tells how many there are. `question` is what the list was asked by, at the moment `now`."""

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
        """Whether keeping them is left to a worker."""
        return self.listing is not None and self.match_count > MAX_INLINE_TARGET_ROWS

    @property
    def source(self) -> dict[str, Any]:
        """Where a worker gathers them from."""
        if self.query is None:
            return {"listed": [one.id.hex() for one in self.items]}
        return {"matching": self.query.stored_form, "now": self.now, "expected": self.expected_count}

    async def store(self, unit: UnitOfWork, job_id: bytes, start: int = 0) -> int:
        """Keeps those that are many as the job's target; returns how many there are. Raises InputError COUNT_MISMATCH."""
        assert self.listing is not None
        assert self.sort is not None
        count = await stored.store_matches(unit.transaction, job_id, self.listing, self.sort, start - 1)
        check_expected_count(self.expected_count, count, self.path)
        return count


async def resolve_target(
    unit: UnitOfWork, given: TargetData, *, path: Path = ("target",), unbounded_too: bool = False
) -> Target:
    """Raises InputError EMPTY_TARGET, UNBOUNDED_TARGET (unless `unbounded_too`), COUNT_MISMATCH, NOT_FOUND and what is
    wrong with the filter."""
    if given.get("ids") is not None:
        return await _named(unit, given["ids"], (*path, "ids"))
    return await _matching(unit, given["match"], (*path, "match"), unbounded_too)


def check_expected_count(expected: int | None, count: int, path: Path) -> None:
    """Raises InputError COUNT_MISMATCH where there are not as many as the person saw."""
    if expected is not None and expected != count:
        message = f"You expected {expected} customers, and there are {count}; look at the list again. Nothing was done."
        raise InputError(ErrorCode.COUNT_MISMATCH, message, (*path, "expectedCount"))


# ── ids ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _named(unit: UnitOfWork, given: Sequence[str], path: Path) -> Target:
    """Each customer once, in the order given; the id of a merged one stands for its survivor."""
    if not given:
        raise InputError(ErrorCode.EMPTY_TARGET, "No customer was named; choose at least one.", path)
    if len(given) > MAX_TARGET_IDS:
        message = f"There is room for {MAX_TARGET_IDS} ids; these are {len(given)}. Use a match for more."
        raise LimitError(message, path, limit=MAX_TARGET_IDS, current=len(given))
    parsed = {one: wire_format.decode_id("Customer", one) or b"" for one in given}
    seen = await customers.by_ids(
        unit.transaction, [one for one in set(parsed.values()) if one], unit.viewer.visibility
    )
    places: dict[bytes | str, int] = {}
    items: list[JobItem] = []
    texts: list[str] = []
    for place, one in enumerate(given):
        identifier = seen[parsed[one]].id if parsed[one] in seen else parsed[one]
        if (identifier or one) in places:
            continue
        places[identifier or one] = place
        items.append(JobItem(len(items), identifier))
        texts.append(one)
    return Target({"ids": texts, "places": list(places.values())}, items)


# ── a match ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def _matching(unit: UnitOfWork, given: TargetData, path: Path, unbounded_too: bool) -> Target:
    question = await _question(unit, given, path)
    match, sort = await _read(unit, question, path)
    bounded = question.archived == "ONLY" or match.search is not None or not matches_everything(match.parsed_filter)
    if not bounded and not given.get("everyone") and not unbounded_too:
        message = "This match leaves nobody out; say `everyone: true` if all customers are meant."
        raise InputError(ErrorCode.UNBOUNDED_TARGET, message, path)
    if given.get("except_ids"):
        left_out = ({"not": {"id": {"in": list(given["except_ids"])}}}, ("exceptIds",))
        question = CustomerQuery(
            question.filter, question.search, question.sections, question.sort, question.archived,
            (*question.more, left_out),
        )  # fmt: skip
        match, sort = await _read(unit, question, path)
    listing = matches.full_list_query(unit.transaction, match)
    expected = given.get("expected_count")
    ids = await stored.first_ids(unit.transaction, listing, sort, MAX_INLINE_CUSTOMERS + 1)
    target = {"match": dict(given)}
    if len(ids) > MAX_INLINE_CUSTOMERS:
        many = await keyset.count_rows(unit.transaction, listing)
        check_expected_count(expected, many, path)
        return Target(
            target,
            listing=listing,
            sort=sort,
            query=question,
            match_count=many,
            now=unit.now,
            expected_count=expected,
            path=path,
        )
    check_expected_count(expected, len(ids), path)
    return Target(target, [JobItem(row, identifier) for row, identifier in enumerate(ids)])


async def _question(unit: UnitOfWork, given: TargetData, path: Path) -> CustomerQuery:
    """The filter and search given, and those of the view."""
    for name, shown in (("filter", "filter"), ("search", "search")):
        if name in given and given[name] is None:
            message = f"`{shown}` is null; leave it out to ask nothing."
            raise InputError(ErrorCode.INVALID, message, (*path, shown))
    view = await _view(unit, given["view"], (*path, "view")) if given.get("view") is not None else None
    more = () if view is None or not view.filter else ((view.filter, ("view",)),)
    fields = given.get("search_fields")
    return CustomerQuery(
        given.get("filter"),
        " ".join(one for one in (given.get("search"), view and view.search) if one) or None,
        None if fields is None else list(fields),
        None if view is None else view.sort,
        str(given.get("archived") or "EXCLUDE"),
        more,
    )


async def _view(unit: UnitOfWork, wire_id: str, path: Path) -> Any:
    identifier = wire_format.decode_id("SavedView", wire_id)
    found = await saved_views.by_ids(unit.transaction, [identifier], unit.viewer.agent_id) if identifier else {}
    if identifier is None or identifier not in found:
        raise InputError(ErrorCode.NOT_FOUND, f"There is no saved view “{wire_id}” here.", path)
    return found[identifier]


async def _read(unit: UnitOfWork, question: CustomerQuery, path: Path) -> tuple[matches.CustomerMatch, Sort]:
    viewer = unit.viewer
    try:
        return await matches.compile_query(
            unit.transaction, question, visibility=viewer.visibility, agent_id=viewer.agent_id, now=unit.now
        )
    except QueryError as refused:
        raise filter_error(refused, path) from None


def filter_error(refused: QueryError, path: Iterable[str | int]) -> InputError:
    """What is wrong with a filter, as a refusal in a mutation's payload."""
    where = (*path, *refused.path)
    if refused.limit is not None:
        return LimitError(refused.message, where, limit=refused.limit, current=refused.limit + 1)
    known = refused.reason in ErrorCode.__members__
    return InputError(ErrorCode[refused.reason] if known else ErrorCode.INVALID, refused.message, where)
