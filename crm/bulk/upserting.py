"""Making and changing many customers, each with values of its own."""

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from typing import Any, Final

from crm import references
from crm.bulk import lookup
from crm.change_log import ChangeEntry
from crm.customers import records
from crm.customers.loaded_customer import LoadedCustomer
from crm.customers.records import UpdateRequest
from crm.errors import ErrorCode, InputError
from crm.jobs.handlers import JobItem, JobTask, RowResult, job_handler
from crm.unit_of_work import UnitOfWork
from db.tables.enums import JobKind, Outcome, Permission
from db.values import wire_format
from db.values.folding import fold

MAX_UPSERT_ROWS: Final = 1_000
"""Rows of one call."""


@job_handler(JobKind.UPSERT, Permission.CUSTOMER_CREATE)
async def upsert_customers(unit: UnitOfWork, task: JobTask, items: Sequence[JobItem]) -> list[RowResult]:
    """Rows of one and the same customer are done one after the other; all others together."""
    rows = task.arguments["rows"]
    results: dict[int, RowResult] = {}
    waiting = [one.row for one in items]
    while waiting:
        wave, waiting = _apart(rows, waiting)
        before = {entry.node_id: entry for entry in unit.log.entries()}
        for result in await _wave(unit, rows, wave):
            results[result.row] = result
        _tell_apart(unit, before, [results[row] for row in wave])
    return [results[one.row] for one in items]


def _tell_apart(unit: UnitOfWork, before: Mapping[bytes, ChangeEntry], results: Sequence[RowResult]) -> None:
    """The log tells a customer's changes under the first row; what a later row did is kept with that row."""
    told = {entry.node_id: entry for entry in unit.log.entries()}
    for result in results:
        entry = told.get(result.node_id or b"")
        if entry is None or entry.row == result.row or result.outcome is Outcome.FAILED:
            continue
        was = {one["field"]: one for one in before[entry.node_id].fields} if entry.node_id in before else {}
        result.fields = [
            {**one, "before": was[one["field"]]["after"] if one["field"] in was else one["before"]}
            for one in entry.fields
            if one["field"] not in was or was[one["field"]]["after"] != one["after"]
        ]


def _apart(rows: Sequence[Any], waiting: Sequence[int]) -> tuple[list[int], list[int]]:
    """The rows that have nothing to do with one before them, and those that have to wait for it."""
    seen: set[Hashable] = set()
    now: list[int] = []
    later: list[int] = []
    addresses = {fold(by["email"]) for row in waiting if "email" in (by := rows[row].get("by") or {})}
    for row in waiting:
        keys = set(_keys(rows[row], addresses))
        (later if keys & seen else now).append(row)
        seen |= keys
    return now, later


def _keys(row: Any, addresses: Collection[str]) -> Iterator[Hashable]:
    """By what a row may name, or make, a customer that another row names; `addresses` are the addresses that rows name
    somebody by."""
    by, given = row.get("by") or {}, row["input"]
    if by.get("id"):
        yield ("id", by["id"])
    for pair in [by.get("external_id"), *(given.get("external_ids") or ())]:
        if pair:
            yield ("external", pair["system"], pair["value"])
    for email in [by.get("email"), given.get("email"), *(given.get("emails") or ())]:
        if email and fold(email) in addresses:
            yield ("email", fold(email))


async def _wave(unit: UnitOfWork, rows: Sequence[Any], wave: Sequence[int]) -> list[RowResult]:
    named = {row: rows[row]["by"] for row in wave if rows[row].get("by")}
    await lookup.lock_email_addresses(unit, [by["email"] for by in named.values() if "email" in by])
    found = await lookup.find_customers(unit, named)
    results: dict[int, RowResult] = {}
    changing: list[UpdateRequest] = []
    making: list[tuple[int, Any]] = []
    for row in wave:
        by, known = named.get(row), found.get(row)
        given = rows[row]["input"]
        if isinstance(known, InputError):
            results[row] = RowResult(row, None, Outcome.FAILED, [known])
        elif by is not None and known is not None:
            changing.append(_wanted(row, known, records.data_with_reference(by, given, made=False)))
        elif by is not None and "id" in by:
            results[row] = RowResult(
                row, wire_format.decode_id("Customer", by["id"]), Outcome.FAILED, [_nobody(row, by)]
            )
        else:
            making.append((row, given if by is None else records.data_with_reference(by, given, made=True)))
    for result in [*await _change(unit, changing), *await _make(unit, rows, making)]:
        results[result.row] = result
    return list(results.values())


def _wanted(row: int, identifier: bytes, given: Any) -> UpdateRequest:
    return UpdateRequest(identifier, given, ("rows", row, "input"), ("rows", row, "by"), row=row)


def _nobody(row: int, by: Any) -> InputError:
    return references.customer_not_found(by, ("rows", row, "by"))


async def _change(unit: UnitOfWork, wanted: Sequence[UpdateRequest]) -> list[RowResult]:
    """Two references to one customer are told apart by nothing but who was found: then the second waits as well."""
    if not unit.viewer.has_permission(Permission.CUSTOMER_UPDATE):
        message = "You may not change customers (CUSTOMER_UPDATE), only make them."
        return [
            RowResult(
                _row(one), one.id, Outcome.FAILED, [InputError(ErrorCode.FORBIDDEN, message, ("rows", _row(one), "by"))]
            )
            for one in wanted
        ]
    results = []
    while wanted:
        first: dict[bytes, UpdateRequest] = {}
        for one in wanted:
            first.setdefault(one.id, one)
        now = list(first.values())
        wanted = [one for one in wanted if first[one.id] is not one]
        found, outcomes = await records.update_each(unit, now) if now else ([], [])
        for one, state, outcome in zip(now, found, outcomes, strict=True):
            results.append(_result(_row(one), state, outcome, one.id))
    return results


def _row(wanted: UpdateRequest) -> int:
    assert wanted.row is not None
    return wanted.row


async def _make(unit: UnitOfWork, rows: Sequence[Any], making: Sequence[tuple[int, Any]]) -> list[RowResult]:
    if not making:
        return []
    given = [(one, ("rows", row, "input")) for row, one in making]
    states, outcomes = await records.create_each(unit, given, [row for row, _ in making])
    for state, (row, _) in zip(states, making, strict=True):
        records.move_errors_to_reference(state, ("rows", row, "by"), ("rows", row, "input"), rows[row]["input"])
    return [
        _result(row, state, outcome, None) for (row, _), state, outcome in zip(making, states, outcomes, strict=True)
    ]


def _result(row: int, state: LoadedCustomer | None, outcome: Outcome, asked: bytes | None) -> RowResult:
    if state is None:
        nobody = references.customer_not_found(
            {"id": wire_format.id_encoder("Customer")(asked or b"")}, ("rows", row, "by")
        )
        return RowResult(row, asked, Outcome.FAILED, [nobody])
    made_not = outcome is Outcome.FAILED and state.is_new
    return RowResult(row, None if made_not else state.id, outcome, list(state.errors))
