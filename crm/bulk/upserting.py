"""Making and changing many customers, each with values of its own."""

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from typing import Any, Final

from crm import references
from crm.bulk import lookup
from crm.change_log import ChangeEntry
from crm.customers import records
from crm.customers.loaded_customer import State
from crm.customers.records import Wanted
from crm.errors import ErrorCode, InputError
from crm.jobs.handlers import Item, Result, Task, verb
from crm.unit_of_work import UnitOfWork
from db.tables.enums import JobKind, Outcome, Permission
from db.values import wire_format
from db.values.folding import fold

MOST: Final = 1_000
"""Rows of one call."""


@verb(JobKind.UPSERT, Permission.CUSTOMER_CREATE)
async def upsert(unit: UnitOfWork, task: Task, items: Sequence[Item]) -> list[Result]:
    """Rows of one and the same customer are done one after the other; all others together."""
    rows = task.arguments["rows"]
    results: dict[int, Result] = {}
    waiting = [one.row for one in items]
    while waiting:
        wave, waiting = _apart(rows, waiting)
        before = {entry.node_id: entry for entry in unit.log.entries()}
        for result in await _wave(unit, rows, wave):
            results[result.row] = result
        _tell_apart(unit, before, [results[row] for row in wave])
    return [results[one.row] for one in items]


def _tell_apart(unit: UnitOfWork, before: Mapping[bytes, ChangeEntry], results: Sequence[Result]) -> None:
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


async def _wave(unit: UnitOfWork, rows: Sequence[Any], wave: Sequence[int]) -> list[Result]:
    named = {row: rows[row]["by"] for row in wave if rows[row].get("by")}
    await lookup.take_turns(unit, [by["email"] for by in named.values() if "email" in by])
    found = await lookup.customers_named(unit, named)
    results: dict[int, Result] = {}
    changing: list[Wanted] = []
    making: list[tuple[int, Any]] = []
    for row in wave:
        by, known = named.get(row), found.get(row)
        given = rows[row]["input"]
        if isinstance(known, InputError):
            results[row] = Result(row, None, Outcome.FAILED, [known])
        elif by is not None and known is not None:
            changing.append(_wanted(row, known, records.kept(by, given, made=False)))
        elif by is not None and "id" in by:
            results[row] = Result(row, wire_format.decode_id("Customer", by["id"]), Outcome.FAILED, [_nobody(row, by)])
        else:
            making.append((row, given if by is None else records.kept(by, given, made=True)))
    for result in [*await _change(unit, changing), *await _make(unit, rows, making)]:
        results[result.row] = result
    return list(results.values())


def _wanted(row: int, identifier: bytes, given: Any) -> Wanted:
    return Wanted(identifier, given, ("rows", row, "input"), ("rows", row, "by"), place=row)


def _nobody(row: int, by: Any) -> InputError:
    return references.nobody(by, ("rows", row, "by"))


async def _change(unit: UnitOfWork, wanted: Sequence[Wanted]) -> list[Result]:
    """Two references to one customer are told apart by nothing but who was found: then the second waits as well."""
    if not unit.viewer.has_permission(Permission.CUSTOMER_UPDATE):
        message = "You may not change customers (CUSTOMER_UPDATE), only make them."
        return [
            Result(
                _row(one), one.id, Outcome.FAILED, [InputError(ErrorCode.FORBIDDEN, message, ("rows", _row(one), "by"))]
            )
            for one in wanted
        ]
    results = []
    while wanted:
        first: dict[bytes, Wanted] = {}
        for one in wanted:
            first.setdefault(one.id, one)
        now = list(first.values())
        wanted = [one for one in wanted if first[one.id] is not one]
        found, outcomes = await records.update_each(unit, now) if now else ([], [])
        for one, state, outcome in zip(now, found, outcomes, strict=True):
            results.append(_result(_row(one), state, outcome, one.id))
    return results


def _row(wanted: Wanted) -> int:
    assert wanted.place is not None
    return wanted.place


async def _make(unit: UnitOfWork, rows: Sequence[Any], making: Sequence[tuple[int, Any]]) -> list[Result]:
    if not making:
        return []
    given = [(one, ("rows", row, "input")) for row, one in making]
    states, outcomes = await records.create_each(unit, given, [row for row, _ in making])
    for state, (row, _) in zip(states, making, strict=True):
        records.at_reference(state, ("rows", row, "by"), ("rows", row, "input"), rows[row]["input"])
    return [
        _result(row, state, outcome, None) for (row, _), state, outcome in zip(making, states, outcomes, strict=True)
    ]


def _result(row: int, state: State | None, outcome: Outcome, asked: bytes | None) -> Result:
    if state is None:
        nobody = references.nobody({"id": wire_format.id_encoder("Customer")(asked or b"")}, ("rows", row, "by"))
        return Result(row, asked, Outcome.FAILED, [nobody])
    made_not = outcome is Outcome.FAILED and state.made
    return Result(row, None if made_not else state.id, outcome, list(state.refused))
